"""What every command's ``--json`` prints, as types: JSON schemas are made of them.

Results that are records have their own type; the others, which a command puts together, are told here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from typing_extensions import TypedDict

from convertkit.bisection.report import Bisection
from convertkit.cli.failures import Failure
from convertkit.conversion.manifest import Manifest
from convertkit.conversion.preview import Preview
from convertkit.conversion.pruning import Room
from convertkit.conversion.replay import Finding as Replayed
from convertkit.difference.compare import Difference
from convertkit.errors import UnknownNameError
from convertkit.estimation.roofline import Estimate
from convertkit.exporting.state import Status
from convertkit.models.spec import ModelSpec, PerformanceSpec, VariantSpec
from convertkit.offline.scoring import Finished
from convertkit.passes.finding import Finding
from convertkit.passes.history import PassRecord
from convertkit.plugins.diagnosis import Diagnosis
from convertkit.speed.measure import EndToEnd, Repeated
from convertkit.targets.lint import LintFinding
from convertkit.targets.machine import Machine
from convertkit.verification.detect import Seen
from convertkit.verification.ladder import Verification

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Errors(TypedDict):
    """What any command prints that fails before it has a result."""

    error: Failure


class Failed(TypedDict):
    """One of several files, which failed."""

    file: str
    error: Failure


class Built(TypedDict):
    """``unchecked``: passes whose work nobody has compared, and why."""

    directory: str
    zip: str | None
    state: str
    fresh: bool
    manifest: Manifest
    unchecked: dict[str, str]
    passes: list[PassRecord]


Answer = TypedDict("Answer", {"pass": str, "text": str, "after": list[str], "findings": list[Finding]})
"""What ``--explain`` says of a pass, behind those that stand in ``after``."""


class Explained(TypedDict):
    """``--explain``."""

    explained: list[Answer]


Planned = TypedDict(
    "Planned",
    {
        "pass": str,
        "text": str,
        "effect": str,
        "after": list[str],
        "before": list[str],
        "requires": list[str],
        "findings": list[Finding] | None,
    },
)
"""A pass of ``opt --dry-run``; ``findings`` is null where the pass cannot say what it would do."""


class Plan(TypedDict):
    """``opt --dry-run``."""

    passes: list[Planned]


class Optimized(TypedDict):
    """``guessed``: sizes drawn for what the graph leaves open."""

    output: str | None
    files: list[str]
    guessed: dict[str, int]
    unchecked: dict[str, str]
    passes: list[PassRecord]


class Linted(TypedDict):
    """``basis``: the tables that the findings rest on."""

    file: str
    target: str
    errors: int
    warnings: int
    findings: list[LintFinding]
    allowed: list[LintFinding]
    basis: list[str]


class Estimated(TypedDict):
    """Seconds, bytes and operations of a run."""

    estimate: Estimate
    machine: Machine


class Benched(TypedDict):
    """Milliseconds; ``spec``: the figures that the package knows."""

    runtime: str
    repeated: Repeated
    end_to_end: EndToEnd | None
    spec: PerformanceSpec | None


class BatchRow(TypedDict):
    """``roofline``: seconds of a run at least."""

    batch: int
    repeated: Repeated | None
    roofline: float | None


class Batches(TypedDict):
    """``bench --batch 1,4,8``."""

    runtime: str
    batches: list[BatchRow]


class Preprocessed(TypedDict):
    """``made``: photos that were not there already; ``extra``: files of another run."""

    directory: str
    photos: int
    made: int
    inputs: list[str]
    extra: list[str]


class Exported(TypedDict):
    """Bytes of all files; digest of the graph with its weights."""

    output: str
    files: list[str]
    nodes: int
    bytes: int
    digest: str


class Fetched(TypedDict):
    """The checkpoint."""

    path: str
    bytes: int


class Replays(TypedDict):
    """``ok``: all findings are."""

    ok: bool
    findings: list[Replayed]


class Compiled(TypedDict):
    """``fresh``: it was compiled now."""

    directory: str
    fresh: bool
    manifest: Manifest


class Rooms(TypedDict):
    """``cache list``."""

    home: str
    rooms: list[Room]


class CacheSize(TypedDict):
    """``cache size``."""

    home: str
    bytes: int


class Freed(TypedDict):
    """``cache prune``, in bytes."""

    freed: int


class Environment(TypedDict):
    """``env build``."""

    python: str
    directory: str


class Differing(TypedDict):
    """``equal``: nothing differs but names."""

    first: str
    second: str
    equal: bool
    difference: Difference


Row = dict[str, str | list[str]]
"""Of a table: names of columns and what stands there."""

RESULTS: dict[str, tuple[Any, ...]] = {
    "model.yaml": (ModelSpec,),
    "variant.yaml": (VariantSpec,),
    "errors": (Errors,),
    "build": (Built, Explained, Preview),
    "verify": (Verification,),
    "detect": (list[Seen],),
    "bench": (Benched, Batches),
    "preprocess": (Preprocessed,),
    "postprocess": (Finished,),
    "bisect": (Bisection,),
    "estimate": (Estimated,),
    "opt": (Optimized, Explained, Plan),
    "lint": (Linted,),
    "diff": (Differing,),
    "export": (Exported,),
    "fetch": (Fetched,),
    "weights": (dict[str, Any],),
    "replay": (Replays,),
    "doctor": (list[Diagnosis],),
    "compile": (Compiled,),
    "list": (list[Row],),
    "show": (dict[str, Any],),
    "env list": (list[Status],),
    "env build": (Environment,),
    "cache list": (Rooms,),
    "cache size": (CacheSize,),
    "cache prune": (Freed,),
    "new model": (dict[str, Any],),
    "schema": (dict[str, Any],),
}
"""By command; several types where an option asks for another answer."""

SEVERAL = ("opt", "lint")
"""Commands that print a list where they are given several files."""


def schema_of(name: str) -> dict[str, Any]:
    """The JSON schema of a command's result, or of a file.

    Raises:
        UnknownNameError: there is no such command, or it prints no JSON.
    """
    if name not in RESULTS:
        raise UnknownNameError("schema", name, RESULTS)
    types = (*RESULTS[name], *((Failed,) if name in SEVERAL else ()))
    alone, parts = msgspec.json.schema_components(types, ref_template="#/$defs/{name}", schema_hook=_hook)
    found = list(alone)
    if name in SEVERAL:
        found = [*found[:-1], {"type": "array", "items": {"anyOf": found}}]
    whole = found[0] if len(found) == 1 else {"anyOf": found}
    return {"$schema": DIALECT, "title": f"convertkit {name}", **whole, "$defs": parts}


def _hook(kind: type) -> dict[str, Any]:
    """What msgspec has no word for is printed as text, as paths are."""
    if issubclass(kind, Path):
        return {"type": "string"}
    raise NotImplementedError(kind)
