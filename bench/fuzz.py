"""Damaged files against the command line: nothing may be a defect, take long, fill the memory or write elsewhere.

    python -m bench.fuzz --seed 1 --count 10000
    python -m bench.fuzz --seed 1 --count 5000 --first 5000
    python -m bench.fuzz --seed 1 --kind onnx --only 17

Files of every kind that the commands read (:mod:`bench.fuzz_kinds` lists them) are damaged (:mod:`bench.mutations`),
each in a directory of its own, and given to one command as a user would, guard and all, forked from a process that has
imported everything. First every kind's commands are run on whole files, and must end well.

A finding is an exit code that is no documented one (70 above all), a traceback, a line of over 2,000 letters, more than
60 s of processors (all of its processes together) or 180 s by the clock, more than 4 GB, anything changed beside the
case's directory, or a temporary file left. Each is kept with its command in ``--findings``. The exit code is 1 where
there is one. It runs from a checkout, installed or not.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import tomllib

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # no second thread where cases are forked

from bench import fuzz_scene  # noqa: E402
from bench.fuzz_kinds import KINDS  # noqa: E402
from bench.mutations import damage  # noqa: E402

SECONDS, BYTES, LETTERS = 60.0, 4e9, 2000
GIVEN_UP = 180.0
"""Seconds by the clock after which a command is killed: it waits for something, however busy the machine is."""

TOLD = 30.0
"""Seconds between two lines of progress."""

CODES = {0, 1, 2, 3, 4}
WHOLE = -1
"""Number of the case in which nothing is damaged."""


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code (negative for a signal), seconds of processors, bytes of the largest process."""

    code: int
    seconds: float
    bytes: int
    err: str

    def faults(self, codes: set[int]) -> list[str]:
        """What it must not have done."""
        longest = max(map(len, self.err.splitlines()), default=0)
        found = {
            f"exit code {self.code}": self.code not in codes,
            "a traceback": "Traceback (most recent call last)" in self.err,
            f"a line of {longest} letters": longest > LETTERS,
            f"{self.seconds:.0f} s": self.seconds > SECONDS,
            f"{self.bytes / 1e9:.1f} GB": self.bytes > BYTES,
        }
        return [fault for fault, is_so in found.items() if is_so]


def main() -> int:
    """Runs all cases on all processors and prints every finding and a summary."""
    asked = _arguments()
    kinds = [asked.kind] if asked.kind else list(KINDS)
    numbers = range(asked.first, asked.first + asked.count) if asked.only is None else [asked.only]
    cases = [(kinds[number % len(kinds)], number) for number in numbers]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as room:
        _install(Path(room))
        scene = fuzz_scene.write(Path(room) / "scene", kinds)
        import_everything()
        whole = [] if asked.only is not None else [(kind, WHOLE) for kind in kinds]
        lines = [*_all(whole, scene, Path(room), asked), *_all(cases, scene, Path(room), asked)]
    return _summary(lines, len(cases))


def _all(
    cases: list[tuple[str, int]], scene: Path, room: Path, asked: argparse.Namespace
) -> list[dict[str, Any]]:
    """Runs cases in as many processes as there shall be; each takes the next one that nobody has."""
    jobs = min(asked.jobs, len(cases))
    take, give = os.pipe()
    shards = {
        os.fork() or _shard(cases, (take, give), room / f"{job}.txt", scene, asked) for job in range(jobs)
    }
    os.close(take)
    teller = os.fork() or _give(give, len(cases))
    os.close(give)
    started = told = time.monotonic()
    while shards:
        for pid in tuple(shards):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                shards.remove(pid)
            if status:
                raise SystemExit("a process of the bench itself has died: nothing is known")
        time.sleep(0.1)
        if time.monotonic() - told > TOLD:
            told = time.monotonic()
            _tell(_lines(room, jobs), len(cases), told - started)
    os.waitpid(teller, 0)
    return _lines(room, jobs)


def _give(pipe: int, count: int) -> int:
    """A process of its own that hands out the cases' places in the list; it does not return."""
    for place in range(count):
        os.write(pipe, place.to_bytes(4, "little"))
    os._exit(0)


def _lines(room: Path, jobs: int) -> list[dict[str, Any]]:
    texts = [path.read_text() for path in (room / f"{job}.txt" for job in range(jobs)) if path.exists()]
    return [json.loads(line) for text in texts for line in text.split("\n")[:-1]]


def _tell(lines: list[dict[str, Any]], count: int, seconds: float) -> None:
    done = len({(line["kind"], line["number"]) for line in lines})
    bad = sum(bool(line["faults"]) for line in lines)
    left = (count - done) * seconds / done / 60 if done else float("nan")
    print(f"{done} of {count}, {bad} findings, {left:.0f} min left", file=sys.stderr, flush=True)


def _install(room: Path) -> None:
    """Announces the built-in plugins where nobody has installed them."""
    if entry_points(group="convertkit"):
        return
    root = Path(__file__).parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    place = room / "installed" / "convertkit_compiler-0.dist-info"
    place.mkdir(parents=True)
    (place / "METADATA").write_text("Metadata-Version: 2.1\nName: convertkit-compiler\nVersion: 0\n")
    points = project["entry-points"]["convertkit"].items()
    text = "\n".join(f"{name} = {module}" for name, module in points)
    (place / "entry_points.txt").write_text(f"[convertkit]\n{text}\n")
    paths = [
        str(path)
        for path in (
            *(root / part for part in (".", "passes", "targets/cpu", "targets/openvino", "targets/ascend")),
            place.parent,
        )
    ]
    os.environ["PYTHONPATH"] = os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")])
    sys.path[:0] = paths


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", default="0")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case, to go on with a run")
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--only", type=int, help="only the case of this number")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"))
    return parser.parse_args()


def _shard(
    cases: list[tuple[str, int]], pipe: tuple[int, int], report: Path, scene: Path, asked: argparse.Namespace
) -> int:
    """A process of its own that runs cases as long as there are any; it does not return."""
    take, give = pipe
    os.close(give)
    beside = report.with_name(f"room-{report.stem}")
    with report.open("w") as file:
        while place := os.read(take, 4):
            kind, number = cases[int.from_bytes(place, "little")]
            for line in _case(kind, number, scene, beside, asked):
                file.write(json.dumps(line) + "\n")
                file.flush()
    os._exit(0)


def _case(
    kind: str, number: int, scene: Path, beside: Path, asked: argparse.Namespace
) -> list[dict[str, Any]]:
    rng = random.Random(f"{asked.seed}/{kind}/{number}")
    here = beside / "case"
    shutil.rmtree(beside, ignore_errors=True)
    (here / "tmp").mkdir(parents=True)
    (beside / "canary").write_text("sings")
    chosen = KINDS[kind](scene, here, rng)
    commands, codes = chosen.commands, {0, 1} | chosen.fine
    if number != WHOLE:
        damage(rng.choice(chosen.victims), rng, special=chosen.special)
        commands, codes = [rng.choice(commands)], CODES
    lines: list[dict[str, Any]] = []
    for words in commands:
        before = _listing(beside)
        ended = _run(words, here)
        faults = ended.faults(codes) + [f"changed {path}" for path in _changed(before, _listing(beside))]
        faults += [f"left {path.name}" for path in (here / "tmp").iterdir()][:3]
        lines.append(
            {
                "kind": kind if number != WHOLE else f"{kind}, whole",
                "number": number,
                "code": ended.code,
                "seconds": ended.seconds,
                "bytes": ended.bytes,
                "faults": faults,
            }
        )
        if faults:
            _keep(asked.findings / f"{kind}-{asked.seed}-{number}", here, words, faults, ended.err)
    return lines


def _run(words: list[str], here: Path) -> Ended:
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        become(words, here)
    while not (found := os.wait4(child, os.WNOHANG))[0]:
        if time.monotonic() - started > GIVEN_UP:
            os.killpg(child, signal.SIGKILL)
        time.sleep(0.02)
    code = os.waitstatus_to_exitcode(found[1])
    err = (here / "stderr").read_text(errors="replace")
    used = found[2]
    return Ended(code, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, err)


def become(words: list[str], here: Path, err: str = "stderr") -> None:
    """The program, as its entry point starts it, with everything that it might litter inside of ``here``."""
    code = 99
    try:
        os.setsid()
        os.chdir(here)
        os.environ.update(
            HOME=str(here / "home"), TMPDIR=str(here / "tmp"), CONVERTKIT_HOME=str(here / "home" / "cache")
        )
        if (here / "cann").is_dir():
            os.environ["ASCEND_TOOLKIT_HOME"] = str(here / "cann")
        os.environ["CONVERTKIT_EXPORT_PYTHON"] = sys.executable  # nobody builds an environment here
        os.environ["PATH"] = f"{here / 'bin'}:{os.environ['PATH']}"
        tempfile.tempdir = None
        for descriptor, name in ((0, os.devnull), (1, "stdout"), (2, err)):
            os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC), descriptor)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        from convertkit.cli.app import main

        sys.argv = ["convertkit", *words]
        code = main()
        sys.stdout.flush()
        sys.stderr.flush()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 98
    finally:
        os._exit(code)


def import_everything() -> None:
    """What any command would import, once for all of them; else that is half of their time."""
    import convertkit_ascend
    import convertkit_cpu
    import convertkit_openvino
    import convertkit_passes
    import cv2
    import numpy.random
    import pydantic.type_adapter  # typer does, when it parses

    import convertkit

    cv2.setNumThreads(0)
    assert numpy.random and pydantic.type_adapter
    for package in (convertkit, convertkit_passes, convertkit_cpu, convertkit_openvino, convertkit_ascend):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(("__main__", "child")):
                importlib.import_module(module.name)


def _listing(beside: Path) -> dict[str, tuple[int, int]]:
    """Everything beside the case's own directory, and in the one where a path like ``../../x`` leads."""
    found = {}
    for root in (beside, beside.parent):
        for path in root.iterdir():
            if path.name != "case" and not path.name.startswith("room-") and path.suffix != ".txt":
                status = path.lstat()
                found[str(path)] = (status.st_size, status.st_mtime_ns)
    return found


def _changed(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> list[str]:
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def _ignored(place: str, names: list[str]) -> set[str]:
    """Of what is kept of a finding: special files, large ones, and what no command was given."""
    paths = [Path(place) / name for name in names]
    usual = {path.name for path in paths if path.is_symlink() or path.is_dir() or _is_small(path)}
    return {
        name for name in names if name not in usual or name in ("tmp", "detector", "mini.pth", "mini.onnx")
    }


def _is_small(path: Path) -> bool:
    return path.is_file() and path.stat().st_size < 1 << 26


def _keep(place: Path, here: Path, words: list[str], faults: list[str], err: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        shutil.copytree(here, place, symlinks=True, ignore=_ignored)
    with (place / "finding.txt").open("a") as file:
        file.write(f"convertkit {' '.join(words)}\n{', '.join(faults)}\n{err[-1500:]}\n")
    print(f"{place}: convertkit {' '.join(words)}: {', '.join(faults)}: {err.strip()[-200:]}", flush=True)


def _summary(lines: list[dict[str, Any]], cases: int) -> int:
    for kind in sorted({line["kind"] for line in lines}):
        own = [line for line in lines if line["kind"] == kind]
        codes = Counter(line["code"] for line in own)
        text = ", ".join(f"{count} x exit {code}" for code, count in sorted(codes.items()))
        print(f"{kind:<18} {sum(line['seconds'] for line in own) / len(own):5.2f} s each: {text}")
    seconds = max((line["seconds"] for line in lines), default=0.0)
    most = max((line["bytes"] for line in lines), default=0.0)
    bad = sum(bool(line["faults"]) for line in lines)
    print(
        f"{cases} damaged files, {len(lines)} commands: {bad} findings; at most {seconds:.1f} s and {most / 1e9:.2f} GB"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
