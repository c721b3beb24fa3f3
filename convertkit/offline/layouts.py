"""Where the runtimes leave their files and how they call them, as their sources say (read, never run).

========================================================  ==================================================
ais_infer (Ascend/tools 256ed1fe: frontend/)              TIME/sample_id_<n>_output_<i>; n is in TIME/sumary.json
ais_infer, ais_bench (Ascend/tools 4ce01e33, 9d6da90f)    TIME/<stem>_<i>; of several devices TIME/device<N>/...
ais_bench (ait, msit: benchmark_process.py)               TIME/device<N>_<index>/..., a TIME for every device
msame (Ascend/tools 0da4d5b8: sample_process.cpp)         TIME/<stem>_output_<i>
========================================================  ==================================================

TIME is ``2023_09_27-11_22_33``, or ``20230927_112233`` of msame; ``--output_dirname NAME`` puts NAME in its place.
Without ``--input`` the stem is ``pure_infer_data``. ``ais_bench --pipeline`` (ait: pipeline.cpp) puts the name of the
output in the place of <i>: such files are told, not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path, PurePath

import msgspec
from msgspec import Struct

from convertkit.errors import UsageError
from convertkit.offline.photos import stem_of
from convertkit.storage.reading import read_file

RESULT = re.compile(r"(?P<stem>.+)_(?P<index>0|[1-9][0-9]{0,3})\.(?:bin|npy|txt)")
_RUN = re.compile(r"\d{4}_\d{2}_\d{2}-\d{2}_\d{2}_\d{2}|\d{8}_\d{6}")
_DEVICE = re.compile(r"device\d+(?:_\d+)?")
_NOTHING = re.compile(r"pure_infer_data(?:_zero|_random)?")
"""The stem of what was computed from no photo."""

TEXT = "text results lose digits and are not read; run again for BIN or NPY"


class _Sample(Struct, frozen=True):
    infiles: list[str]


class _Summary(Struct, frozen=True):
    filesinfo: dict[str, _Sample] = {}


def runs_below(directory: Path) -> tuple[Path, ...]:
    """The directory itself if there are results in it or of devices in it, else those of the runs in it.

    Raises:
        UsageError: several places of results that are not all called by a time.
    """
    others = (path for path in _directories(directory) if not _DEVICE.fullmatch(path.name))
    found = [path for path in others if places_of(path)]
    own = (directory,) if places_of(directory) else ()
    if own and found:
        raise UsageError(
            f"{directory}: there are results in it and in {found[0].name}",
            hint="move one of them away, or give the other's directory",
        )
    if len(found) > 1 and not all(_RUN.fullmatch(path.name) for path in found):
        raise UsageError(
            f"{directory}: there are results in {' and in '.join(path.name for path in found[:3])}",
            hint="give the directory of one of them",
        )
    return own or tuple(found)


def places_of(run: Path) -> tuple[Path, ...]:
    """The directories of one run that hold result files: its own, and those of its devices."""
    devices = (path for path in _directories(run) if _DEVICE.fullmatch(path.name))
    return tuple(place for place in (run, *devices) if any(map(_is_result, place.iterdir())))


def naming(place: Path, stems: Collection[str]) -> Callable[[str], str | None]:
    """Which photo the stem of a result file in ``place`` stands for; None where it is none of ``stems``."""
    samples: dict[str, str] = {}

    def photo_of(stem: str) -> str | None:
        if stem in stems:
            return stem
        plain = stem.removesuffix("_output")
        if plain == stem or plain in stems:
            return plain if plain in stems else None
        if not samples:
            samples.update(_samples(place / "sumary.json"))
        return found if (found := samples.get(plain)) in stems else None

    return photo_of


def is_nothing(stem: str) -> bool:
    """Whether a result is that of made-up inputs."""
    return _NOTHING.fullmatch(stem) is not None


def why_none(directory: Path, stems: Collection[str]) -> str:
    """What a directory without results may hold instead, and what to do."""
    names = [path.name for pattern in ("*_*", "*/*_*", "*/*/*_*") for path in directory.glob(pattern)]
    files = [name for name in names if name.endswith((".bin", ".npy"))]
    if any(found["stem"].removesuffix("_output") in stems for found in map(RESULT.fullmatch, names) if found):
        return TEXT
    if any(name[: found.start()] in stems for name in files for found in re.finditer("_", name)):
        return "files are called by names of outputs, not by numbers: run ais_bench without --pipeline"
    if any(name.startswith("pure_infer_data") for name in files):
        return "only what was computed from made-up inputs: run ais_bench with --input"
    return "results are called STEM_0.bin, STEM_1.bin, ... (or .npy)"


def _is_result(path: Path) -> bool:
    match = RESULT.fullmatch(path.name)
    return match is not None and path.suffix != ".txt" and not is_nothing(match["stem"])


def _directories(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.is_dir())


def _samples(path: Path) -> dict[str, str]:
    """``sample_id_<n>`` to the photo it was; empty where nothing says so."""
    try:
        found = msgspec.json.decode(read_file(path), type=_Summary).filesinfo
    except (UsageError, UnicodeDecodeError, RecursionError, msgspec.MsgspecError):
        return {}
    return {
        f"sample_id_{number}": stem_of(PurePath(sample.infiles[0]).name)
        for number, sample in found.items()
        if sample.infiles
    }
