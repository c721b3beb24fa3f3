"""Commands killed at random, half of them aimed at a write: after the next run nothing is left and nothing is lost.

    python -m bench.kills --seed 1 --count 300
    python -m bench.kills --seed 1 --only 17
    python -m bench.kills --seed 1 --count 100 --full

Every command that writes (:mod:`bench.kills_scene`) runs as a user starts it, guard and all, and is ended at a random
moment, before or after a random one of its operations on files (:mod:`bench.kills_hook`), or in the midst of a file:
the process alone, its guard or the whole group, by SIGKILL, SIGTERM, SIGINT or SIGHUP, some beside a second run of the
same command. Then the same command runs unharmed. A finding is: a process that goes on; a file under a final name that
is neither the old nor the new one; after the next run an exit code other than that of a run that was never harmed,
another file, one that is missing, or one that is left (``TMPDIR`` and the home included).

With ``--full`` nothing is killed, but a disk has no more room from a random moment on: the exit code is 0, 3 (refused
before the work) or 4, one line names the place, and nothing is left but a download that the next run goes on with. The
exit code is 1 where there is a finding.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import mmap
import os
import random
import shutil
import signal
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # no second thread where cases are forked

from bench import fuzz, kills_hook, kills_scene  # noqa: E402
from bench.kills_hook import Aim  # noqa: E402
from bench.kills_scene import DEEDS, Deed, Listing  # noqa: E402

UNAVAILABLE, FAILED, DEFECT = 3, 4, 70
"""Exit codes: refused before the work, as by a disk that is seen to be too small; a step failed; a defect."""

KEPT = ".pth.part"
"""The end of a download's name that is kept on purpose: the next run goes on with it."""

NAMING = ("cannot be written", "are free", "TMPDIR", "/home/", "/tmp/", ": No space left on device")
"""What a line says that names the place which is full; the last stands behind the file's own name."""

LINES = 4096
"""Bytes that a file has room for on a full disk: what is printed goes to files, too."""

GIVEN_UP = 120.0
"""Seconds by the clock after which a run is killed and counts as hanging."""

SHOWN = 6
"""Faults of a case that are printed."""

GONE = 10.0
"""Seconds that what a killed command had started gets to go as well."""

SIGNALS = (*4 * (signal.SIGKILL,), signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
UNFINISHED = (".convertkit-tmp", ".lock", ".pth.part", ".convertkit-next")
"""What the name of a file, or of a directory that it is in, shows to be no result."""


@dataclass(frozen=True)
class Ended:
    """How a run ended: exit code (negative for a signal), seconds, how many operations on files there were and which
    was aimed at, standard error."""

    code: int
    seconds: float
    operations: int
    hit: str
    err: str


@dataclass(frozen=True)
class Known:
    """What an unharmed run does: what was there before and is there after it, seconds, operations, largest file."""

    before: Listing
    after: Listing
    ended: Ended
    largest: int


def main() -> int:
    """Runs all cases on all processors and prints every finding and a summary."""
    asked = _arguments()
    kinds = asked.kind.split(",") if asked.kind else list(DEEDS)
    numbers = [asked.only] if asked.only is not None else list(range(asked.count))
    cases = [(kinds[number % len(kinds)], number) for number in numbers]
    with tempfile.TemporaryDirectory(prefix="kills-") as room:
        scene = Path(room) / "scene"
        os.environ.update(
            CONVERTKIT_HOME=str(scene / "home" / "cache"), PATH=f"{scene / 'bin'}:{os.environ['PATH']}"
        )
        kills_scene.write(scene)
        fuzz.import_everything()
        jobs = min(asked.jobs, len(cases))
        # Each shard has all cases of its kinds: an unharmed run of a kind serves them all.
        mine = [[case for case in cases if kinds.index(case[0]) % jobs == job] for job in range(jobs)]
        shards = [os.fork() or _shard(mine[job], scene, Path(room), job, asked) for job in range(jobs)]
        for pid in shards:
            if status := os.waitpid(pid, 0)[1]:
                print(f"a shard ended with status {status}")
        lines = [line for job in range(jobs) for line in (Path(room) / f"{job}.txt").read_text().splitlines()]
    return _summary([json.loads(line) for line in lines], len(cases))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", default="0")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--kind", help=f"of {', '.join(DEEDS)}; several with commas")
    parser.add_argument("--only", type=int, help="only the case of this number")
    parser.add_argument("--full", action="store_true", help="full disks instead of kills")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    return parser.parse_args()


def _shard(cases: list[tuple[str, int]], scene: Path, room: Path, job: int, asked: argparse.Namespace) -> int:
    """A process of its own that runs its share of the cases; it does not return."""
    work = _Shard(scene, room / f"room-{job}" / "case", asked)
    try:
        with (room / f"{job}.txt").open("w") as report:
            for kind, number in cases:
                report.write(json.dumps(work.case(kind, number)) + "\n")
                report.flush()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


class _Shard:
    """Cases one after the other, all in the same place: paths are part of what is written."""

    def __init__(self, scene: Path, here: Path, asked: argparse.Namespace) -> None:
        self.scene, self.here, self.asked = scene, here, asked
        self.known: dict[tuple[str, bool], Known] = {}

    def case(self, kind: str, number: int) -> dict[str, object]:
        rng = random.Random(f"{self.asked.seed}/{kind}/{number}")
        deed, warm = DEEDS[kind], rng.random() < 0.3
        known = self.known.get((kind, warm)) or self._unharmed(kind, deed, warm=warm)
        self._lay_out(deed, warm=warm)
        attack = _full if self.asked.full else _kill
        how, faults = attack(deed, self.here, known, rng)
        faults += _after(deed, self.here, known)
        if faults:
            command = f"convertkit {' '.join(deed.words)}"
            print(f"{kind} {number}: {command}: {how}: {'; '.join(faults[:SHOWN])}", flush=True)
        return {"kind": kind, "how": how.split(",")[0], "faults": faults}

    def _unharmed(self, kind: str, deed: Deed, *, warm: bool) -> Known:
        self._lay_out(deed, warm=warm)
        before = Listing.of(self.here)
        ended = _run(deed, self.here, Aim())
        if ended.code != deed.code:
            raise RuntimeError(f"{kind}: an unharmed run ends with {ended.code}: {ended.err}")
        largest = max((path.stat().st_size for path in self.here.rglob("*") if path.is_file()), default=1)
        known = Known(before, Listing.of(self.here), ended, largest)
        self.known[kind, warm] = known
        return known

    def _lay_out(self, deed: Deed, *, warm: bool) -> None:
        shutil.rmtree(self.here, ignore_errors=True)
        kills_scene.place(self.scene, self.here, deed, warm=warm)


def _kill(deed: Deed, here: Path, known: Known, rng: random.Random) -> tuple[str, list[str]]:
    """Runs the command, ends it, and says how, and what was wrong with what it left."""
    who, number = rng.choice(("worker", "guard", "group")), rng.choice(SIGNALS)
    aim, way, later = (
        Aim(who=who, signal=number),
        rng.choice(("moment", "moment", "before", "after", "within")),
        None,
    )
    operations = known.ended.operations
    if way == "moment" or not operations:
        way, later = "moment", rng.uniform(0, known.ended.seconds)
    elif way == "within":
        aim = replace(aim, bytes=rng.randint(1, known.largest))
    else:
        aim = replace(aim, at=rng.randint(1, operations), after=way == "after")
    twin = _start(deed, here, Aim(), mmap.mmap(-1, mmap.PAGESIZE), "twin") if rng.random() < 0.15 else None
    ended = _run(deed, here, aim, later)
    faults = _still_there(here, spare=twin)
    if "Traceback" in ended.err or ended.code == DEFECT:
        faults.append(f"exit code {ended.code}: {ended.err.strip()[-200:]}")
    if twin is None:
        faults += _broken(here, known)
    else:
        faults += _twin(twin, deed, here)
    beside = " beside another" if twin else ""
    signs = (
        f"{signal.Signals(number).name} to the {who}"
        if way != "within"
        else f"at {aim.bytes} bytes of a file"
    )
    where = f"{way} {aim.at}/{operations} {ended.hit}" if aim.at else way
    moment = "" if later is None else f" {later:.2f} s"
    return f"{way}{beside}, {signs}, {where}{moment}, exit {ended.code}", faults


def _full(deed: Deed, here: Path, known: Known, rng: random.Random) -> tuple[str, list[str]]:
    """Runs the command on a disk that has no more room; says from where on, and what was wrong then."""
    place, most = rng.choice((here / "tmp", here / "home", here)), known.ended.operations
    if rng.random() < 0.3:
        aim = Aim(full=here, bytes=rng.randint(LINES, max(LINES, known.largest)))
    else:
        aim = Aim(full=place, at=rng.randint(1, most or 1))
    ended = _run(deed, here, aim)
    errors = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    faults = _still_there(here) + _broken(here, known) + _left(here)
    refused = ended.code in (UNAVAILABLE, FAILED)
    if not refused and ended.code != deed.code:
        faults.append(f"exit code {ended.code}")
    if "Traceback" in ended.err or (refused and len(errors) != 1):
        faults.append(f"{len(errors)} lines of error")
    if refused and not any(word in "".join(errors) for word in NAMING):
        faults.append("the line names no place")
    said = f": {errors[-1]}" if errors and faults else ""
    where = f"from {ended.hit}" if aim.at else f"beyond {aim.bytes} bytes"
    return f"full {place.name if aim.at else 'file'}, {where}, exit {ended.code}{said}", faults


def _after(deed: Deed, here: Path, known: Known) -> list[str]:
    """The next run, and what is wrong then."""
    ended = _run(deed, here, Aim())
    faults = _still_there(here)
    if ended.code != deed.code:
        faults.append(f"the next run ends with {ended.code}: {ended.err.strip()[-300:]}")
    found, wanted = Listing.of(here).files, known.after.files
    # What is kept of a failure has a time in its name, and stays.
    rooms = {"home/cache", "home/cache/failures"}
    left = [path for path in found.keys() - wanted.keys() - rooms if "/failures/" not in path]
    faults += [f"left {path}" for path in sorted(left)]
    faults += [f"lost {path}" for path in sorted(wanted.keys() - found.keys())]
    faults += [
        f"other {path}" for path in sorted(wanted.keys() & found.keys()) if found[path] != wanted[path]
    ]
    return faults


def _broken(here: Path, known: Known) -> list[str]:
    """Files under a final name that are neither what they were nor what they become."""
    before, after, found = known.before.files, known.after.files, Listing.of(here).files
    faults = []
    for path, digest in found.items():
        unfinished = (
            any(word in path for word in UNFINISHED) or "/failures" in path or path.startswith("tmp/")
        )
        if not unfinished and digest not in (before.get(path), after.get(path), "there"):
            faults.append(f"broken {path}")
    faults += [f"gone {path}" for path in before if path in after and path not in found]
    return faults


def _left(here: Path) -> list[str]:
    left = [path for path in Listing.of(here).files if any(word in path for word in UNFINISHED)]
    return [f"left at once {path}" for path in left if not path.endswith(KEPT)]


def _twin(pid: int, deed: Deed, here: Path) -> list[str]:
    """The run beside the killed one is not harmed."""
    code, err = _wait(pid), (here / "twin").read_text(errors="replace")
    (here / "twin").unlink()
    return [] if code == deed.code else [f"the run beside it ends with {code}: {err.strip()[-300:]}"]


def _still_there(here: Path, spare: int | None = None) -> list[str]:
    """Processes that still work in the case's directory when all that was killed should be gone; they are ended."""
    deadline = time.monotonic() + GONE
    while (found := _processes(here, spare)) and time.monotonic() < deadline:
        time.sleep(0.02)
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return [f"{len(found)} processes go on"] if found else []


def _processes(here: Path, spare: int | None) -> list[int]:
    from convertkit.children.supervisor import descendants

    spared = {spare, *(descendants(spare) if spare else ())}
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            inside = (entry / "cwd").readlink().is_relative_to(here)  # a zombie has none
            if inside and int(entry.name) not in spared:
                found.append(int(entry.name))
    return found


def _run(deed: Deed, here: Path, aim: Aim, later: float | None = None) -> Ended:
    """Runs the command to its end; after ``later`` seconds it gets the signal from outside."""
    started, told, err = time.monotonic(), mmap.mmap(-1, mmap.PAGESIZE), here / "stderr"
    err.unlink(missing_ok=True)
    code = _wait(_start(deed, here, aim, told), later, aim)
    text = err.read_text(errors="replace") if err.exists() else ""
    return Ended(code, time.monotonic() - started, *kills_hook.read(told), text)


def _start(deed: Deed, here: Path, aim: Aim, told: mmap.mmap, err: str = "stderr") -> int:
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os.environ["PATH"] = f"{here / 'bin'}:{os.environ['PATH']}"
            if deed.little:
                from convertkit.graph import io

                io.MAX_PROTO = kills_scene.LITTLE
            os.chdir(here)
            kills_hook.install(here, aim, told)
            fuzz.become(list(deed.words), here, err)
        os._exit(97)
    return child


def _wait(pid: int, later: float | None = None, aim: Aim | None = None) -> int:
    """The exit code; a run that hangs is killed."""
    started, sent = time.monotonic(), later is None
    while not (found := os.waitpid(pid, os.WNOHANG))[0]:
        passed = time.monotonic() - started
        if not sent and later is not None and passed >= later and aim is not None:
            sent = True
            _send(pid, aim)
        if passed > GIVEN_UP:
            os.killpg(pid, signal.SIGKILL)
        time.sleep(0.005)
    return os.waitstatus_to_exitcode(found[1])


def _send(pid: int, aim: Aim) -> None:
    """To the command as its parent knows it, to the process below that, or to both."""
    from convertkit.children.supervisor import descendants

    with contextlib.suppress(ProcessLookupError, PermissionError):
        if aim.who == "group":
            os.killpg(pid, aim.signal)
        else:
            below = descendants(pid)[:1] if aim.who == "worker" else []
            os.kill(below[0] if below else pid, aim.signal)


def _summary(lines: list[dict[str, object]], cases: int) -> int:
    bad = sum(bool(line["faults"]) for line in lines)
    for key in ("kind", "how"):
        total = Counter(str(line[key]) for line in lines)
        wrong = Counter(str(line[key]) for line in lines if line["faults"])
        for name, count in sorted(total.items()):
            print(f"{name:<24} {count:>4}" + (f"   {wrong[name]} findings" if wrong[name] else ""))
        print()
    print(f"{cases} cases, {len(lines)} run: {bad} findings")
    return 1 if bad or len(lines) < cases else 0


if __name__ == "__main__":
    raise SystemExit(main())
