"""The rounding that class offsets leave in the boxes of an export, kept bit for bit, and taken off again.

Some exports report, and pool masks from, the very boxes that they moved apart by class: ``fl(box + offset) - offset``.
With offsets of up to 25,000 pixels that is off by up to 1/1024 pixel in float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convertkit.api import graphs, passes
from convertkit.api.heads import Nms, annotated, sized
from convertkit_passes.heads.nms import probes
from convertkit_passes.heads.nms.experiment.readings import Answer, Reading
from convertkit_passes.heads.nms.experiment.run import Experiment
from convertkit_passes.heads.types import Node, Tensor

Offsets: TypeAlias = NDArray[np.float32]
"""``(C, 4)``: what is added to x1 y1 x2 y2 of each class, pixels."""

JITTER = 1 / 64
"""Pixels: other probes lie on a grid on which adding offsets is exact; this puts boxes beside it."""


def found(experiment: Experiment, chosen: Sequence[Reading]) -> Offsets | None:
    """The offsets whose rounding all boxes that are read carry, bit for bit; None where they do not."""
    offsets = experiment.sources.offsets
    read = [item for item in chosen if item.kind in ("boxes", "dets")]
    if offsets is None or not read or experiment.sources.boxes.shape[2] != len(offsets):
        return None
    moved = np.concatenate([offsets, offsets], -1).astype(np.float32)
    case = _beside_the_grid(experiment)
    rounded = replace(case, boxes=(case.boxes + moved) - moved)
    if np.array_equal(rounded.boxes, case.boxes):
        return None
    values = experiment.run_on([item.tensor for item in read], case)
    answer = experiment.answer(rounded)
    same = values is not None and all(
        _same(item, array, answer) for item, array in zip(read, values, strict=True)
    )
    return moved if same else None


def _beside_the_grid(experiment: Experiment) -> probes.Case:
    """Boxes that do not overlap, so that rounding decides nothing but their last bits."""
    apart = experiment.cases()[0]
    jitter = np.random.default_rng(probes.SEED).random(apart.boxes.shape, np.float32) * np.float32(JITTER)
    return replace(apart, boxes=apart.boxes + jitter)


def _same(item: Reading, array: NDArray[Any], answer: Answer) -> bool:
    batch = len(answer.num)
    columns = 5 if item.kind == "dets" else 4
    slots = array.reshape(batch, -1, columns)
    total = slots.shape[1]
    used = answer.used(total)
    return np.array_equal(slots[used][:, :4], answer.rows(total)[used][:, :4].astype(slots.dtype))


def write(graph: passes.Graph, boxes: Tensor, offsets: Offsets) -> Tensor:
    """``(B, N, C, 4)`` boxes there and back, in the two operations of the export.

    In front of the operator: moving back is exact, so differences of coordinates, and with them IoU, are those of the
    moved boxes that the export compared.
    """
    offset = graph.constant(offsets.astype(boxes.dtype), name="class_offsets")
    moved = graph.add("Add", [boxes, offset], dtype=boxes.dtype, shape=boxes.shape)
    return graph.add("Sub", [moved, offset], dtype=boxes.dtype, shape=boxes.shape)


def drop(graph: passes.Graph) -> tuple[passes.Finding, ...]:
    """Hands every NMS the boxes as they were before :func:`write`; a finding for each that was."""
    with annotated(graph):
        return tuple(finding for nms in list(sized(graph)) for finding in _drop(nms))


def _drop(nms: Nms) -> Iterator[passes.Finding]:
    there = _origin(nms.boxes)
    if there is not None:
        most = float(np.abs(nms.boxes.inputs[0].inputs[1].values).max())
        nms.node.inputs[0] = there
        why = f"boxes were moved by up to {most:g} and back"
        yield passes.Finding("matched", nms.where, why, there.name)


def _origin(boxes: Tensor) -> Tensor | None:
    back = _by_constant(boxes, "Sub")
    there = None if back is None else _by_constant(back.inputs[0], "Add")
    if back is None or there is None:
        return None
    offsets = np.asarray(there.inputs[1].values)
    same = np.array_equal(np.asarray(back.inputs[1].values), offsets)
    return there.inputs[0] if same and _fits(offsets, there.inputs[0]) else None


def _fits(offsets: NDArray[Any], boxes: Tensor) -> bool:
    """Whether boxes have the same shape after adding, and are still numbers."""
    shape = boxes.shape
    if shape is None or offsets.ndim > len(shape) or not offsets.size or not np.isfinite(offsets).all():
        return False
    last = list(shape)[len(shape) - offsets.ndim :]
    return all(size in (1, known) for size, known in zip(offsets.shape, last, strict=True))


def _by_constant(tensor: Tensor, op: str) -> Node | None:
    node = tensor.inputs[0] if tensor.inputs else None
    return node if node is not None and node.op == op and graphs.is_initializer(node.inputs[1]) else None
