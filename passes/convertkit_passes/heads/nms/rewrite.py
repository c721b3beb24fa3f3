"""Searching a graph for NonMaxSuppression nodes, and putting one operator in their place."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import helper

from convertkit.api import graphs, heads, passes
from convertkit.api.heads import Refused, annotated, name_of
from convertkit_passes.heads.nms.candidates.carried import Carried
from convertkit_passes.heads.nms.candidates.centres import columns
from convertkit_passes.heads.nms.candidates.sources import Stated
from convertkit_passes.heads.nms.experiment import rounding
from convertkit_passes.heads.nms.experiment.readings import Reading
from convertkit_passes.heads.nms.match import Match, match
from convertkit_passes.heads.sizes import settle
from convertkit_passes.heads.types import Tensor


def fuse(graph: passes.Graph, *, pad: bool, stated: Stated = None) -> tuple[passes.Finding, ...]:
    """Replaces what matches, one after the other: each search sees the graph that the last one left.

    Returns:
        a finding for every NonMaxSuppression; one that goes with an earlier one has none of its own.
    """
    findings, padded = [], False
    with annotated(graph):
        for node in graph.find("NonMaxSuppression"):
            if not node.outputs:
                continue
            where = name_of(node)
            try:
                found = match(graph, node, pad=pad, stated=stated)
            except Refused as refused:
                findings.append(refused.finding(where))
                continue
            findings.append(passes.Finding("matched", where, found.why, str(found.site.selection.name)))
            _write(graph, found)
            graph.tidy()
            if any(item.symbolic for item in found.readings):
                settle(graph)  # the next NMS may have its boxes from there
                padded = True
    if padded:
        graphs.restate_outputs(graph)
    return tuple(findings)


def _write(graph: passes.Graph, found: Match) -> None:
    boxes, scores = found.sources.emit(graph)
    if found.rounding is not None:
        boxes = rounding.write(graph, boxes, found.rounding)
    if found.sides is not None:
        scores = _of_size(graph, boxes, scores, found.sides)
    batch, total = found.site.batch, int(found.attributes["max_total_size"])
    shapes = ((batch, total, 4), (batch, total), (batch, total), (batch,))
    made = type(found.site.selection)
    outputs = [
        made(graph.fresh_name(item.name), boxes.dtype if index < 3 else np.dtype(np.int32), shapes[index])
        for index, item in enumerate(heads.MULTICLASS_NMS.outputs)
    ]
    op = heads.MULTICLASS_NMS.name
    graph.add(
        op,
        [boxes, scores],
        attrs={**found.attributes, "ties": found.ties, "drop_empty": 0},
        outputs=outputs,
        domain=heads.HEADS,
    )
    writer = _Writer(graph, outputs, (boxes, scores), found.sources.reach)
    for item in found.readings:
        graph.replace(item.tensor, writer.read(item))


def _of_size(graph: passes.Graph, boxes: Tensor, scores: Tensor, sides: NDArray[np.float32]) -> Tensor:
    """The scores ``(B, N, C)``, 0 for boxes ``(B, N, q, 4)`` that are no wider or no higher than ``sides``."""
    low, high = (columns(graph, boxes, start) for start in (0, 2))
    extent = graph.add("Sub", [high, low], dtype=boxes.dtype, shape=low.shape)
    limits = graph.constant(sides.astype(boxes.dtype), name="sides")
    larger = graph.add("Greater", [extent, limits], dtype=np.dtype(np.bool_), shape=low.shape)
    to = {"to": helper.np_dtype_to_tensor_dtype(np.dtype(scores.dtype))}
    ones = graph.add("Cast", [larger], attrs=to, dtype=scores.dtype, shape=low.shape)
    axes, shape = {"axes": [3], "keepdims": 0}, low.shape[:3]
    mask = graph.add("ReduceMin", [ones], attrs=axes, dtype=scores.dtype, shape=shape)
    return graph.add("Mul", [scores, mask], dtype=scores.dtype, shape=scores.shape)


class _Writer:
    """The tensors of the old graph, made of the operator's outputs; each node is written once."""

    def __init__(
        self, graph: passes.Graph, outputs: list[Tensor], given: tuple[Tensor, Tensor], reach: float
    ) -> None:
        self._graph = graph
        self._given, self._reach = given, reach
        self._boxes, self._scores, self._classes, self._num = outputs
        self._made: dict[tuple[Any, ...], Tensor] = {}

    def read(self, item: Reading) -> Tensor:
        """A tensor of the reading's shape and type."""
        if item.kind == "boxes":
            found = self._boxes
        elif item.kind == "scores":
            found = self._scores
        elif item.kind == "dets":
            found = self._dets()
        elif item.kind == "num":
            found = self._num
        elif item.kind == "batch":
            return self._graph.constant(np.zeros(item.shape, item.tensor.dtype), name="batch")
        elif item.kind == "slots":
            slots = np.full(item.shape, item.total, item.tensor.dtype)
            return self._graph.constant(slots, name="slots")
        elif item.carried is not None:
            found = self._carried(item.carried)
        else:
            found = self._shifted(item.shift)
        return self._shaped(self._typed(found, np.dtype(item.tensor.dtype)), item.shape)

    def _dets(self) -> Tensor:
        batch, total, _ = self._boxes.shape
        columns = self._shaped(self._scores, (batch, total, 1))
        return self._once("Concat", [self._boxes, columns], (batch, total, 5), {"axis": 2}, self._boxes.dtype)

    def _carried(self, item: Carried) -> Tensor:
        """``(T, W)``, 0 in unused slots."""
        found = self._places
        (total,), (count, width) = found.shape, item.values.shape
        if item.tensor is not None:
            rows = self._shaped(item.tensor, (count, width))
            found = self._once("Gather", [rows, found], (total, width), {"axis": 0}, rows.dtype)
        found = self._shaped(found, (total, width))
        mask = self._shaped(self._typed(self._used, np.dtype(found.dtype)), (total, 1))
        return self._once("Mul", [found, mask], (total, width), {}, found.dtype)

    @cached_property
    def _used(self) -> Tensor:
        """``(1, T) bool``."""
        zero = self._graph.constant(np.array(0, self._scores.dtype), name="zero")
        return self._once("Greater", [self._scores, zero], self._scores.shape, {}, np.dtype(np.bool_))

    @cached_property
    def _places(self) -> Tensor:
        """``(T,)``: the first box that is nearest to what the operator gives; it gives the very numbers of one.

        The nearest, for a chip that rounds both: then scores count as much as boxes.
        """
        boxes, scores = self._given
        count, total, dtype = boxes.shape[1], self._boxes.shape[1], boxes.dtype
        if scores.shape[2] > 1:  # of the label
            axes, shape = {"axes": [2], "keepdims": 1}, (1, count, 1)
            scores = self._once("ReduceMax", [scores], shape, axes, dtype)
        all_ = self._rows(boxes, scores, (1, count))
        found = self._rows(self._boxes, self._scores, (total, 1))
        apart = self._once("Sub", [found, all_], (total, count, 5), {}, dtype)
        apart = self._once("Abs", [apart], apart.shape, {}, dtype)
        apart = self._once("ReduceMax", [apart], (total, count), {"axes": [2], "keepdims": 0}, dtype)
        axis = {"axis": 1, "keepdims": 0}
        places = self._once("ArgMin", [apart], (total,), axis, np.dtype(np.int64))
        return self._typed(places, np.dtype(np.int32))

    def _rows(self, boxes: Tensor, scores: Tensor, shape: tuple[int, int]) -> Tensor:
        """``(*shape, 5)``: boxes, and scores times the largest coordinate."""
        scale = self._graph.constant(np.array(self._reach, boxes.dtype), name="reach")
        columns = self._shaped(boxes, (*shape, 4)), self._shaped(scores, (*shape, 1))
        scaled = self._once("Mul", [columns[1], scale], columns[1].shape, {}, boxes.dtype)
        return self._once("Concat", [columns[0], scaled], (*shape, 5), {"axis": 2}, boxes.dtype)

    def _shifted(self, shift: int) -> Tensor:
        if not shift:
            return self._classes
        key = ("shift", shift)
        if key not in self._made:
            value = self._graph.constant(np.array(shift, self._classes.dtype), name="first_class")
            shape, dtype = self._classes.shape, self._classes.dtype
            self._made[key] = self._graph.add("Add", [self._classes, value], shape=shape, dtype=dtype)
        return self._made[key]

    def _typed(self, tensor: Tensor, dtype: np.dtype[Any]) -> Tensor:
        if np.dtype(tensor.dtype) == dtype:
            return tensor
        return self._once(
            "Cast", [tensor], tensor.shape, {"to": helper.np_dtype_to_tensor_dtype(dtype)}, dtype
        )

    def _shaped(self, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
        if tuple(tensor.shape) == tuple(shape):
            return tensor
        key = ("Reshape", id(tensor), tuple(shape))
        if key not in self._made:
            wanted = self._graph.constant(np.array(shape, np.int64), name="shape")
            self._made[key] = self._graph.add("Reshape", [tensor, wanted], shape=shape, dtype=tensor.dtype)
        return self._made[key]

    def _once(
        self, op: str, inputs: list[Tensor], shape: tuple[int, ...], attrs: dict[str, Any], dtype: Any
    ) -> Tensor:
        key = (op, *(id(item) for item in inputs), repr(attrs))
        if key not in self._made:
            self._made[key] = self._graph.add(op, inputs, attrs=attrs, shape=shape, dtype=dtype)
        return self._made[key]
