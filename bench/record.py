"""What a benchmark finds, and how two sides are measured by turns."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

REPOSITORY = Path(__file__).parents[1]
MASKRCNN = REPOSITORY / "models" / "maskrcnn"


@dataclass(frozen=True)
class Plan:
    """How much is measured: ``quick`` is to see that all of it runs."""

    quick: bool = False
    data: Path = REPOSITORY.parent / "shared" / "data"

    def rounds(self, many: int) -> int:
        """How many count, of as many where there is time."""
        return 1 if self.quick else many


@dataclass(frozen=True)
class Record:
    """A row of the page. Figures are medians over ``runs``, the ratio is the median of the pairs' own.

    Args:
        name: of what was measured.
        peer: what it is measured against; empty where nothing is.
        unit: of both figures.
        ours: None where it was not measured; ``why`` says the reason.
        theirs: None where there is no peer.
        ratio: ours by theirs.
        goal: a bound of the ratio, or of ``ours``, as ``of`` says; None where nobody set one.
        at_least: the goal is the smallest that will do; else the largest.
        runs: pairs that count.
        why: a miss is explained by it, or that nothing was measured.
    """

    name: str
    peer: str = ""
    unit: str = "s"
    ours: float | None = None
    theirs: float | None = None
    ratio: float | None = None
    goal: float | None = None
    of: Literal["ratio", "ours"] = "ratio"
    at_least: bool = False
    runs: int = 0
    why: str = ""

    @classmethod
    def of_pairs(cls, name: str, peer: str, pairs: Sequence[Sequence[float]], **more: Any) -> Record:
        """Of pairs of our figure and theirs; the goal is that ours is not larger, where ``more`` says nothing else."""
        ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(one / other for one, other in pairs)
        return cls(
            name, peer, **{"goal": 1.0, **more}, ours=ours, theirs=theirs, ratio=ratio, runs=len(pairs)
        )

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is no goal, or no figure."""
        figure = getattr(self, self.of)
        if figure is None or self.goal is None:
            return None
        return bool(figure >= self.goal if self.at_least else figure <= self.goal)


def absent(name: str, peer: str, module: str, pip: str = "") -> Record | None:
    """A row that says how the peer is installed, where its module is not there."""
    if importlib.util.find_spec(module) is not None:
        return None
    return Record(name, peer, why=f"not installed: pip install {pip or module}")


def by_turns(rounds: int, *sides: Callable[[], Any], warm: bool = True) -> list[list[Any]]:
    """What every side said, a list for each round; every second round goes the other way round.

    Args:
        warm: run each once before, which does not count.
    """
    if warm:
        for side in sides:
            side()
    found = []
    for number in range(rounds):
        places = range(len(sides))
        said = {place: sides[place]() for place in (reversed(places) if number % 2 else places)}
        found.append([said[place] for place in places])
    return found


def seconds(work: Callable[[], object], times: int = 1) -> Callable[[], float]:
    """Runs it so many times and gives what one took, by the clock."""

    def timed() -> float:
        start = time.perf_counter()
        for _ in range(times):
            work()
        return (time.perf_counter() - start) / times

    return timed


@dataclass(frozen=True)
class Run:
    """One process and all it started: seconds, the most memory that they held at one time (MB), standard output."""

    seconds: float
    peak: float
    said: str


def process(words: Sequence[object], env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Run:
    """A process from start to end.

    Raises:
        RuntimeError: it failed; the message has its last words.
    """
    start = time.perf_counter()
    with subprocess.Popen(
        [str(word) for word in words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
        cwd=cwd,
    ) as child:
        with watched(child.pid) as peak:
            said, errors = child.communicate()
        took = time.perf_counter() - start
    if child.returncode:
        raise RuntimeError(
            f"{' '.join(map(str, words[:4]))} ...: {child.returncode}: {errors.strip()[-300:]}"
        )
    return Run(took, peak[0] / 1e6, said)


@contextlib.contextmanager
def watched(pid: int) -> Iterator[list[int]]:
    """The largest sum of resident bytes of a process and its descendants (Linux), looked at 50 times a second."""
    peak, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            peak[0] = max(peak[0], _resident(pid))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()


def _resident(pid: int) -> int:
    total = 0
    with contextlib.suppress(OSError):
        total = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        for task in Path(f"/proc/{pid}/task").iterdir():
            children = (task / "children").read_text().split()
            total += sum(_resident(int(child)) for child in children)
    return total
