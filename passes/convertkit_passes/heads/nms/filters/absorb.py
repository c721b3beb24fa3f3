"""Putting the threshold of filters into the NonMaxSuppression behind them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import DTypeLike
from onnx import helper

from convertkit.api import graphs, passes
from convertkit.api.heads import Refused, annotated, name_of
from convertkit_passes.heads.nms.candidates import site
from convertkit_passes.heads.nms.candidates.views import VIEWS
from convertkit_passes.heads.nms.filters import rows
from convertkit_passes.heads.nms.filters.best import Best, read
from convertkit_passes.heads.sizes import settle
from convertkit_passes.heads.types import Node, Tensor


def absorb(graph: passes.Graph) -> tuple[passes.Finding, ...]:
    """Absorbs the filters of each NonMaxSuppression, all of one or none; a finding for each that has scores of open
    length."""
    findings = []
    with annotated(graph):
        for node in list(graph.find("NonMaxSuppression")):
            if not node.outputs or graphs.static_shape(node.inputs[1]) is not None:
                continue
            try:
                findings.append(_absorb(graph, node))
            except Refused as refused:
                findings.append(refused.finding(name_of(node)))
    return tuple(findings)


def _absorb(graph: passes.Graph, node: Node) -> passes.Finding:
    found = [_filter(graph, leaf) for leaf in _leaves(node.inputs[1])]
    own = site.option(graph, node, 4, "score_threshold")
    threshold = found[0].threshold
    other = next((item for item in found if item.threshold != threshold), None)
    if other is not None:
        raise Refused(
            f"its filters differ: scores above {threshold:g} and above {other.threshold:g}", other.scores
        )
    rows.check(graph, node, found)
    for item in found:
        _write(graph, item)
    highest = threshold if own is None else max(threshold, own)
    absent = type(node.outputs[0]).empty()
    node.inputs.extend([absent] * (5 - len(node.inputs)))
    node.inputs[4] = graph.constant(np.array([highest], np.float32), name="score_threshold")
    graph.tidy()
    settle(graph)
    sizes = ", ".join(f"{item.count} of {item.scores.shape[0]}" for item in found)
    why = f"takes scores above {highest:g} itself; the best {sizes} come in front of it"
    return passes.Finding("matched", name_of(node), why, str(node.inputs[1].name))


def _leaves(scores: Tensor) -> Iterator[Tensor]:
    """What the scores are joined of, through views."""
    maker = scores.inputs[0] if scores.inputs else None
    if maker is not None and (maker.op in VIEWS or maker.op == "Concat"):
        for item in maker.inputs[: None if maker.op == "Concat" else 1]:
            yield from _leaves(item)
    else:
        yield scores


def _filter(graph: passes.Graph, leaf: Tensor) -> Best:
    maker = leaf.inputs[0] if leaf.inputs else None
    if graphs.static_shape(leaf) is not None:
        raise Refused(f"{leaf.name}, a part of its scores, is not filtered", leaf)
    if maker is None or maker.op != "TopK" or leaf is not maker.outputs[0]:
        raise Refused(
            f"{leaf.name} is not the best of what a filter takes; fuse-multiclass-nms measures other filters itself",
            leaf,
        )
    return read(graph, maker)


def _write(graph: passes.Graph, found: Best) -> None:
    """The best K of all scores; what was gathered by place among those that pass is gathered by place among all."""
    scores, shape = found.scores, (found.count,)
    made = type(found.node.outputs[0])
    outputs = [
        made(graph.fresh_name(f"best_{name}"), dtype, shape)
        for name, dtype in (("scores", scores.dtype), ("places", np.dtype(np.int64)))
    ]
    count = graph.constant(np.array(shape, np.int64), name="best")
    graph.add("TopK", [scores, count], attrs={"axis": 0, "largest": 1, "sorted": 1}, outputs=outputs)
    graph.replace(found.node.outputs[0], outputs[0])
    for gathered in found.gathered:
        new = outputs[1]
        if gathered.source is not None:
            shape = (found.count, *gathered.source.shape[1:])
            inputs, dtype = [gathered.source, outputs[1]], gathered.source.dtype
            new = graph.add("Gather", inputs, attrs={"axis": 0}, dtype=dtype, shape=shape)
        graph.replace(gathered.tensor, _as(graph, new, gathered.tensor.dtype))


def _as(graph: passes.Graph, tensor: Tensor, dtype: DTypeLike) -> Tensor:
    """Places are int64; another pass may have made the graph read them as int32."""
    if dtype is None or np.dtype(dtype) == np.dtype(tensor.dtype):
        return tensor
    attrs = {"to": helper.np_dtype_to_tensor_dtype(np.dtype(dtype))}
    return graph.add("Cast", [tensor], attrs=attrs, dtype=dtype, shape=tensor.shape)
