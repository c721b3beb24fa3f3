"""What commands print with ``--json`` that put their answer together, as types."""

from __future__ import annotations

from typing_extensions import TypedDict

from convertkit.cli.failures import Failure
from convertkit.conversion.manifest import Manifest
from convertkit.conversion.pruning import Room
from convertkit.conversion.replay import Finding as Replayed
from convertkit.models.spec import PerformanceSpec
from convertkit.speed.measure import EndToEnd, Repeated


class Errors(TypedDict):
    """What any command prints that fails before it has a result."""

    error: Failure


class Failed(TypedDict):
    """One of several files, which failed."""

    file: str
    error: Failure


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
