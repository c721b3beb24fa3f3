"""JSON schemas of what every command's ``--json`` prints, made of types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from convertkit.api.commands.bench import Batches, Benched
from convertkit.api.commands.build import Built, BuiltProfiles
from convertkit.api.commands.cache import CacheSize, Freed, Rooms
from convertkit.api.commands.compile import Compiled, CompiledProfiles
from convertkit.api.commands.datasets import Obtained
from convertkit.api.commands.detect import Seen
from convertkit.api.commands.diff import Differing
from convertkit.api.commands.environments import Environment, Removed
from convertkit.api.commands.estimate import Estimated, EstimatedProfiles
from convertkit.api.commands.explain import Explained, Plan
from convertkit.api.commands.export import Exported
from convertkit.api.commands.failures import Errors, Failed
from convertkit.api.commands.fetch import Fetched
from convertkit.api.commands.info import Listed
from convertkit.api.commands.lint import Linted
from convertkit.api.commands.optimize import Optimized
from convertkit.api.commands.plan import Planned
from convertkit.api.commands.preprocess import Preprocessed, PreprocessedProfiles
from convertkit.api.commands.ranges import Ranged
from convertkit.api.commands.replay import Replays
from convertkit.api.commands.tensors import Dumped, TensorsCompared
from convertkit.api.commands.tuned import Tuned
from convertkit.bisection.report import Bisection
from convertkit.conversion.preview import Preview
from convertkit.errors import UnknownNameError
from convertkit.exporting.state import Status
from convertkit.models.spec import ModelSpec, VariantSpec
from convertkit.offline.scoring import Finished
from convertkit.plugins.diagnosis import Diagnosis
from convertkit.reports.versions import Versions
from convertkit.verification.conclusion import Verification
from convertkit.verification.sealed import ShardRecord

DIALECT = "https://json-schema.org/draft/2020-12/schema"


Row = dict[str, str | list[str]]
"""Of a table: names of columns and what stands there."""

RESULTS: dict[str, tuple[Any, ...]] = {
    "model.yaml": (ModelSpec,),
    "variant.yaml": (VariantSpec,),
    "errors": (Errors,),
    "version": (Versions,),
    "build": (Built, BuiltProfiles, Explained, Preview),
    "verify": (Verification, ShardRecord),
    "merge": (Verification,),
    "detect": (list[Seen],),
    "bench": (Benched, Batches),
    "preprocess": (Preprocessed, PreprocessedProfiles),
    "info": (Listed,),
    "postprocess": (Finished,),
    "bisect": (Bisection,),
    "estimate": (Estimated, EstimatedProfiles),
    "ranges": (Ranged,),
    "plan": (Planned,),
    "tune": (Tuned,),
    "dump": (Dumped,),
    "compare": (TensorsCompared,),
    "opt": (Optimized, Explained, Plan),
    "lint": (Linted,),
    "diff": (Differing,),
    "export": (Exported,),
    "fetch": (Fetched, Obtained),
    "weights": (dict[str, Any],),
    "replay": (Replays,),
    "doctor": (list[Diagnosis],),
    "compile": (Compiled, CompiledProfiles),
    "list": (list[Row],),
    "show": (dict[str, Any],),
    "env list": (list[Status],),
    "env build": (Environment,),
    "env remove": (Removed,),
    "cache list": (Rooms,),
    "cache size": (CacheSize,),
    "cache prune": (Freed,),
    "new model": (dict[str, Any],),
    "new pass": (dict[str, Any],),
    "new target": (dict[str, Any],),
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
