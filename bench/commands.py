"""What commands take as whole processes: ``--help``, and a build in an empty home, without checks and again."""

from __future__ import annotations

import functools
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.record import MASKRCNN, Plan, Record, absent, by_turns, process

CONVERTKIT = (sys.executable, "-m", "convertkit")


def start(plan: Plan) -> Iterator[Record]:
    """``--help`` beside that of a peer, and its imports beside an interpreter that does nothing."""
    name, peer = "convertkit --help", "onnxsim --help"
    sides = [
        functools.partial(process, words)
        for words in ([*CONVERTKIT, "--help"], [sys.executable, "-m", "onnxsim", "--help"])
    ]
    if (missing := absent(name, peer, "onnxsim")) is not None:
        yield missing
        return
    rounds = by_turns(plan.rounds(9), *sides)
    yield Record.of_pairs(name, peer, [[run.seconds for run in runs] for runs in rounds])


def builds(plan: Plan) -> Iterator[Record]:
    """Of mini for the CPU, a new home for each build but the last, which has nothing to do."""
    rounds = by_turns(plan.rounds(3), _builds, warm=False)
    found = [times for (times,) in rounds]
    why = "Most of a first build is what it is checked by: the graph before and after each pass, run on two photos."
    yield Record.of_pairs(
        "build of mini, checked",
        "the same with --no-check",
        [(cold, bare) for bare, cold, _ in found],
        goal=None,
        why=why,
    )
    yield Record.of_pairs(
        "build of mini, again", "the first", [(again, cold) for _, cold, again in found], goal=None
    )


def _builds() -> tuple[float, float, float]:
    """Seconds without checks, with them, and again."""
    with tempfile.TemporaryDirectory(prefix="convertkit-bench-") as room:

        def build(home: str, *more: str) -> float:
            words = [
                *CONVERTKIT,
                "build",
                MASKRCNN,
                "--target",
                "cpu",
                "--output",
                Path(room, home, "made"),
                "-q",
            ]
            return process([*words, *more], {"CONVERTKIT_HOME": f"{room}/{home}"}).seconds

        return build("bare", "--no-check"), build("home"), build("home")
