"""The whole pass pipeline against what else makes a graph simpler: onnxsim, onnxslim, onnxscript's optimizer.

Each is a process of its own, by turns: start of the interpreter, imports, loading and saving are in it, numeric checks
are not. Memory is the most that the process and all it started held at one time.
"""

from __future__ import annotations

import functools
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import onnx

from bench.graphs import request_of
from bench.record import Plan, Record, Run, absent, by_turns, process
from convertkit.conversion.engine import graph_after
from convertkit.graph.io import save

PASSES = "simplify,fold-constants,cast-int64-to-int32,set-opset-window"

OURS = f"""
from convertkit.graph.io import load, save
from convertkit.passes.options import split_steps
from convertkit.passes.pipeline import Pipeline
from convertkit.plugins.loading import open_plugins
steps = Pipeline.parse(split_steps({PASSES!r}), open_plugins().passes)
save(steps.run(load(Path(sys.argv[1])))[0], Path(sys.argv[2]))
"""
"""What ``convertkit opt`` does, without checks."""

PEERS = {
    "onnxsim, of a model": (
        "onnxsim",
        "import onnx, onnxsim; onnx.save(onnxsim.simplify(onnx.load(sys.argv[1]))[0], sys.argv[2])",
    ),
    "onnxsim, of a path": (
        "onnxsim",
        "import onnx, onnxsim; onnx.save(onnxsim.simplify(sys.argv[1])[0], sys.argv[2])",
    ),
    "onnxslim": (
        "onnxslim",
        "import onnx, onnxslim; onnx.save(onnxslim.slim(onnx.load(sys.argv[1])), sys.argv[2])",
    ),
    "onnxscript.optimizer": (
        "onnxscript",
        "import onnx, onnxscript.optimizer as it; onnx.save(it.optimize(onnx.load(sys.argv[1])), sys.argv[2])",
    ),
}
"""As the documentation of each shows it."""

WHY = "The pipeline runs onnxsim, in a process of its own, and leaves {ours} nodes; {peer} leaves {theirs}."


def compared(plan: Plan) -> Iterator[Record]:
    """Seconds and memory, beside each peer that is installed."""
    variant = "mini" if plan.quick else "r50-fpn-1x"
    name = f"passes of {variant}, whole process"
    missing = {peer: absent(f"{name}: time", peer, module) for peer, (module, _) in PEERS.items()}
    peers = [peer for peer, row in missing.items() if row is None]
    yield from filter(None, missing.values())
    with tempfile.TemporaryDirectory(prefix="convertkit-bench-") as room:
        model = Path(room, "model.onnx")
        save(graph_after(request_of(variant, "cpu"), 0), model)
        codes = [OURS, *(PEERS[peer][1] for peer in peers)]
        nodes = [_nodes(code, model) for code in codes]
        sides = [functools.partial(_run, code, model) for code in codes]
        rounds: list[list[Run]] = by_turns(plan.rounds(3), *sides, warm=False)
    for place, peer in enumerate(peers, start=1):
        for what, unit in (("time", "s"), ("memory", "MB")):
            pairs = [(_figure(runs[0], unit), _figure(runs[place], unit)) for runs in rounds]
            why = WHY.format(peer=peer, ours=nodes[0], theirs=nodes[place])
            yield Record.of_pairs(f"{name}: {what}", peer, pairs, unit=unit, why=why)


def _nodes(code: str, model: Path) -> int:
    """How many are left; this is the run that does not count."""
    _run(code, model)
    return len(onnx.load(model.with_name("made.onnx"), load_external_data=False).graph.node)


def _run(code: str, model: Path) -> Run:
    words = [sys.executable, "-c", f"import sys\nfrom pathlib import Path\n{code}"]
    return process([*words, model, model.with_name("made.onnx")])


def _figure(run: Run, unit: str) -> float:
    return run.peak if unit == "MB" else run.seconds
