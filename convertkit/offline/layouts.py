"""Where runs left their results: in one directory, or in several where a target's tool calls them so."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import cache
from pathlib import Path

from convertkit.errors import UsageError
from convertkit.offline.photos import stem_of
from convertkit.targets.file_tool import FileTool

Tools = Sequence[FileTool]
"""Any of them may have left what is there; none: the plain form only."""

_RESULT = re.compile(r"(?P<stem>.+)_(?P<index>0|[1-9][0-9]{0,3})\.(?:bin|npy|txt)")
TEXT = "text results lose digits and are not read; run again for BIN or NPY"


def runs_below(directory: Path, tools: Tools) -> tuple[Path, ...]:
    """The directory itself if there are results in it or of devices in it, else those of the runs in it.

    Raises:
        UsageError: several places of results that are not all called as a tool calls its runs.
    """
    others = (path for path in _directories(directory) if not _is_device(path, tools))
    found = [path for path in others if places_of(path, tools)]
    own = (directory,) if places_of(directory, tools) else ()
    if own and found:
        raise UsageError(
            f"{directory}: there are results in it and in {found[0].name}",
            hint="move one of them away, or give the other's directory",
        )
    if len(found) > 1 and not any(all(tool.run.fullmatch(path.name) for path in found) for tool in tools):
        raise UsageError(
            f"{directory}: there are results in {' and in '.join(path.name for path in found[:3])}",
            hint="give the directory of one of them",
        )
    return own or tuple(found)


def places_of(run: Path, tools: Tools) -> tuple[Path, ...]:
    """The directories of one run that hold result files: its own, and those of its devices."""
    devices = (path for path in _directories(run) if _is_device(path, tools))
    return tuple(
        place for place in (run, *devices) if any(_is_result(path, tools) for path in place.iterdir())
    )


def naming(place: Path, stems: Collection[str], tools: Tools) -> Callable[[str], str | None]:
    """Which photo the stem of a result file in ``place`` stands for; None where it is none of ``stems``."""
    listed = {stem: stem_of(name) for tool in tools for stem, name in tool.listed(place).items()}

    def photo_of(stem: str) -> str | None:
        candidates = (stem, *(stem.removesuffix(tool.ending) for tool in tools), listed.get(stem))
        return next((found for found in candidates if found in stems), None)

    return photo_of


def result_of(path: Path, tools: Tools) -> tuple[str, int] | None:
    """Stem and index of the output of a result file; None where it is none, or of made-up inputs."""
    match = _RESULT.fullmatch(path.name)
    if match is None or any(tool.made_up.fullmatch(match["stem"]) for tool in tools):
        return None
    return match["stem"], int(match["index"])


def why_none(directory: Path, stems: Collection[str], tools: Tools) -> str:
    """What a directory without results may hold instead, and what to do."""
    paths = [path for pattern in ("*_*", "*/*_*", "*/*/*_*") for path in directory.glob(pattern)]
    photo_of = cache(lambda place: naming(place, stems, tools))
    texts = ((path, result_of(path, tools)) for path in paths if path.suffix == ".txt")
    if any(found and photo_of(path.parent)(found[0]) for path, found in texts):
        return TEXT
    names = [path.name for path in paths if path.suffix in (".bin", ".npy")]
    remedies = (tool.remedy(names, stems) for tool in tools)
    return next(filter(None, remedies), "results are called STEM_0.bin, STEM_1.bin, ... (or .npy)")


def _is_device(path: Path, tools: Tools) -> bool:
    return any(tool.device.fullmatch(path.name) for tool in tools)


def _is_result(path: Path, tools: Tools) -> bool:
    return path.suffix != ".txt" and result_of(path, tools) is not None


def _directories(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.is_dir())
