"""What commands print with ``--json`` that put their answer together, as types."""

from __future__ import annotations

from typing_extensions import TypedDict

from convertkit.cli.failures import Failure
from convertkit.conversion.manifest import Manifest
from convertkit.conversion.pruning import Room
from convertkit.conversion.replay import Finding as Replayed
from convertkit.difference.compare import Difference
from convertkit.estimation.roofline import Estimate
from convertkit.models.spec import PerformanceSpec
from convertkit.passes.finding import Finding
from convertkit.passes.history import PassRecord
from convertkit.speed.measure import EndToEnd, Repeated
from convertkit.targets.lint import LintFinding
from convertkit.targets.machine import Machine


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


class BuiltProfiles(TypedDict):
    """A variant's profiles: one artifact each, in directories of their own."""

    directory: str
    profiles: list[Built]


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


class EstimatedProfile(TypedDict):
    """``profile``: height and width."""

    profile: str
    estimate: Estimate


class EstimatedProfiles(TypedDict):
    """The same for each profile."""

    profiles: list[EstimatedProfile]
    machine: Machine


class Benched(TypedDict):
    """Milliseconds; ``spec``: the figures that the package knows."""

    runtime: str
    repeated: Repeated
    end_to_end: EndToEnd | None
    spec: PerformanceSpec | None


class BatchRow(TypedDict):
    """``roofline``: seconds of a run at least; ``profile``: height and width, empty where a variant has one size."""

    profile: str
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


class PreprocessedProfiles(TypedDict):
    """The same for each profile."""

    directory: str
    profiles: list[Preprocessed]


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


class CompiledProfiles(TypedDict):
    """The same for each profile."""

    directory: str
    profiles: list[Compiled]


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
