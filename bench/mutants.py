"""Faults put into the modules that judge, one at a time: how many do the tests find?

    python -m bench.mutants --seed 1 --each 40        # 40 of each group, drawn by the seed
    python -m bench.mutants --group compare           # every fault of one group
    python -m bench.mutants --only convertkit/detection/compare.py:120
    python -m bench.mutants --group roi --tests tests/passes/heads/roi; python -m bench.mutants --again survivors.json

A group is some modules and the tests about them (``GROUPS``). Each fault (:mod:`bench.mutant_edits`) is written into
a copy of the sources; the group's tests that reach its line, quickest first, run there in a process of their own, up
to the first that fails (:mod:`bench.mutant_runs`). A fault that no test finds *survives*; those that cannot be found,
because the code does the same with them, stand in ``equivalent_mutants.txt`` with the reason, and are not counted.
The exit code is 1 where a group has less than 90 %.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from bench.mutant_edits import Edit, edits
from bench.mutant_runs import FRESH, SURVIVED, Chosen, Judge, Reached, forked

HERE = Path(__file__).parents[1]
ASCEND = "targets/ascend/convertkit_ascend"
HEADS = "passes/convertkit_passes/heads"
GROUPS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "check": (("convertkit/passes/check.py",), ("tests/passes/test_check_steps.py", "tests/passes/test_check_limits.py",
                                                "tests/passes/test_resolution.py", "tests/passes/test_check_sets.py",
                                                "tests/passes/test_unchecked.py", "tests/passes/test_pipeline.py",
                                                "tests/bisection/test_attempt.py")),
    "compare": (("convertkit/detection/compare.py",), ("tests/detection/test_compare_limits.py",
                                                       "tests/detection/test_compare.py",
                                                       "tests/passes/test_check_limits.py")),
    "judge": (("convertkit/verification/judge.py",), ("tests/verification/test_judge.py",)),
    "heads": (("convertkit/heads/**/*.py",), ("tests/heads", "tests/ascend/test_nms.py",
                                              "tests/ascend/test_roi_extractor.py", "tests/ascend/test_schemas.py",
                                              "tests/ascend/twin")),
    "roi": ((f"{HEADS}/*.py", f"{HEADS}/roi/*.py"), ("tests/passes/heads/roi", *(
        f"tests/passes/heads/test_{name}.py" for name in ("fuse_multilevel_roialign", "restore_rpn_levels",
                                                          "clip_to_picture", "sizes")))),
    "nms": ((f"{HEADS}/nms/**/*.py",), ("tests/passes/heads/nms", *(
        f"tests/passes/heads/test_{name}.py" for name in ("fuse_multiclass_nms", "absorb_score_filters",
                                                          "drop_offset_rounding", "forms_carried", "forms_scaled",
                                                          "forms_casts", "forms_sizes")))),
    "centring": ((f"{ASCEND}/passes/centring.py",), ("tests/ascend/passes/test_center_nms_boxes.py",)),
    "ops": ((f"{ASCEND}/ops/*.py",), ("tests/ascend/test_vendor_limits.py", "tests/ascend/test_schemas.py",
                                      "tests/ascend/test_lowering.py", "tests/ascend/linter/test_heads.py",
                                      "tests/ascend/test_nms.py", "tests/ascend/test_roi_extractor.py")),
    "rules": ((f"{ASCEND}/linter/rules/*.py",), tuple(f"tests/ascend/linter/test_{name}.py" for name in (
        "kinds", "spots_file", "spots_graph", "spots_operators", "spots_vendor", "cases", "rules", "limits", "traps",
        "heads", "kernels", "files", "front_end", "table", "catalogue"))),
}  # fmt: skip
"""By name: globs of modules, and paths of their tests."""

EQUIVALENT = Path(__file__).with_name("equivalent_mutants.txt")
"""Lines ``file::function::old -> new  # reason``."""

LEAST = 0.9

PRELOADED = (
    "numpy",
    "onnx",
    "onnxruntime",
    "cv2",
    "onnx_graphsurgeon",
    "msgspec",
    "pytest",
    "pluggy",
)
"""What every run imports and no fault is in: imported once, before the processes part. Not hypothesis: pytest warns of
what it can no longer rewrite, and a warning fails the run."""


@dataclass(frozen=True)
class Mutant:
    """A fault in a file."""

    group: str
    file: str
    edit: Edit

    def place(self) -> str:
        return f"{self.file}:{self.edit.line}"

    def key(self) -> str:
        """As in ``equivalent_mutants.txt``: without the line's number, which other changes would move."""
        return f"{self.file}::{self.edit.function}::{self.edit}"


def main() -> int:
    """Prints every survivor as it is found, and the scores."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", default="0")
    parser.add_argument("--each", type=int, help="so many faults of each group; default: all")
    parser.add_argument("--group", choices=GROUPS, action="append")
    parser.add_argument("--only", help="FILE or FILE:LINE")
    parser.add_argument(
        "--again", type=Path, metavar="JSON", help="only what survived before: survivors.json"
    )
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--tests", nargs="+", metavar="PATH", help="instead of the group's")
    parser.add_argument("--fast", action="store_true", help="without the slow tests")
    asked = parser.parse_args()
    if asked.fast:
        os.environ["MUTANTS_FAST"] = "1"
    if asked.tests:
        GROUPS.update((group, (files, tuple(asked.tests))) for group, (files, _) in GROUPS.items())
    chosen = [mutant for group in asked.group or GROUPS for mutant in _drawn(group, asked)]
    with tempfile.TemporaryDirectory(prefix="mutants-") as room:
        found = list(_run(chosen, Path(room), min(asked.jobs, max(1, len(chosen)))))
    return _summary(found)


def _drawn(group: str, asked: argparse.Namespace) -> list[Mutant]:
    globs, _ = GROUPS[group]
    files = sorted(str(path.relative_to(HERE)) for glob in globs for path in HERE.glob(glob))
    if not files:
        raise SystemExit(f"{group}: there is no file {', '.join(globs)}")
    all_of = [Mutant(group, file, edit) for file in files for edit in edits((HERE / file).read_bytes())]
    known = _equivalent()
    all_of = [mutant for mutant in all_of if mutant.key() not in known]
    if asked.again:
        before = json.loads(asked.again.read_text())
        return [mutant for mutant in all_of if mutant.key() in before]
    if asked.only:
        return [mutant for mutant in all_of if asked.only in (mutant.file, mutant.place())]
    if asked.each is None or asked.each >= len(all_of):
        return all_of
    return random.Random(f"{asked.seed}/{group}").sample(all_of, asked.each)


def _equivalent() -> set[str]:
    lines = EQUIVALENT.read_text().splitlines() if EQUIVALENT.is_file() else []
    return {line.split("  # ")[0] for line in lines if "  # " in line}


def _run(mutants: list[Mutant], room: Path, jobs: int) -> Iterator[tuple[Mutant, str]]:
    """Each fault with how it ended, as workers tell: ``killed``, ``timeout`` or ``survived``."""
    readers = []
    for job in range(jobs):
        copy, (out, into) = room / str(job), os.pipe()
        _copy(copy)
        if os.fork() == 0:
            os.close(out)
            _worker(list(enumerate(mutants))[job::jobs], copy, into)
        os.close(into)
        readers.append(os.fdopen(out))
    waiting = dict(enumerate(readers))
    done = 0
    while waiting:
        for job, reader in list(waiting.items()):
            line = reader.readline()
            if not line:
                del waiting[job]
                continue
            if line == "broken\n":
                raise SystemExit("the tests of a group fail without a fault")
            place, how = line.split()
            mutant, done = mutants[int(place)], done + 1
            if how == SURVIVED:
                print(f"{mutant.place()}: {mutant.edit}", flush=True)
            if done % 50 == 0:
                print(f"{done} of {len(mutants)}", file=sys.stderr, flush=True)
            yield mutant, how


def _copy(copy: Path) -> None:
    ignored = shutil.ignore_patterns(
        "__pycache__", ".*_cache", ".git", ".venv", "build", "dist", ".hypothesis"
    )
    shutil.copytree(HERE, copy, ignore=ignored)


def _worker(mutants: list[tuple[int, Mutant]], copy: Path, into: int) -> None:
    """A process of its own; it does not return."""
    parts = ("passes", "targets/cpu", "targets/openvino", "targets/ascend")
    paths = [str(copy), *(str(copy / part) for part in parts)]
    sys.dont_write_bytecode = True
    os.environ |= {"PYTHONPATH": ":".join(paths), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    sys.path[:0] = paths
    os.chdir(copy)
    for name in PRELOADED:
        __import__(name)
    for name in [name for name in sys.modules if name.split(".")[0].startswith("convertkit")]:
        del sys.modules[name]
    for group, items in groupby(mutants, lambda item: item[1].group):
        mine = list(items)
        fresh = copy.parent / f"{copy.name}.fresh"
        fresh.write_text("")
        if forked(lambda: _judge(group, mine, copy, into, fresh), limit=None) != SURVIVED:  # noqa: B023
            os.write(into, b"broken\n")  # every fault would count as found
            os._exit(1)
        for line in fresh.read_text().splitlines():
            place, seconds = json.loads(line)
            os.write(into, f"{mine[place][0]} {_fresh(mine[place][1], copy, seconds)}\n".encode())
    os._exit(0)


def _judge(group: str, mine: list[tuple[int, Mutant]], copy: Path, into: int, fresh: Path) -> bool:
    """Tells of each fault, or writes it to ``fresh`` with the tests that it needs."""

    def tell(place: int, how: str, seconds: dict[str, float]) -> None:
        if how == FRESH:
            with fresh.open("a") as file:
                file.write(json.dumps([place, seconds]) + "\n")
        else:
            os.write(into, f"{mine[place][0]} {how}\n".encode())

    faults = [
        (copy / item.file, item.edit.line, item.edit.into((copy / item.file).read_bytes()))
        for _, item in mine
    ]
    reached = Reached(frozenset(str(path) for path, _, _ in faults))
    sys.settrace(reached.trace)
    return _pytest(copy, GROUPS[group][1], Judge(faults, tell, copy.parent, reached))


def _fresh(mutant: Mutant, copy: Path, seconds: dict[str, float]) -> str:
    file = copy / mutant.file
    source = file.read_bytes()
    file.write_bytes(mutant.edit.into(source))
    tests = sorted({name.partition("::")[0] for name in seconds})
    how = forked(lambda: _pytest(copy, tests, Chosen(seconds)))
    file.write_bytes(source)
    return how


def _pytest(copy: Path, tests: Sequence[str], plugin: object) -> bool:
    """The plugin ends the process, unless the tests cannot be collected."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    import pytest

    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-m"]
    options.append("not export and not slow" if "MUTANTS_FAST" in os.environ else "not export")
    pytest.main([*options, f"--basetemp={copy}.tmp", *tests], plugins=[plugin])
    return False


def _summary(found: list[tuple[Mutant, str]]) -> int:
    worst = 1.0
    for group in dict.fromkeys(mutant.group for mutant, _ in found):
        how = [how for mutant, how in found if mutant.group == group]
        score = 1 - how.count("survived") / len(how)
        worst = min(worst, score)
        print(
            f"{group:<10} {len(how):>5} faults, {how.count(SURVIVED):>4} survived, {100 * score:5.1f} % found, "
            f"{how.count('timeout')} of them by the tests' time"
        )
    keys = {mutant.key(): how for mutant, how in found if how == SURVIVED}
    if keys:
        Path("survivors.json").write_text(json.dumps(sorted(keys), indent=1) + "\n")
        print("survivors.json has them as equivalent_mutants.txt wants them")
    return 0 if worst >= LEAST else 1


if __name__ == "__main__":
    raise SystemExit(main())
