"""``verify`` end to end against the workflow by files: photos to files, a runtime from files to files, files to AP.

Whole processes on mini for the CPU, which is built before; the same photos, and the same AP. The runtime of files is
the tests' stand-in for ais_bench, which opens the graph as ``verify`` does.
"""

from __future__ import annotations

import functools
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.commands import CONVERTKIT
from bench.record import MASKRCNN, REPOSITORY, Plan, Record, Run, by_turns, process

RUNTIME = REPOSITORY / "tests" / "ascend" / "runtimes" / "stand_in_ais_bench.py"
PEER = "preprocess, a runtime of files, postprocess"

FIGURES: tuple[tuple[str, str, Callable[[tuple[Run, float]], float], str], ...] = (
    (
        "time",
        "s",
        lambda side: side[0].seconds,
        "verify takes the intervals of its scores, which postprocess does not.",
    ),
    (
        "memory",
        "MB",
        lambda side: side[0].peak,
        "verify is one process; of the three by files the largest counts.",
    ),
    ("left on the disk", "MB", lambda side: side[1], ""),
)
"""What of a run and of what it left; the reason of a miss."""


def compared(plan: Plan) -> Iterator[Record]:
    """Time, memory, and what is left on the disk."""
    photos = 3 if plan.quick else 25
    with tempfile.TemporaryDirectory(prefix="convertkit-bench-") as place:
        room = Path(place)
        asked = [MASKRCNN, "--target", "cpu", "--json", "-q"]
        _convertkit(room, "build", *asked, "--output", room / "made")
        sides = [functools.partial(side, room, asked, photos) for side in (_stream, _files)]
        rounds = by_turns(plan.rounds(3), *sides)
    if any(_scores(ours[0]) != _scores(theirs[0]) for ours, theirs in rounds):
        raise RuntimeError("verify and the workflow by files do not find the same AP")
    name = f"verify of {photos} photos, mini on cpu, same AP"
    for what, unit, figure, why in FIGURES:
        pairs = [[figure(side) for side in sides] for sides in rounds]
        yield Record.of_pairs(f"{name}: {what}", PEER, pairs, unit=unit, why=why)


def _stream(room: Path, asked: Sequence[object], photos: int) -> tuple[Run, float]:
    before = _size(room)
    run = _convertkit(
        room, "verify", *asked, "--output", room / "made", "--runtime", "target", "--limit", photos
    )
    return run, _size(room) - before


def _files(room: Path, asked: Sequence[object], photos: int) -> tuple[Run, float]:
    before, artifact = _size(room), ["--artifact", room / "made"]
    tool = [
        "--model",
        room / "made" / "model.onnx",
        "--input",
        room / "in",
        "--output",
        room / "out",
        "--output_dirname",
        "r",
    ]
    runs = [
        _convertkit(room, "preprocess", *asked, *artifact, "--output", room / "in", "--limit", photos),
        process([sys.executable, RUNTIME, *tool]),
        _convertkit(
            room, "postprocess", *asked, *artifact, room / "out" / "r", "--inputs", room / "in", "--partial"
        ),
    ]
    written = _size(room) - before
    for name in ("in", "out"):
        shutil.rmtree(room / name)
    return Run(sum(run.seconds for run in runs), max(run.peak for run in runs), runs[-1].said), written


def _convertkit(room: Path, *words: object) -> Run:
    return process([*CONVERTKIT, *words], {"CONVERTKIT_HOME": str(room / "home")}, cwd=room)


def _size(room: Path) -> float:
    """MB in all files."""
    return sum(path.stat().st_size for path in room.rglob("*") if path.is_file()) / 1e6


def _scores(run: Run) -> object:
    found = json.loads(run.said)
    return {
        task: scores["AP"]
        for task, scores in (found["rungs"][0] if "rungs" in found else found)["scores"].items()
    }
