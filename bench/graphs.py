"""A target's graph against the stock graph: the same photo, the same onnxruntime with its default optimisation.

The twin is the target's graph with its vendor operators in standard ONNX; what the CPU gets has its heads lowered.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnxruntime as ort

from bench.record import MASKRCNN, Plan, Record, by_turns, seconds
from convertkit.conversion.engine import graph_after
from convertkit.conversion.request import Asked, BuildRequest, make_request
from convertkit.graph.domains import lowered
from convertkit.graph.io import save
from convertkit.plugins.loading import open_plugins

TARGETS = {"ascend310p3": "the twin", "cpu": "what cpu gets, heads lowered"}
WHY = (
    "Convolutions, which both have, are two thirds of the time of r50; passes can take away of the rest only."
)


def against_stock(plan: Plan) -> Iterator[Record]:
    """Every target with mini, and with r50 where there is time; one thread, so that a busy core is not waited for."""
    for variant in ("mini",) if plan.quick else ("mini", "r50-fpn-1x"):
        for target, what in TARGETS.items():
            rounds = plan.rounds(15 if variant == "mini" else 3)
            pairs = _paired(request_of(variant, target), rounds)
            yield Record.of_pairs(
                f"{what}, {variant}, one thread", "stock graph, onnxruntime", pairs, why=WHY
            )


def request_of(variant: str, target: str) -> BuildRequest:
    """Of Mask R-CNN; weights of what is not embedded are drawn."""
    weights = None if variant == "mini" else "random:0"
    return make_request(Asked(MASKRCNN, variant, target, weights), open_plugins())


def _paired(request: BuildRequest, rounds: int) -> list[list[float]]:
    """Seconds of the target's graph and of the stock graph, on the package's first sample photo."""
    package, variant = request.package, request.variant
    image = next(iter(package.sample_images()))
    inputs, _ = package.model.preprocess(image, variant.spec.size, package.preprocess_spec(variant))
    with tempfile.TemporaryDirectory(prefix="convertkit-bench-") as room:
        paths = [Path(room, name) for name in ("target.onnx", "stock.onnx")]
        save(lowered(graph_after(request, len(request.pipeline.steps))), paths[0])
        save(graph_after(request, 0), paths[1])
        runs = [seconds(_run(path, inputs)) for path in paths]
    return by_turns(rounds, *runs)


def _run(path: Path, inputs: dict[str, Any]) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return functools.partial(
        session.run, None, {each.name: inputs[each.name] for each in session.get_inputs()}
    )
