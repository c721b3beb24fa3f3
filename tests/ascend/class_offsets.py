"""The rounding that class offsets leave in the boxes of a stock graph, read off it.

An export keeps classes apart in one NonMaxSuppression by moving the boxes of each class to a place of their own, and
moves the boxes it keeps back: ``fl(box + offset) - offset`` in fp32. The mask head pools from the boxes so moved, and
they are what the graph reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convertkit.api.graphs import open_graph
from convertkit.api.passes import LightModel

Array = NDArray[np.float32]


@dataclass(frozen=True)
class ClassOffsets:
    """What is added to every coordinate of a class, ``(C,) float32``, pixels."""

    values: Array

    @classmethod
    def of(cls, model: LightModel, classes: int) -> ClassOffsets:
        """Those of a graph that still has NonMaxSuppression; the proposals' has none, all of them are one class."""
        graph = open_graph(model)
        added = [_added(node.inputs[0]) for node in graph.find("NonMaxSuppression")]
        (values,) = (item.reshape(-1, classes) for item in added if item is not None)
        assert (values == values[0]).all()  # boxes lie as (N, C): box j is of class j % C
        return cls(values[0])

    def move(self, boxes: Array, labels: NDArray[np.int64]) -> Array:
        """``(N, 4) float32`` boxes where the suppression of a stock graph sees them."""
        return boxes + self.values[labels][:, None]

    def rounded(self, boxes: Array, labels: NDArray[np.int64]) -> Array:
        """``(N, 4) float32`` boxes there and back, in the two operations of a stock graph."""
        return self.move(boxes, labels) - self.values[labels][:, None]


def _added(boxes: Any) -> Array | None:
    """The constant that the node above a tensor adds to boxes, if that is what it does."""
    node = boxes.inputs[0]
    constants = [item.values for item in node.inputs if not item.inputs and hasattr(item, "values")]
    return constants[0] if node.op == "Add" and constants else None


Outputs = dict[str, NDArray[Any]]
"""Of one run: ``dets`` ``(N, 5)``, ``labels`` ``(N,)`` and masks, in pixels of the network input."""


def assert_equal_boxes(stock: Outputs, other: Outputs) -> None:
    """Boxes, scores and labels of the used slots are the same bits."""
    dets, labels = _used(stock)
    found = _used(other)
    assert np.array_equal(dets, found[0])
    assert np.array_equal(labels, found[1])


def assert_apart_by_rounding(stock: Outputs, twin: Outputs, offsets: ClassOffsets) -> None:
    """The twin's boxes are those of the stock graph before it rounded them; all else is equal.

    The bound follows from fp32 alone. ``fl(box + offset)`` is off by at most half a unit in the last place (ulp) of
    the sum. Taking the offset off again is exact: offsets are whole, so sum and offset are multiples of the sum's ulp,
    and so is what is left, which is smaller than the sum. For the 80 classes of a 320 x 320 canvas sums end at
    79 * 320 + 1 + 320 = 25,601, where half an ulp is 2^-10 pixels; at 1216 x 1216 it is 2^-8.
    """
    dets, labels = _used(twin)
    boxes, rounded = dets[:, :4], dets.copy()
    rounded[:, :4] = offsets.rounded(boxes, labels)
    assert_equal_boxes(stock, {"dets": rounded, "labels": labels})
    half_ulp = np.spacing(offsets.move(boxes, labels)) / 2
    assert (np.abs(rounded[:, :4] - boxes) <= half_ulp).all()


def _used(outputs: Outputs) -> tuple[Array, NDArray[np.int64]]:
    used = outputs["dets"][:, 4] > 0
    return outputs["dets"][used], outputs["labels"][used].astype(np.int64)
