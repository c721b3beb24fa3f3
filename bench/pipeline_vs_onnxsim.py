"""The whole pass pipeline against onnxsim alone, on the same file.

    python bench/pipeline_vs_onnxsim.py MODEL.onnx [--rounds 7] [--passes simplify,...] [--json]

Both run as whole processes (interpreter start, imports, loading and saving included), alternately, after one round
that is not counted. Numeric checks of the passes are off. Reported are medians over the rounds, the median of the
paired ratios, and peak memory: the process itself, its largest child, and the most that the whole process tree held
at one time (sampled), each in MiB and as a multiple of the model file.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

PASSES = "simplify,fold-constants,cast-int64-to-int32,set-opset-window"
MIB = 1 << 20


@dataclass(frozen=True)
class Run:
    """One process: seconds, and peak memory in bytes of itself, its largest child and all at one time."""

    seconds: float
    own: int
    child: int
    tree: int


def main() -> None:
    """Reads the arguments and prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--rounds", type=int, default=7, help="paired runs that count (default 7)")
    parser.add_argument("--passes", default=PASSES, help=f"the pipeline (default {PASSES})")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--worker", choices=WORKERS, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        WORKERS[options.worker](options.model, options.output, options.passes)
        usage = (
            resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        print(json.dumps([value * 1024 for value in usage]))
        return
    result = compare(options.model, options.passes, options.rounds)
    print(json.dumps(result, indent=2) if options.json else table(result))


def pipeline(model: Path, output: Path, passes: str) -> None:
    """What ``convertkit opt`` does, without checks."""
    from convertkit.graph.io import load, save
    from convertkit.passes.options import split_steps
    from convertkit.passes.pipeline import Pipeline
    from convertkit.plugins.loading import open_plugins

    steps = Pipeline.parse(split_steps(passes), open_plugins().passes)
    result, _ = steps.run(load(model))
    save(result, output)


def onnxsim(model: Path, output: Path, passes: str) -> None:
    """What onnxsim's documentation shows."""
    import onnx
    from onnxsim import simplify

    result, _ = simplify(onnx.load(model))
    onnx.save(result, output)


def onnxsim_by_path(model: Path, output: Path, passes: str) -> None:
    """onnxsim's own short cut, which reads the file in its native part."""
    import onnx
    from onnxsim import simplify

    result, _ = simplify(str(model))
    onnx.save(result, output)


WORKERS = {"pipeline": pipeline, "onnxsim": onnxsim, "onnxsim-by-path": onnxsim_by_path}


def compare(model: Path, passes: str, rounds: int) -> dict[str, object]:
    """Runs every worker in turn, ``rounds`` times."""
    runs: dict[str, list[Run]] = {name: [] for name in WORKERS}
    with tempfile.TemporaryDirectory(prefix="convertkit-bench-") as room:
        for number in range(rounds + 1):
            for name in WORKERS:
                run = measure(name, model, Path(room) / f"{name}.onnx", passes)
                runs[name] += [run] if number else []
    ours, size = runs["pipeline"], model.stat().st_size
    return {
        "model": model.name,
        "bytes": size,
        "rounds": rounds,
        "passes": passes,
        "workers": {name: summary(items, ours, size) for name, items in runs.items()},
    }


def summary(runs: list[Run], ours: list[Run], size: int) -> dict[str, object]:
    """Medians, and how much of the worker's time the pipeline takes."""
    return {
        "seconds": statistics.median(run.seconds for run in runs),
        "pipeline_ratio": statistics.median(
            mine.seconds / run.seconds for mine, run in zip(ours, runs, strict=True)
        ),
        "memory": {name: max(getattr(run, name) for run in runs) for name in ("own", "child", "tree")},
        "memory_per_file": {
            name: max(getattr(run, name) for run in runs) / size for name in ("own", "child", "tree")
        },
        "runs": [asdict(run) for run in runs],
    }


def measure(worker: str, model: Path, output: Path, passes: str) -> Run:
    """One process from start to end."""
    command = [
        sys.executable,
        __file__,
        str(model),
        "--worker",
        worker,
        "--output",
        str(output),
        "--passes",
        passes,
    ]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    sampler = Sampler(process.pid)
    out, _ = process.communicate()
    seconds = time.perf_counter() - start
    tree = sampler.stop()
    if process.returncode:
        raise SystemExit(f"{worker} failed with exit code {process.returncode}")
    own, child = json.loads(out.splitlines()[-1])
    return Run(seconds, own, child, tree)


class Sampler(threading.Thread):
    """Watches the resident memory of a process and its descendants, 50 times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.peak, self.ended = pid, 0, threading.Event()
        self.start()

    def run(self) -> None:
        while not self.ended.wait(0.02):
            self.peak = max(self.peak, resident(self.pid))

    def stop(self) -> int:
        """The largest sum seen, bytes."""
        self.ended.set()
        self.join()
        return self.peak


def resident(pid: int) -> int:
    """Resident bytes of a process and all its descendants."""
    total = 0
    with contextlib.suppress(OSError):
        total = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        for task in Path(f"/proc/{pid}/task").iterdir():
            children = (task / "children").read_text().split()
            total += sum(resident(int(child)) for child in children)
    return total


def table(result: dict[str, object]) -> str:
    """The numbers for people."""
    size, workers = result["bytes"], result["workers"]
    assert isinstance(size, int)
    assert isinstance(workers, dict)
    lines = [
        f"{result['model']}, {size / MIB:.0f} MiB, medians of {result['rounds']} paired rounds",
        f"{'':16} {'seconds':>8} {'pipeline takes':>15}   peak MiB: itself, largest child, together (x file)",
    ]
    for name, row in workers.items():
        memory = row["memory"]
        share = "" if name == "pipeline" else f"{row['pipeline_ratio']:.2f} of it"
        lines.append(
            f"{name:16} {row['seconds']:8.2f} {share:>15}   {memory['own'] / MIB:.0f}, {memory['child'] / MIB:.0f}, "
            f"{memory['tree'] / MIB:.0f} ({memory['tree'] / size:.2f})"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
