"""``MulticlassNms`` in standard ONNX: each class of each image is one batch of ``NonMaxSuppression``.

The framework's own export shifts the boxes of each class apart and suppresses all of them together: every candidate is
compared with those of all classes. Here a class only sees its own, and no box is moved, so nothing is rounded.

Most scores lie below the threshold. So the candidates are taken out first and *packed*: row ``image * C + class``
holds the boxes of one class, padded by zeros to the longest row. Everything behind works on candidates only.

Difference from the reference: ``smallest_union`` is left out. Only boxes with sides around a millionth of a pixel have
a union of 1e-12, the one that a vendor asks for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convertkit.heads.lowering.emit import Emitter, Tensor
from convertkit.heads.lowering.site import Site


@dataclass(frozen=True)
class Sizes:
    """B images of N boxes in C classes; q is 1 where the classes share the boxes, else C."""

    images: int
    boxes: int
    classes: int
    shared: int

    @property
    def rows(self) -> int:
        return self.images * self.classes


@dataclass(frozen=True)
class Candidates:
    """What scores above the threshold, class by class of image by image, lower box first; M of them.

    Args:
        row: ``(M,) int64``, image * C + class.
        place: ``(M,) int64``, in the flattened scores (B, N, C).
        score: ``(M,) float32``; 0 for those that do not take part.
        corners: ``(M, 4) float32``, clipped.
        counts: ``(B * C,) int64``, how many each row has.
    """

    row: Tensor
    place: Tensor
    score: Tensor
    corners: Tensor
    counts: Tensor


def nms(emit: Emitter, site: Site) -> list[Tensor]:
    """Outputs ``(B, T, 4), (B, T), (B, T) float32`` and ``(B,) int32``."""
    images, boxes, shared, _ = site.shape(0)
    sizes = Sizes(images, boxes, site.shape(1)[2], shared)
    drop = bool(site.attributes["drop_empty"])
    found = _candidates(emit, site, sizes, drop=drop)
    selected = _suppress(emit, site, sizes, found, flipped=not drop)
    if site.attributes["ties"] == "box":
        selected = _box_by_box(emit, found, selected)
    return _best(emit, found, selected, sizes, site.attributes["max_total_size"])


def _candidates(emit: Emitter, site: Site, sizes: Sizes, *, drop: bool) -> Candidates:
    boxes, scores, window, valid = [*site.inputs, None, None][:4]
    above = emit.op("Greater", scores, emit.floats(site.attributes["score_threshold"]))
    by_class = emit.op("Transpose", above, perm=[0, 2, 1])
    # float32 counts are exact below 16 million, and several times faster than int64
    counts = emit.cast(emit.reshape(emit.sum(emit.cast(by_class, np.float32), 2), -1), np.int64)
    order = emit.reshape(emit.op("NonZero", emit.reshape(by_class, -1)), -1)
    row, box = _divide(emit, order, sizes.boxes)
    image, kind = _divide(emit, row, sizes.classes)
    numbered = _join(emit, image, sizes.boxes, box)
    place = _join(emit, numbered, sizes.classes, kind)
    score = emit.op("Gather", emit.reshape(scores, -1), place, axis=0)
    corners = emit.op("Gather", emit.reshape(boxes, -1, 4), numbered if sizes.shared == 1 else place, axis=0)
    if window is not None:
        corners = _clip(emit, corners, emit.op("Gather", window, image, axis=0))
    masks = [_with_area(emit, corners)] if drop else []
    if valid is not None:
        most = emit.op("Gather", emit.cast(valid, np.int64), image, axis=0)
        masks.append(emit.op("Less", box, most))
    if masks:
        score = emit.op("Where", emit.all(*masks), score, emit.floats(0))
    return Candidates(row, place, score, corners, counts)


def _divide(emit: Emitter, number: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Quotient and remainder."""
    quotient = emit.op("Div", number, emit.ints(size))
    return quotient, emit.op("Sub", number, emit.op("Mul", quotient, emit.ints(size)))


def _join(emit: Emitter, high: Tensor, size: int, low: Tensor) -> Tensor:
    return emit.op("Add", emit.op("Mul", high, emit.ints(size)), low)


def _clip(emit: Emitter, corners: Tensor, window: Tensor) -> Tensor:
    """Minimum with the far corner, then maximum with the near one, as ``ImageInputs.clipped`` in ``nms_inputs.py``."""
    near, far = emit.columns(window, 0, 2), emit.columns(window, 2, 4)
    low, high = emit.op("Concat", near, near, axis=1), emit.op("Concat", far, far, axis=1)
    return emit.op("Max", emit.op("Min", corners, high), low)


def _with_area(emit: Emitter, corners: Tensor) -> Tensor:
    """``(M,) bool``: width and height are positive."""
    size = emit.op("Sub", emit.columns(corners, 2, 4), emit.columns(corners, 0, 2))
    positive = emit.op("Greater", size, emit.floats(0))
    width, height = (emit.reshape(emit.columns(positive, index, index + 1), -1) for index in (0, 1))
    return emit.all(width, height)


def _suppress(emit: Emitter, site: Site, sizes: Sizes, found: Candidates, *, flipped: bool) -> Tensor:
    """``(S,) int64``: the candidates kept, row by row, best first, lower box first among equals."""
    first = emit.op("CumSum", found.counts, emit.ints(0), exclusive=1)
    # at least 1: what Reshape makes of -1 and no element at all is not the same everywhere
    most = emit.op("ReduceMax", emit.op("Concat", found.counts, emit.ints([1]), axis=0), keepdims=1)
    # a size read off a shape: compilers to fp16 keep in fp32 whatever else a size is computed from, the network itself
    slots = emit.op("NonZero", emit.op("Less", emit.ints(np.arange(sizes.boxes)), most))
    longest = emit.op("Slice", emit.op("Shape", slots), emit.ints([1]), emit.ints([2]))
    total = emit.reshape(emit.op("Shape", found.row))
    number = emit.op("Range", emit.ints(0), total, emit.ints(1))
    rank = emit.op("Sub", number, emit.op("Gather", first, found.row, axis=0))
    slot = emit.reshape(emit.op("Add", emit.op("Mul", found.row, longest), rank), -1, 1)
    corners = _upright(emit, found.corners) if flipped else found.corners
    space = emit.op("Mul", longest, emit.ints([sizes.rows]))
    boxes = emit.filled(emit.op("Concat", space, emit.ints([4]), axis=0))
    boxes = emit.reshape(emit.op("ScatterND", boxes, slot, corners), sizes.rows, -1, 4)
    scores = emit.op("ScatterND", emit.filled(space), slot, found.score)
    attributes = site.attributes
    chosen = emit.op(
        "NonMaxSuppression",
        boxes,
        emit.reshape(scores, sizes.rows, 1, -1),
        emit.ints([attributes["max_size_per_class"]]),
        emit.floats([attributes["iou_threshold"]]),
        emit.floats([attributes["score_threshold"]]),
    )
    row, rank = (emit.op("Gather", chosen, emit.ints(column), axis=1) for column in (0, 2))
    return emit.op("Add", emit.op("Gather", first, row, axis=0), rank)


def _upright(emit: Emitter, corners: Tensor) -> Tensor:
    """Boxes with flipped corners made empty: ``NonMaxSuppression`` would turn them round, here they overlap nothing."""
    near, far = emit.columns(corners, 0, 2), emit.columns(corners, 2, 4)
    return emit.op("Concat", near, emit.op("Max", near, far), axis=1)


def _box_by_box(emit: Emitter, found: Candidates, selected: Tensor) -> Tensor:
    """The same, lower box first, then lower class: the order of equal scores in mmdet."""
    places = emit.op("Gather", found.place, selected, axis=0)
    _, order = emit.both("TopK", places, emit.op("Shape", places), largest=0, sorted=1)
    return emit.op("Gather", selected, order, axis=0)


def _best(emit: Emitter, found: Candidates, selected: Tensor, sizes: Sizes, total: int) -> list[Tensor]:
    """The best of each image. In front of the selected stand T empty slots, which win where nothing else is left:
    ``TopK`` takes the first of equals."""
    score, row = (emit.op("Gather", item, selected, axis=0) for item in (found.score, found.row))
    image, kind = _divide(emit, row, sizes.classes)
    mine = emit.op("Equal", image, emit.ints(np.arange(sizes.images)[:, None]))
    scores = emit.op("Where", mine, score, emit.floats(0))
    padded = emit.op("Concat", emit.floats(np.zeros((sizes.images, total))), scores, axis=1)
    # onnx infers no shape from a TopK along a dynamic axis
    best, index = (
        emit.reshape(item, sizes.images, total)
        for item in emit.both("TopK", padded, emit.ints([total]), axis=1)
    )
    kinds = emit.op("Concat", emit.floats(np.zeros(total)), emit.cast(kind, np.float32), axis=0)
    corners = emit.op("Gather", found.corners, selected, axis=0)
    corners = emit.op("Concat", emit.floats(np.zeros((total, 4))), corners, axis=0)
    used = emit.cast(emit.op("Greater", best, emit.floats(0)), np.int32)
    return [
        emit.op("Gather", corners, index, axis=0),
        best,
        emit.op("Gather", kinds, index, axis=0),
        emit.sum(used, 1),
    ]
