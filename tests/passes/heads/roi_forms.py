"""Multi-level RoI extraction in the ways exporters write it, as small graphs.

mmdet 2.28 multiplies and adds, mmdet 2.8 gathers and scatters (``SingleRoIExtractor.forward``), torchvision merges by
ScatterElements (``ops/poolers.py``, ``_onnx_merge_levels``), others concatenate and gather back or select by Where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from convertkit.graph.light import LightModel, detach

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


@dataclass(frozen=True)
class Extraction:
    """What a graph extracts.

    Args:
        image: height and width in pixels.
        count: of RoIs; a name where it is symbolic.
        bounds: factors of the finest scale between the levels; by default powers of two.
        order: the order in which the levels are written.
        expand: RoIs are scaled by it about their centre after their level is chosen (mmdet ``roi_scale_factor``).
        scaled: by how much the result of each level is multiplied.
        shift: feature pixels by which RoIs are moved besides.
        shared: the second level pools from the first one's features.
        uneven: the first level pools twice the bins and averages them.
        fewest: RoIs that are fewer than this are all pooled from the first level.
    """

    strides: tuple[float, ...] = (4, 8, 16)
    finest: int = 8
    bins: tuple[int, int] = (3, 3)
    samples: int = 0
    aligned: bool = True
    channels: int = 3
    image: tuple[int, int] = (64, 96)
    count: int | str = 16
    images: int = 1
    opset: int = 11
    mode: str = "avg"
    bounds: tuple[float, ...] = ()
    order: tuple[int, ...] = ()
    expand: float = 1.0
    scaled: tuple[float, ...] = ()
    shift: float = 0.0
    shared: bool = False
    uneven: bool = False
    fewest: int = 0

    def but(self, **changes: Any) -> Extraction:
        return replace(self, **changes)

    @property
    def levels(self) -> int:
        return len(self.strides)

    @property
    def written(self) -> tuple[int, ...]:
        return self.order or tuple(range(self.levels))

    def map(self, level: int) -> list[int]:
        """Shape of a feature map."""
        height, width = (max(2, round(side / self.strides[level])) for side in self.image)
        return [self.images, self.channels, height, width]


@dataclass
class Net:
    """Nodes under construction; tensors are their names, t0, t1, ..."""

    opset: int
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)

    def __call__(self, op: str, *inputs: str, **attributes: Any) -> str:
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=f"{op}_{name}", **attributes))
        return name

    def value(self, values: Any, dtype: Any = np.float32) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def ints(self, *values: int) -> str:
        return self.value(list(values), np.int64)

    def index(self, value: int) -> str:
        return self.value(value, np.int64)

    def columns(self, tensor: str, first: int, last: int) -> str:
        return self("Slice", tensor, self.ints(first), self.ints(last), self.ints(1))

    def squeeze(self, tensor: str, axis: int) -> str:
        return self._axis("Squeeze", tensor, axis)

    def unsqueeze(self, tensor: str, axis: int) -> str:
        return self._axis("Unsqueeze", tensor, axis)

    def _axis(self, op: str, tensor: str, axis: int) -> str:
        """From opset 13 on the axes are an input."""
        return self(op, tensor, self.ints(axis)) if self.opset >= 13 else self(op, tensor, axes=[axis])

    def column(self, tensor: str, which: int) -> str:
        return self("Gather", tensor, self.index(which), axis=1)

    def model(
        self, e: Extraction, rois: str, results: Sequence[tuple[str, Sequence[int | str]]]
    ) -> LightModel:
        """The graph from features ``f0, f1, ...`` and rois to results with their shapes."""
        features = [
            helper.make_tensor_value_info(f"f{level}", FLOAT, e.map(level)) for level in range(e.levels)
        ]
        columns = 4 if rois == "boxes" else 5
        given = [*features, helper.make_tensor_value_info(rois, FLOAT, [e.count, columns])]
        made = [helper.make_tensor_value_info(name, FLOAT, list(shape)) for name, shape in results]
        graph = helper.make_graph(self.nodes, "graph", given, made, self.constants)
        proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", e.opset)], ir_version=8)
        onnx.checker.check_model(proto, full_check=True)
        return detach(proto)


def shape(e: Extraction) -> list[int | str]:
    return [e.count, e.channels, *e.bins]


def mask_add(e: Extraction) -> LightModel:
    """mmdet 2.28: every level pools all RoIs times its mask; results times their masks are added up."""
    net = Net(e.opset)
    return net.model(e, "rois", [(masked_sum(net, e, "rois"), shape(e))])


def masked_sum(net: Net, e: Extraction, rois: str) -> str:
    size = e.channels * e.bins[0] * e.bins[1]
    total = net("Expand", net.columns(rois, 0, 1), net.ints(1, size))
    total = net("Mul", net("Reshape", total, net.ints(-1, e.channels, *e.bins)), net.value(0.0))
    levels, rois = mmdet_levels(net, e, rois), expanded(net, e, rois)
    for level in e.written:
        mask = net.unsqueeze(net("Cast", net("Equal", levels, net.index(level)), to=FLOAT), 1)
        pooled = align(net, e, level, net("Mul", rois, mask))
        wide = net("Reshape", net("Expand", mask, net.ints(1, size)), net.ints(-1, e.channels, *e.bins))
        total = net("Add", total, net("Mul", pooled, wide))
    return total


def two_heads(e: Extraction, other: Extraction) -> LightModel:
    """Two extractors on the same RoIs and features."""
    net = Net(e.opset)
    results = [(masked_sum(net, item, "rois"), shape(item)) for item in (e, other)]
    return net.model(e, "rois", results)


def cascade(e: Extraction) -> LightModel:
    """The RoIs of the second extractor are computed from what the first one gave."""
    net = Net(e.opset)
    first = net("ReduceMean", masked_sum(net, e, "rois"), axes=[1, 2, 3], keepdims=0)
    moved = net("Mul", net.unsqueeze(first, 1), net.value([0.0, 8.0, 8.0, 8.0, 8.0]))
    return net.model(e, "rois", [(masked_sum(net, e, net("Add", "rois", moved)), shape(e))])


def with_semantics(e: Extraction) -> LightModel:
    """HTC: one more RoiAlign, of another feature map, is added to the extracted features."""
    net = Net(e.opset)
    total = masked_sum(net, e, "rois")
    images = net("Cast", net.squeeze(net.columns("rois", 0, 1), 1), to=INT64)
    other = net(
        "RoiAlign", net("Relu", "f0"), net.columns("rois", 1, 5), images, mode="avg", spatial_scale=0.25,
        output_height=e.bins[0], output_width=e.bins[1], sampling_ratio=1,
    )  # fmt: skip
    return net.model(e, "rois", [(net("Add", total, other), shape(e))])


def scatter_nd(e: Extraction) -> LightModel:
    """mmdet 2.8: the RoIs of a level are gathered, their results scattered into zeros."""
    net = Net(e.opset)
    result = net.value(np.zeros(shape(e)))
    levels, rois = mmdet_levels(net, e, "rois"), expanded(net, e, "rois")
    for level in e.written:
        indices = net("Transpose", net("NonZero", net("Equal", levels, net.index(level))), perm=[1, 0])
        mine = net("Gather", rois, net.squeeze(indices, 1), axis=0)
        result = net("ScatterND", result, indices, align(net, e, level, mine))
    return net.model(e, "rois", [(result, shape(e))])


def torchvision(e: Extraction) -> LightModel:
    """torchvision: boxes (K, 4); the image's number is put in front, the levels are computed from the boxes."""
    net = Net(e.opset)
    levels = torchvision_levels(net, e)
    ids = net("ConstantOfShape", net("Shape", net.columns("boxes", 0, 1)), value=zero())
    rois = net("Concat", ids, "boxes", axis=1)
    places, results = [], []
    for level in e.written:
        found = net("NonZero", net("Equal", levels, net.index(level)))
        places.append(net.squeeze(net("Transpose", found, perm=[1, 0]), 1))
        results.append(align(net, e, level, net("Gather", rois, places[-1], axis=0)))
    result = net("ConstantOfShape", net("Concat", net("Shape", levels), net.ints(e.channels, *e.bins), axis=0),
                 value=zero())  # fmt: skip
    for place, pooled in zip(places, results, strict=True):
        wide = net("Concat", net("Shape", place), net.ints(e.channels, *e.bins), axis=0)
        index = net("Expand", net("Reshape", place, net.ints(-1, 1, 1, 1)), wide)
        result = net("ScatterElements", result, index, pooled, axis=0)
    return net.model(e, "boxes", [(result, shape(e))])


def concat_gather(e: Extraction) -> LightModel:
    """Results level by level in one tensor, then gathered back into the order of the RoIs."""
    net = Net(e.opset)
    levels = mmdet_levels(net, e, "rois")
    places, results = [], []
    for level in e.written:
        found = net("NonZero", net("Equal", levels, net.index(level)))
        places.append(net.squeeze(found, 0))
        results.append(align(net, e, level, net("Gather", "rois", places[-1], axis=0)))
    together = net("Concat", *places, axis=0)
    count = net("Shape", together)
    order = net("Cast", together, to=FLOAT)
    net.nodes.append(
        helper.make_node("TopK", [order, count], ["sorted", "back"], name="TopK", axis=0, largest=0)
    )
    result = net("Gather", net("Concat", *results, axis=0), "back", axis=0)
    return net.model(e, "rois", [(result, shape(e))])


def where(e: Extraction, image: int = 0) -> LightModel:
    """Every level pools all RoIs, Where selects. The RoIs are boxes of one image, no (K, 5) anywhere."""
    net = Net(e.opset)
    levels = torchvision_levels(net, e)
    number = helper.make_tensor("image", INT64, [1], [image])
    images = net("ConstantOfShape", net("Shape", levels), value=number)
    result = net.value(np.zeros((1, e.channels, *e.bins)))
    for level in e.written:
        mine = net("Reshape", net("Equal", levels, net.index(level)), net.ints(-1, 1, 1, 1))
        result = net("Where", mine, pool(net, e, level, shifted(net, e, level, "boxes"), images), result)
    return net.model(e, "boxes", [(result, shape(e))])


def wide_source(e: Extraction) -> LightModel:
    """The RoIs are columns of a wider tensor: no tensor that all levels share has 4 or 5 of them."""
    net = Net(e.opset)
    total = net.value(np.zeros((1, e.channels, *e.bins)))
    for level in e.written:
        rois = net.columns("boxes", level, level + 5)
        total = net("Add", total, align(net, e, level, rois))
    model = net.model(e, "boxes", [(total, shape(e))])
    model.proto.graph.input[-1].type.tensor_type.shape.dim[1].dim_value = 4 + e.levels
    return model


def single(e: Extraction) -> LightModel:
    """One level only."""
    net = Net(e.opset)
    return net.model(e, "rois", [(align(net, e, 0, "rois"), shape(e))])


def mmdet_levels(net: Net, e: Extraction, rois: str) -> str:
    """``(K,) int64``: floor(log2(scale / finest + 1e-6)), clamped."""
    scale = side_mean(net, rois, 1)
    if e.bounds:
        return counted(net, e, scale)
    grown = net("Add", net("Div", scale, net.value(e.finest)), net.value(1e-6))
    level = net("Floor", net("Div", net("Log", grown), net.value(np.log(2))))
    if e.fewest:
        many = net("Not", net("Less", net("Shape", scale), net.ints(e.fewest)))
        level = net("Mul", level, net("Cast", many, to=FLOAT))
    return net("Cast", net("Clip", level, net.value(0.0), net.value(e.levels - 1)), to=INT64)


def torchvision_levels(net: Net, e: Extraction) -> str:
    """``(K,) int64``: floor(k + log2(scale / canonical) + 1e-6), clamped to k_min..k_max, minus k_min."""
    scale = side_mean(net, "boxes", 0)
    low = 2
    ratio = net("Div", net("Log", net("Div", scale, net.value(e.finest * 4))), net.value(np.log(2)))
    level = net("Floor", net("Add", net("Add", ratio, net.value(low + 2)), net.value(1e-6)))
    level = net("Clip", level, net.value(low), net.value(low + e.levels - 1))
    return net("Sub", net("Cast", level, to=INT64), net.index(low))


def counted(net: Net, e: Extraction, scale: str) -> str:
    """``(K,) int64``: how many bounds the scale has reached."""
    above = [net("Less", scale, net.value(e.finest * bound)) for bound in e.bounds]
    total = net.value(e.levels - 1)
    for mask in above:
        total = net("Sub", total, net("Cast", mask, to=FLOAT))
    return net("Cast", total, to=INT64)


def side_mean(net: Net, rois: str, first: int) -> str:
    x1, y1, x2, y2 = (net.column(rois, first + index) for index in range(4))
    return net("Sqrt", net("Mul", net("Sub", x2, x1), net("Sub", y2, y1)))


def expanded(net: Net, e: Extraction, rois: str) -> str:
    if e.expand == 1:
        return rois
    grow = (e.expand - 1) / 2
    matrix = np.eye(5)
    for axis in (1, 2):
        matrix[[axis, axis + 2], axis] = 1 + grow, -grow
        matrix[[axis, axis + 2], axis + 2] = -grow, 1 + grow
    return net("MatMul", rois, net.value(matrix))


def align(net: Net, e: Extraction, level: int, rois: str) -> str:
    """RoiAlign of RoIs (k, 5) on one level."""
    images = net("Cast", net.squeeze(net.columns(rois, 0, 1), 1), to=INT64)
    return pool(net, e, level, shifted(net, e, level, net.columns(rois, 1, 5)), images)


def shifted(net: Net, e: Extraction, level: int, boxes: str) -> str:
    """Before opset 16 RoiAlign cannot be aligned; mmcv shifts the boxes instead."""
    shift = e.shift + (0.5 if e.aligned and e.opset < 16 else 0.0)
    return net("Sub", boxes, net.value([shift * e.strides[level]])) if shift else boxes


def pool(net: Net, e: Extraction, level: int, boxes: str, images: str) -> str:
    modes = {"coordinate_transformation_mode": "half_pixel" if e.aligned else "output_half_pixel"}
    more = 2 if e.uneven and level == 0 else 1
    result = net(
        "RoiAlign", "f0" if e.shared and level == 1 else f"f{level}", boxes, images, mode=e.mode,
        spatial_scale=1 / e.strides[level], output_height=e.bins[0] * more, output_width=e.bins[1] * more,
        sampling_ratio=e.samples, **(modes if e.opset >= 16 else {}),
    )  # fmt: skip
    if more > 1:
        result = net("AveragePool", result, kernel_shape=[2, 2], strides=[2, 2])
    return net("Mul", result, net.value(e.scaled[level])) if e.scaled else result


def zero() -> TensorProto:
    return helper.make_tensor("zero", FLOAT, [1], [0.0])
