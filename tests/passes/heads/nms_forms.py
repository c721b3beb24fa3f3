"""Small graphs with an NMS, as exporters write them: mmdet's masks and TopK, torchvision's lists of indices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from convertkit.graph.light import LightModel, detach

SIZE = 64
"""Pixels of the canvas that boxes are clipped to."""


@dataclass
class Writer:
    """Nodes one after the other; every tensor is named by the caller or numbered."""

    opset: int = 11
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def op(self, kind: str, *inputs: Any, out: str | Sequence[str] | None = None, **attributes: Any) -> str:
        """Appends a node; arrays, lists and numbers become initializers. Returns the first output's name."""
        names = [item if isinstance(item, str) else self.constant(item) for item in inputs]
        outputs = [out] if isinstance(out, str) else list(out or [f"t{len(self.nodes)}"])
        self.nodes.append(
            onnx.helper.make_node(kind, names, outputs, name=f"n{len(self.nodes)}", **attributes)
        )
        return outputs[0]

    def constant(self, value: Any) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def unsqueeze(self, tensor: str, axis: int) -> str:
        if self.opset >= 13:
            return self.op("Unsqueeze", tensor, np.array([axis]))
        return self.op("Unsqueeze", tensor, axes=[axis])

    def squeeze(self, tensor: str, axis: int) -> str:
        if self.opset >= 13:
            return self.op("Squeeze", tensor, np.array([axis]))
        return self.op("Squeeze", tensor, axes=[axis])

    def clip(self, tensor: str, high: float = SIZE) -> str:
        return self.op("Clip", tensor, np.float32(0), np.float32(high))

    def model(
        self, inputs: dict[str, Sequence[int]], outputs: dict[str, tuple[int, Sequence[Any]]]
    ) -> LightModel:
        graph = onnx.helper.make_graph(
            self.nodes,
            "graph",
            [
                onnx.helper.make_tensor_value_info(key, TensorProto.FLOAT, shape)
                for key, shape in inputs.items()
            ],
            [onnx.helper.make_tensor_value_info(key, *kind) for key, kind in outputs.items()],
            self.constants,
        )
        opset = onnx.helper.make_opsetid("", self.opset)
        model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        return detach(model)


@dataclass(frozen=True)
class Form:
    """mmdet's ``add_dummy_nms_for_onnx`` and what its callers put around it.

    Attributes:
        layout: ``shared`` boxes of a one-stage head; boxes per class, moved apart by class offsets, ``minor`` (mmdet:
            box j is of class j % C) or ``major``; ``one`` box for all classes, expanded and moved apart.
        limit, total: max_output_boxes_per_class and the TopK.
        offset: the distance of two classes, pixels.
    """

    layout: str = "shared"
    count: int = 6
    classes: int = 3
    batch: int = 1
    limit: int = 5
    total: int = 4
    iou: float = 0.5
    score: float = 0.25
    offset: float = SIZE
    opset: int = 11

    @property
    def rounds(self) -> bool:
        """Whether the boxes given carry the rounding of class offsets, and the operator reads them by class."""
        return self.layout in ("minor", "major")

    @property
    def boxes_shape(self) -> tuple[int, ...]:
        shared = self.layout in ("shared", "one")
        return (self.batch, self.count, 4) if shared else (self.batch, self.count, self.classes, 4)

    @property
    def scores_shape(self) -> tuple[int, ...]:
        return (self.batch, self.count, self.classes)


def mmdet(form: Form, writer: Writer | None = None) -> LightModel:
    """``dets (B, T, 5)`` and ``labels (B, T) int64`` of inputs ``boxes`` and ``scores``."""
    write = writer or Writer(form.opset)
    boxes, scores, labels, offsets = candidates(write, form)
    dets, found = dummy_nms(write, form, boxes, scores, labels)
    if offsets is not None:
        columns = write.op("Slice", dets, [0], [4], [2])
        back = write.op(
            "Add", write.op("Mul", write.op("Cast", found, to=1), np.float32(form.offset)), np.float32(1)
        )
        columns = write.op("Sub", columns, write.unsqueeze(back, 2))
        dets = write.op("Concat", columns, write.op("Slice", dets, [4], [5], [2]), axis=2)
    return slots(write, form, dets, found)


def slots(write: Writer, form: Form, dets: str, labels: str) -> LightModel:
    """The graph whose outputs have a fixed number of slots."""
    write.op("Identity", dets, out="dets")
    write.op("Identity", labels, out="labels")
    shape = (form.batch, form.total)
    return write.model(
        {"boxes": form.boxes_shape, "scores": form.scores_shape},
        {"dets": (TensorProto.FLOAT, (*shape, 5)), "labels": (TensorProto.INT64, shape)},
    )


def candidates(write: Writer, form: Form) -> tuple[str, str, np.ndarray | None, np.ndarray | None]:
    """What the NMS is given: boxes, scores ``(B, M, K)``, and with class offsets labels and offsets ``(B, M)``."""
    boxes, scores = write.clip("boxes"), "scores"
    if form.layout == "shared":
        return boxes, scores, None, None
    if form.layout == "one":
        boxes = write.op("Expand", write.unsqueeze(boxes, 2), [form.batch, form.count, form.classes, 4])
    kinds = np.broadcast_to(np.arange(form.classes), form.scores_shape)
    if form.layout == "major":
        boxes = write.op("Transpose", boxes, perm=[0, 2, 1, 3])
        scores = write.op("Transpose", scores, perm=[0, 2, 1])
        kinds = kinds.transpose(0, 2, 1)
    labels = kinds.reshape(form.batch, -1)
    offsets = (labels * form.offset + 1).astype(np.float32)
    boxes = write.op("Add", write.op("Reshape", boxes, [form.batch, -1, 4]), offsets[..., None])
    return boxes, write.op("Reshape", scores, [form.batch, -1, 1]), labels, offsets


def centred(form: Form) -> LightModel:
    """As :func:`mmdet` with ``shared`` boxes; its input ``boxes`` is centre and size, and that the NMS is given."""
    write = Writer(form.opset)
    centre, half = write.op("Slice", "boxes", [0], [2], [2]), write.op("Slice", "boxes", [2], [4], [2])
    half = write.op("Mul", half, np.float32(0.5))
    corners = write.op("Concat", write.op("Sub", centre, half), write.op("Add", centre, half), axis=2)
    dets, found = dummy_nms(write, form, corners, "scores", None)
    (node,) = (item for item in write.nodes if item.op_type == "NonMaxSuppression")
    node.input[0] = "boxes"
    node.attribute.append(onnx.helper.make_attribute("center_point_box", 1))
    return slots(write, form, dets, found)


def dummy_nms(
    write: Writer, form: Form, boxes: str, scores: str, labels: np.ndarray | None, change: str | None = None
) -> tuple[str, str]:
    """mmdet 2.28's ``add_dummy_nms_for_onnx``: ``(B, T, 5)`` and ``(B, T)``.

    Args:
        change: an operator on the scores between the NMS and the TopK.
    """
    classes = 1 if labels is not None else form.classes
    count = form.count if labels is None else labels.shape[1]
    if labels is None:
        labels = np.broadcast_to(np.arange(classes)[None, :, None], (form.batch, classes, count))
    scores = write.op("Transpose", scores, perm=[0, 2, 1])
    limits = [np.array([form.limit]), np.float32([form.iou]), np.float32([form.score])]
    selected = write.op("NonMaxSuppression", boxes, scores, *limits, out="selected")
    batch, kind, box = (write.op("Gather", selected, np.int64(index), axis=1) for index in range(3))
    scores = write.op("Reshape", scores, [-1, 1])
    boxes = write.op("Tile", write.op("Reshape", boxes, [form.batch, -1]), [1, classes])
    boxes = write.op("Reshape", boxes, [-1, 4])
    first = write.op("Mul", write.op("Add", write.op("Mul", batch, np.int64(classes)), kind), np.int64(count))
    places = write.op("Add", first, box)
    everything = form.batch * classes * count
    ones = write.op("Gather", np.ones((everything, 1), np.float32), places, axis=0)
    zeros = np.zeros((everything, 1), np.float32)
    mask = write.op("ScatterND", zeros, write.unsqueeze(places, 1), ones)
    scores, boxes = write.op("Mul", scores, mask), write.op("Mul", boxes, mask)
    scores = write.op(change, scores, scores) if change else scores
    rows = write.op("Reshape", scores, [form.batch, -1])
    best = write.op("TopK", rows, np.array([form.total]), out=["best", "places"], axis=-1)
    if form.batch > 1:
        places = write.op("Add", "places", (np.arange(form.batch) * classes * count)[:, None])
    else:
        places = "places"
    best = write.op("Gather", scores, places, axis=0)
    corners = write.op("Gather", boxes, places, axis=0)
    found = write.op("Gather", labels.reshape(-1, 1), places, axis=0)
    return write.op("Concat", corners, best, axis=2), write.op("Reshape", found, [form.batch, -1])


def torchvision(form: Form, *, slots: bool) -> LightModel:
    """``RoIHeads.postprocess_detections`` of torchvision 0.11 for one image, class 0 the background.

    Inputs ``boxes (N, C+1, 4)`` and ``scores (N, C+1)``; outputs ``boxes_out (K, 4)``, ``scores_out (K,)``,
    ``labels_out (K,) int64`` from 1.

    Args:
        slots: fill up with zeros to ``form.total`` rows.
    """
    write = Writer(form.opset)
    total, kinds = form.count * form.classes, form.classes + 1
    corners = write.op("Slice", write.clip("boxes"), [1], [kinds], [1])
    values = write.op("Slice", write.op("Softmax", "scores", axis=1), [1], [kinds], [1])
    labels = np.tile(np.arange(1, kinds), form.count)
    rows = (
        write.op("Reshape", corners, [total, 4]),
        write.op("Reshape", values, [total]),
        write.constant(labels),
    )
    above = write.op("Greater", rows[1], np.float32(form.score))
    rows = _keep(write, rows, above)
    sides = [write.op("Gather", rows[0], np.int64(index), axis=1) for index in range(4)]
    large = [
        write.op("Greater", write.op("Sub", sides[index + 2], sides[index]), np.float32(0.01))
        for index in (0, 1)
    ]
    rows = _keep(write, rows, write.op("And", *large))
    step = write.op("Add", write.op("ReduceMax", rows[0], keepdims=0), np.float32(1))
    offsets = write.op("Mul", write.op("Cast", rows[2], to=1), step)
    moved = write.op("Add", rows[0], write.unsqueeze(offsets, 1))
    stacked = write.unsqueeze(write.unsqueeze(rows[1], 0), 0)
    limits = [np.array([2**62]), np.float32([form.iou])]
    selected = write.op("NonMaxSuppression", write.unsqueeze(moved, 0), stacked, *limits, out="selected")
    keep = write.squeeze(write.op("Gather", selected, [2], axis=1), 1)
    keep = write.op("Slice", keep, [0], [form.total], [0])
    names = ["boxes_out", "scores_out", "labels_out"]
    kept = [write.op("Gather", item, keep, axis=0) for item in rows]
    for name, item, zeros in zip(names, kept, _zeros(form), strict=True):
        filled = (
            write.op("Slice", write.op("Concat", item, zeros, axis=0), [0], [form.total], [0])
            if slots
            else item
        )
        write.op("Identity", filled, out=name)
    length = form.total if slots else "found"
    return write.model(
        {"boxes": (form.count, kinds, 4), "scores": (form.count, kinds)},
        {
            "boxes_out": (TensorProto.FLOAT, (length, 4)),
            "scores_out": (TensorProto.FLOAT, (length,)),
            "labels_out": (TensorProto.INT64, (length,)),
        },
    )


def padded_row(form: Form) -> LightModel:
    """mmdeploy's ``_multiclass_nms`` as its source reads (hand-written, no export): ``dets (B, K, 5)``, ``labels``.

    One row of zeros goes behind what is found, and the best ``form.total`` of all rows are taken, fewer where there
    are fewer.
    """
    write = Writer(form.opset)
    boxes, scores = write.clip("boxes"), write.op("Transpose", "scores", perm=[0, 2, 1])
    limits = [np.array([form.limit]), np.float32([form.iou]), np.float32([form.score])]
    selected = write.op("NonMaxSuppression", boxes, scores, *limits, out="selected")
    image, kind, box = (write.op("Gather", selected, np.int64(index), axis=1) for index in range(3))
    columns = [write.unsqueeze(item, 1) for item in (image, kind, box)]
    best = write.op("GatherND", scores, write.op("Concat", *columns, axis=1))
    corners = write.op("GatherND", boxes, write.op("Concat", columns[0], columns[2], axis=1))
    found = write.op("Concat", corners, write.unsqueeze(best, 1), axis=1)
    own = write.op("Equal", write.unsqueeze(image, 0), np.arange(form.batch)[:, None])
    found = write.op("Where", write.unsqueeze(own, 2), write.unsqueeze(found, 0), np.float32([0]))
    kinds = write.op("Where", own, write.unsqueeze(kind, 0), np.int64([-1]))
    found = write.op("Concat", found, np.zeros((form.batch, 1, 5), np.float32), axis=1)
    kinds = write.op("Concat", kinds, np.zeros((form.batch, 1), np.int64), axis=1)
    column = write.squeeze(write.op("Slice", found, [4], [5], [2]), 2)
    rows = write.op("Gather", write.op("Shape", column), [1], axis=0)
    rows = write.op("Where", write.op("Less", rows, [form.total]), rows, [form.total])
    write.op("TopK", column, rows, out=["best", "places"], axis=1)
    write.op(
        "GatherElements",
        found,
        write.op("Expand", write.unsqueeze("places", 2), [1, 1, 5]),
        axis=1,
        out="dets",
    )
    write.op("GatherElements", kinds, "places", axis=1, out="labels")
    return write.model(
        {"boxes": form.boxes_shape, "scores": form.scores_shape},
        {
            "dets": (TensorProto.FLOAT, (form.batch, "found", 5)),
            "labels": (TensorProto.INT64, (form.batch, "found")),
        },
    )


def class_score_box(form: Form, *, index: bool = False, count: bool = True) -> LightModel:
    """``multiclass_nms3`` as paddle2onnx writes it by its source (hand-written, no export), of one image.

    Outputs ``found (K, 6)``, each row class, score and box, and ``count (1,) int32``, the length of that.

    Args:
        index: also output which box each row is.
        count: output the count.
    """
    write = Writer(form.opset)
    boxes, scores = write.clip("boxes"), write.op("Transpose", "scores", perm=[0, 2, 1])
    limits = [np.array([form.limit]), np.float32([form.iou]), np.float32([form.score])]
    selected = write.op("NonMaxSuppression", boxes, scores, *limits, out="selected")
    kind, box = (write.op("Gather", selected, np.array([column]), axis=1) for column in (1, 2))
    place = write.op("Add", write.op("Mul", kind, np.array([form.count])), box)
    values = write.op("Gather", write.op("Reshape", scores, [-1]), write.op("Reshape", place, [-1]), axis=0)
    rows = write.op("Slice", write.op("Shape", values), [0], [1], [0])
    most = write.op("ReduceMin", write.op("Concat", rows, [form.total], axis=0), axes=[0], keepdims=1)
    write.op("TopK", values, most, out=["best", "places"])
    values = write.op("Gather", values, "places", axis=0)
    kind = write.op("Gather", write.squeeze(kind, 1), "places", axis=0)
    box = write.op("Gather", write.squeeze(box, 1), "places", axis=0)
    columns = [write.op("Reshape", item, [1, -1, 1]) for item in (write.op("Cast", kind, to=1), values)]
    found = write.op("Concat", *columns, write.op("Gather", boxes, box, axis=1), axis=2)
    write.op("Identity", write.squeeze(found, 0), out="found")
    outputs: dict[str, tuple[int, Sequence[Any]]] = {"found": (TensorProto.FLOAT, ("k", 6))}
    if count:
        length = write.op("Slice", write.op("Shape", "found"), [0], [1], [0])
        write.op("Cast", length, to=TensorProto.INT32, out="count")
        outputs["count"] = (TensorProto.INT32, (1,))
    if index:
        write.op("Reshape", box, [-1, 1], out="index")
        outputs["index"] = (TensorProto.INT64, ("k", 1))
    return write.model({"boxes": form.boxes_shape, "scores": form.scores_shape}, outputs)


def best_class(form: Form, *, clip: bool = True) -> LightModel:
    """yolov7's ``ONNX_ORT`` with ``--max-wh`` as its source reads (hand-written, no export), of one image.

    A box is of its best class only, and moved by ``form.offset`` per class. Output ``found (K, 7)``: image, box, class,
    score.
    """
    write = Writer(form.opset)
    boxes = write.clip("boxes") if clip else write.op("Identity", "boxes")
    best = write.op("ReduceMax", "scores", axes=[2], keepdims=1)
    kind = write.op("ArgMax", "scores", axis=2, keepdims=1)
    moved = write.op("Add", boxes, write.op("Mul", write.op("Cast", kind, to=1), np.float32(form.offset)))
    limits = [np.array([form.limit]), np.float32([form.iou]), np.float32([form.score])]
    scores = write.op("Transpose", best, perm=[0, 2, 1])
    selected = write.op("NonMaxSuppression", moved, scores, *limits, out="selected")
    image, box = (write.op("Gather", selected, np.int64(index), axis=1) for index in (0, 2))
    places = write.op("Concat", write.unsqueeze(image, 1), write.unsqueeze(box, 1), axis=1)
    corners, kinds, values = (write.op("GatherND", item, places) for item in (boxes, kind, best))
    columns = [write.op("Cast", item, to=1) for item in (write.unsqueeze(image, 1), kinds)]
    write.op("Concat", columns[0], corners, columns[1], values, axis=1, out="found")
    return write.model(
        {"boxes": form.boxes_shape, "scores": form.scores_shape},
        {"found": (TensorProto.FLOAT, ("k", 7))},
    )


def levels(counts: Sequence[int], total: int) -> LightModel:
    """Proposals of levels of different sizes, kept apart by constant offsets: ``found (K, 4)``, the best ``total``."""
    write, count = Writer(), sum(counts)
    boxes = write.clip("boxes")
    offsets = np.repeat(np.arange(len(counts)) * np.float32(SIZE), counts)[None, :, None].astype(np.float32)
    scores = write.op("Transpose", "scores", perm=[0, 2, 1])
    limits = [np.array([count]), np.float32([0.3]), np.float32([0.1])]
    selected = write.op("NonMaxSuppression", write.op("Add", boxes, offsets), scores, *limits, out="selected")
    box = write.op("Slice", write.op("Gather", selected, np.int64(2), axis=1), [0], [total], [0])
    for name, source in (("found", boxes), ("best", "scores")):
        write.op("Gather", write.squeeze(source, 0), box, axis=0, out=name)
    shapes = {"found": (TensorProto.FLOAT, ("k", 4)), "best": (TensorProto.FLOAT, ("k", 1))}
    return write.model({"boxes": (1, count, 4), "scores": (1, count, 1)}, shapes)


def _keep(write: Writer, rows: tuple[str, ...], mask: str) -> tuple[str, ...]:
    places = write.squeeze(write.op("Transpose", write.op("NonZero", mask), perm=[1, 0]), 1)
    return tuple(write.op("Gather", item, places, axis=0) for item in rows)


def _zeros(form: Form) -> list[np.ndarray]:
    shapes = ((form.total, 4), (form.total,), (form.total,))
    return [np.zeros(shape, np.int64 if index == 2 else np.float32) for index, shape in enumerate(shapes)]


def random_inputs(model: LightModel, seed: int, top: float = SIZE) -> dict[str, np.ndarray]:
    """Boxes around a few places, scores in 0..1, all different."""
    random = np.random.default_rng(seed)
    found = {}
    for value in model.proto.graph.input:
        shape = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        if shape[-1] == 4:
            near = random.integers(0, 3, (*shape[:-1], 2)) * top / 3
            low = near + random.uniform(0, top / 8, near.shape)
            size = random.uniform(top / 8, top / 3, near.shape)
            found[value.name] = np.concatenate([low, low + size], -1).astype(np.float32)
        else:
            size = int(np.prod(shape))
            found[value.name] = (
                ((random.permutation(size) + 1) / (size + 1)).reshape(shape).astype(np.float32)
            )
    return found


def best_first(form: Form, *, before: int, extra: int = 0, agnostic: bool = False) -> LightModel:
    """A ``TopK`` first, then NMS of boxes moved by class (hand-written, no export), of one image.

    The best ``before`` boxes by their best class take part, moved by ``form.offset`` per class. Output ``found
    (1, T, 6 + extra)``: box, score, class, and what ``extra (N, extra)`` has for the box; zeros fill it up.

    Args:
        agnostic: no box is moved; the class only follows.
    """
    write, total = Writer(form.opset), form.total
    best = write.op("ReduceMax", "scores", axes=[2], keepdims=0)
    write.op("TopK", best, np.array([before]), out=["top", "places"], axis=1)
    rows = write.squeeze("places", 0)
    boxes = write.op("Gather", write.clip("boxes"), rows, axis=1)
    kinds = write.op("Gather", write.op("ArgMax", "scores", axis=2, keepdims=0), rows, axis=1)
    shift = write.op("Mul", write.op("Cast", kinds, to=1), np.float32(form.offset))
    moved = boxes if agnostic else write.op("Add", boxes, write.unsqueeze(shift, 2))
    limits = [np.array([total]), np.float32([form.iou]), np.float32([form.score])]
    selected = write.op("NonMaxSuppression", moved, write.unsqueeze("top", 1), *limits, out="selected")
    box = write.op("Gather", selected, np.int64(2), axis=1)
    corners, values, classes = (write.op("Gather", item, box, axis=1) for item in (boxes, "top", kinds))
    columns = [corners, write.unsqueeze(values, 2), write.unsqueeze(write.op("Cast", classes, to=1), 2)]
    if extra:
        rest = write.op("Gather", write.op("Gather", "extra", rows, axis=0), box, axis=0)
        columns.append(write.unsqueeze(rest, 0))
    found = write.op("Concat", *columns, axis=2)
    found = write.op("Concat", found, np.zeros((1, total, 6 + extra), np.float32), axis=1)
    write.op("Slice", found, [0], [total], [1], out="found")
    inputs = {"boxes": form.boxes_shape, "scores": form.scores_shape}
    return write.model(
        inputs | ({"extra": (form.count, extra)} if extra else {}),
        {"found": (TensorProto.FLOAT, (1, total, 6 + extra))},
    )
