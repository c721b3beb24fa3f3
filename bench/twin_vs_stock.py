"""A target's graph in standard ONNX (the twin) against the stock graph: the same photo, the same onnxruntime, paired.

    python -m bench.twin_vs_stock models/maskrcnn --variant r50-fpn-1x --weights random:0 [--target cpu] [--rounds 7]
        [--threads 2]

Both graphs are opened with onnxruntime's default optimisation, warmed up once and then run alternately. Printed are the
medians, the median of the paired ratios (of time on the clock, and of time on all processors), and where the time goes
by operator type (onnxruntime's profiler, one run each): what the two have in common bounds the ratio.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from convertkit.conversion.engine import graph_after
from convertkit.conversion.request import Asked, BuildRequest, make_request
from convertkit.graph.domains import lowered
from convertkit.graph.io import save
from convertkit.plugins.loading import open_plugins

SHOWN = 8


def main() -> None:
    """Reads the arguments, runs, prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--variant")
    parser.add_argument("--weights")
    parser.add_argument("--target", default="ascend310p3")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--threads", type=int, default=0, help="of one operator (default: onnxruntime's choice)"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    asked = Asked(options.model, options.variant, options.target, options.weights)
    request = make_request(asked, open_plugins())
    found = compare(request, options.rounds, options.threads)
    print(json.dumps(found, indent=2) if options.json else table(found))


def compare(request: BuildRequest, rounds: int, threads: int) -> dict[str, Any]:
    """Times both graphs alternately on the package's first sample photo."""
    sample = _sample(request)
    with tempfile.TemporaryDirectory(prefix="convertkit-bench-") as room:
        paths = {"stock": Path(room, "stock.onnx"), "twin": Path(room, "twin.onnx")}
        save(graph_after(request, 0), paths["stock"])
        save(lowered(graph_after(request, len(request.pipeline.steps))), paths["twin"])
        sessions = {name: _session(path, threads) for name, path in paths.items()}
        seconds, processor = _paired(sessions, sample, rounds)
        shares = {name: _shares(path, sample, threads, Path(room)) for name, path in paths.items()}
    return {
        "seconds": {name: statistics.median(times) for name, times in seconds.items()},
        "ratios": _ratios(seconds),
        "processor_ratios": _ratios(processor),
        "milliseconds_by_operator": shares,
    }


def table(found: dict[str, Any]) -> str:
    """What was measured, for people."""
    seconds, shares = found["seconds"], found["milliseconds_by_operator"]
    lines = [f"{name}: {value:.3f} s (median)" for name, value in seconds.items()]
    for what, ratios in (("clock", found["ratios"]), ("processors", found["processor_ratios"])):
        spread = f"{min(ratios):.3f} to {max(ratios):.3f}"
        lines.append(
            f"twin / stock, {what}: {statistics.median(ratios):.3f} (median of {len(ratios)} pairs, {spread})"
        )
    lines.append("")
    for name, share in shares.items():
        total = sum(share.values())
        parts = [
            f"{op} {value:.0f} ms ({value / total:.0%})" for op, value in Counter(share).most_common(SHOWN)
        ]
        lines.append(f"{name}: {', '.join(parts)}")
    return "\n".join(lines)


def _sample(request: BuildRequest) -> dict[str, Any]:
    package, variant = request.package, request.variant
    image = next(iter(package.sample_images()))
    inputs, _ = package.model.preprocess(image, variant.spec.size, package.preprocess_spec(variant))
    return inputs


def _session(path: Path, threads: int, **settings: Any) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    for name, value in settings.items():
        setattr(options, name, value)
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


Times = dict[str, list[float]]


def _paired(
    sessions: dict[str, ort.InferenceSession], sample: dict[str, np.ndarray], rounds: int
) -> tuple[Times, Times]:
    """Seconds on the clock and seconds of all processors, by name."""
    clock: Times = {name: [] for name in sessions}
    processor: Times = {name: [] for name in sessions}
    for number in range(rounds + 1):
        for name, session in sessions.items():
            start = time.perf_counter(), time.process_time()
            _run(session, sample)
            clock[name] += [time.perf_counter() - start[0]] if number else []
            processor[name] += [time.process_time() - start[1]] if number else []
    return clock, processor


def _ratios(times: Times) -> list[float]:
    return [twin / stock for twin, stock in zip(times["twin"], times["stock"], strict=True)]


def _shares(path: Path, sample: dict[str, np.ndarray], threads: int, room: Path) -> dict[str, float]:
    """Milliseconds by operator type, of one run after a warm-up."""
    session = _session(
        path, threads, enable_profiling=True, profile_file_prefix=str(room / f"{path.stem}-profile")
    )
    _run(session, sample)
    _run(session, sample)
    events = json.loads(Path(session.end_profiling()).read_text())
    found: Counter[str] = Counter()
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            found[event["args"]["op_name"]] += event["dur"] / 1000 / 2
    return dict(found)


def _run(session: ort.InferenceSession, sample: dict[str, np.ndarray]) -> None:
    names = [value.name for value in session.get_inputs()]
    session.run(None, {name: sample[name] for name in names})


if __name__ == "__main__":
    main()
