"""Steps of one version that neither the schemas nor onnx's converter tell how to take.

Each takes a node and gives those that stand for it in the version before, or behind; :data:`DOWN` and :data:`UP` say
for which operator, and which version of it the step leaves or enters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from convertkit_passes.opsets.types import FOLD, Refused, Scope, attributes, rewritten

Nodes = list[onnx.NodeProto]
Adapter = Callable[[onnx.NodeProto, Scope], Nodes]

REDUCTIONS = ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "SumSquare")
SIZES = "set-input-shape in front of it may tell it"


def axes_as_attribute(node: onnx.NodeProto, scope: Scope) -> Nodes:
    """Axes (of Split: sizes) are no input yet."""
    given, values = attributes(node), scope.value(node, 1)
    idle = given.pop("noop_with_empty_axes", 0)
    if idle and (values is None or values.size == 0):
        return [onnx.helper.make_node("Identity", node.input[:1], node.output, name=node.name)]
    name = "split" if node.op_type == "Split" else "axes"
    listed = None if values is None or values.size == 0 else [int(value) for value in values]
    return [rewritten(node, {**given, name: listed}, [node.input[0]])]


def split_sizes(node: onnx.NodeProto, scope: Scope) -> Nodes:
    """``num_outputs`` is not known: equal parts need no word, others their sizes, the last one the smallest."""
    given = attributes(node)
    parts, axis = given.pop("num_outputs", None), given.get("axis", 0)
    if parts is None:
        return [node]
    shape = scope.shape(node.input[0])
    size = None if shape is None else shape[axis]
    if size is None:
        raise Refused(f"num_outputs={parts} cannot be said, and the size of axis {axis} is open", SIZES)
    if size % parts == 0:
        return [rewritten(node, given, [node.input[0]])]
    most = -(-size // parts)
    sizes = scope.constant(
        np.array([most] * (parts - 1) + [size - most * (parts - 1)]), f"{node.output[0]}/split"
    )
    return [sizes, rewritten(node, given, [node.input[0], sizes.output[0]])]


def pad_all_axes(node: onnx.NodeProto, scope: Scope) -> Nodes:
    """``pads`` belong to all axes, those that were not named get 0."""
    axes = scope.value(node, 3)
    if axes is None:
        return [rewritten(node, attributes(node), list(node.input[:3]))]
    rank = scope.rank(node.input[0])
    places = np.concatenate([axes % rank, axes % rank + rank]).astype(np.int64)
    stem = f"{node.output[0]}/pads"
    if node.input[1] in scope.constants:
        pads = np.zeros(2 * rank, np.int64)
        pads[places] = scope.constants[node.input[1]]()
        before = [scope.constant(pads, stem)]
    else:
        before = [scope.constant(np.zeros(2 * rank, np.int64), stem), scope.constant(places, stem)]
        names = [before[0].output[0], before[1].output[0], node.input[1]]
        before.append(onnx.helper.make_node("ScatterElements", names, [scope.fresh(stem)]))
        before[-1].name = before[-1].output[0]
    inputs = [node.input[0], before[-1].output[0], *node.input[2:3]]
    return [*before, rewritten(node, attributes(node), inputs)]


def resize_all_axes(node: onnx.NodeProto, scope: Scope) -> Nodes:
    """``scales`` and ``sizes`` belong to all axes, and sizes are what they say."""
    given = attributes(node)
    axes = given.pop("axes", None)
    policy = given.pop("keep_aspect_ratio_policy", b"stretch")
    if given.pop("antialias", 0):
        raise Refused("antialias=1 cannot be said")
    if policy != b"stretch" and len(node.input) > 3 and node.input[3]:
        raise Refused(f"keep_aspect_ratio_policy={policy.decode()} cannot be said")
    inputs = list(node.input) + [""] * (4 - len(node.input))
    before: Nodes = []
    for at in (1, 2, 3) if axes is not None else ():
        if inputs[at]:
            before.append(_all_axes(node, at, list(axes), scope))
            inputs[at] = before[-1].output[0]
    return [*before, rewritten(node, given, inputs)]


def _all_axes(node: onnx.NodeProto, at: int, axes: list[int], scope: Scope) -> onnx.NodeProto:
    """A RoI, scales or sizes of all axes; what is not resized starts at 0 and ends at 1, has scale 1 or its size."""
    values, rank = scope.value(node, at), scope.rank(node.input[0])
    assert values is not None
    places = np.array(axes) % rank
    if at == 1:
        whole = np.array([0] * rank + [1] * rank, values.dtype)
        whole[np.concatenate([places, places + rank])] = values
    elif at == 2:
        whole = np.ones(rank, values.dtype)
        whole[places] = values
    else:
        shape = scope.shape(node.input[0]) or []
        if any(size is None for index, size in enumerate(shape) if index not in places):
            raise Refused(f"axes={axes} cannot be said, and a size of {node.input[0]!r} is open", SIZES)
        whole = np.array([size or 0 for size in shape], np.int64)
        whole[places] = values
    return scope.constant(whole, f"{node.output[0]}/{('roi', 'scales', 'sizes')[at - 1]}")


def resize_every_input(node: onnx.NodeProto, scope: Scope) -> Nodes:
    """A RoI and scales that are left out have to be there, empty."""
    inputs = list(node.input) + [""] * (3 - len(node.input))
    before = [
        scope.constant(np.zeros(0, np.float32), f"{node.output[0]}/none") for at in (1, 2) if not inputs[at]
    ]
    fill = iter(before)
    for at in (1, 2):
        inputs[at] = inputs[at] or next(fill).output[0]
    return [*before, rewritten(node, attributes(node), inputs)]


def reshape_zero(node: onnx.NodeProto, scope: Scope) -> Nodes:
    """``allowzero`` is not known: it decides where a size is 0."""
    given = attributes(node)
    if given.pop("allowzero", 0):
        if node.input[1] not in scope.constants:
            raise Refused("allowzero=1 cannot be said of sizes that are no constant", FOLD)
        if 0 in scope.constants[node.input[1]]():
            raise Refused("allowzero=1 with a size of 0 cannot be said")
    return [rewritten(node, given)]


def shape_slice(node: onnx.NodeProto, scope: Scope) -> Nodes:
    """``start`` and ``end`` are not known: a Slice behind takes them, and cuts them off likewise."""
    given = attributes(node)
    start, end = given.get("start", 0), given.get("end", np.iinfo(np.int64).max)
    if not given or (start == 0 and "end" not in given):
        return [rewritten(node, {})]
    whole, stem = scope.fresh(f"{node.output[0]}/shape"), f"{node.output[0]}/bound"
    rank = scope.shape(node.input[0])
    if rank is not None:
        scope.types[whole] = onnx.helper.make_tensor_type_proto(onnx.TensorProto.INT64, [len(rank)])
    bounds = [scope.constant(np.array([value], np.int64), stem) for value in (start, end, 0)]
    all_of_it = onnx.helper.make_node("Shape", node.input, [whole], name=node.name)
    names = [whole, *(item.output[0] for item in bounds)]
    part = onnx.helper.make_node("Slice", names, node.output, name=scope.fresh(f"{node.output[0]}/Slice"))
    return [*bounds, all_of_it, part]


def constant_tensor(node: onnx.NodeProto, scope: Scope) -> Nodes:
    """Only ``value`` is known."""
    (item,) = node.attribute
    if item.name in ("value", "sparse_value"):
        return [node]
    kind = {"i": np.int64, "f": np.float32, "s": np.object_}[item.name.removeprefix("value_")[0]]
    values: NDArray[Any] = np.array(onnx.helper.get_attribute_value(item), kind)
    return [rewritten(node, {"value": onnx.numpy_helper.from_array(values, node.output[0])})]


def softmax_last(node: onnx.NodeProto, scope: Scope) -> Nodes:
    """All axes from ``axis`` on are one: it has to be the last one, else it is moved there and back."""
    rank, given = scope.rank(node.input[0]), attributes(node)
    axis = given.get("axis", -1) % max(rank, 1)
    if axis == rank - 1:
        return [rewritten(node, {**given, "axis": axis})]
    order = [index for index in range(rank) if index != axis] + [axis]
    moved, done = scope.fresh(f"{node.output[0]}/moved"), scope.fresh(f"{node.output[0]}/done")
    scope.types[moved] = scope.types[done] = onnx.helper.make_tensor_type_proto(
        scope.types[node.input[0]].tensor_type.elem_type, [None] * rank
    )
    core = rewritten(node, {**given, "axis": rank - 1}, [moved])
    core.output[0] = done
    back = [order.index(index) for index in range(rank)]
    names = [scope.fresh(f"{node.name or node.output[0]}/Transpose") for _ in range(2)]
    return [
        onnx.helper.make_node("Transpose", node.input, [moved], name=names[0], perm=order),
        core,
        onnx.helper.make_node("Transpose", [done], node.output, name=names[1], perm=back),
    ]


def plain_dropout(node: onnx.NodeProto, scope: Scope) -> Nodes:
    """Nothing but the data is an input: at inference the ratio does nothing."""
    if (training := scope.value(node, 2)) is not None and training.any():
        raise Refused("training_mode cannot be said")
    return [rewritten(node, {}, [node.input[0]])]


GRID_MODES = {b"linear": b"bilinear", b"cubic": b"bicubic", b"nearest": b"nearest"}


def grid_modes_down(node: onnx.NodeProto, scope: Scope) -> Nodes:
    """The modes have the names of two dimensions, which are all it has."""
    if scope.rank(node.input[0]) != 4:
        raise Refused("it samples pictures only, of four dimensions")
    given = attributes(node)
    return [rewritten(node, {**given, "mode": GRID_MODES[given.get("mode", b"linear")]})]


def grid_modes_up(node: onnx.NodeProto, scope: Scope) -> Nodes:
    """The modes have the names of any dimensions."""
    given = attributes(node)
    names = {old: new for new, old in GRID_MODES.items()}
    return [rewritten(node, {**given, "mode": names[given.get("mode", b"bilinear")]})]


def axes_as_input(node: onnx.NodeProto, scope: Scope) -> Nodes:
    """Axes (of Split: sizes) are an input. onnx's converter does it, too, but for a type that may be unknown."""
    given = attributes(node)
    listed = given.pop("split" if node.op_type == "Split" else "axes", None)
    if listed is None:
        return [rewritten(node, given)]
    axes = scope.constant(np.array(listed, np.int64), f"{node.output[0]}/axes")
    return [axes, rewritten(node, given, [node.input[0], axes.output[0]])]


def split_number(node: onnx.NodeProto, scope: Scope) -> Nodes:
    """Equal parts have to be counted."""
    counted = {"num_outputs": len(node.output)} if len(node.input) == 1 else {}
    return [rewritten(node, {**attributes(node), **counted})]


def resize_asymmetric(node: onnx.NodeProto, scope: Scope) -> Nodes:
    """Coordinates count from the corner; the nearest pixel is the one before, of what becomes larger.

    onnx's converter leaves ``coordinate_transformation_mode`` at its default, which is another picture.
    """
    given = {**attributes(node), "coordinate_transformation_mode": b"asymmetric"}
    if given.get("mode", b"nearest") == b"nearest":
        scales = scope.value(node, 1)
        if scales is None or scales.min() < 1:
            raise Refused("the nearest pixel of what becomes smaller is not defined")
        given["nearest_mode"] = b"floor"
    none = scope.constant(np.zeros(0, np.float32), f"{node.output[0]}/none")
    return [none, rewritten(node, given, [node.input[0], none.output[0], node.input[1]])]


DOWN: dict[tuple[str, int], Adapter] = {
    **{(f"Reduce{kind}", 18): axes_as_attribute for kind in REDUCTIONS},
    **{(op, 13): axes_as_attribute for op in ("ReduceSum", "Squeeze", "Unsqueeze", "Split")},
    **{(op, 13): softmax_last for op in ("Softmax", "LogSoftmax", "Hardmax")},
    ("Split", 18): split_sizes,
    ("Pad", 18): pad_all_axes,
    ("Resize", 18): resize_all_axes,
    ("Resize", 13): resize_every_input,
    ("Reshape", 14): reshape_zero,
    ("Shape", 15): shape_slice,
    ("Constant", 12): constant_tensor,
    ("Dropout", 12): plain_dropout,
    ("GridSample", 20): grid_modes_down,
}
UP: dict[tuple[str, int], Adapter] = {
    **{(f"Reduce{kind}", 18): axes_as_input for kind in REDUCTIONS},
    **{(op, 13): axes_as_input for op in ("ReduceSum", "Squeeze", "Unsqueeze", "Split")},
    ("Resize", 11): resize_asymmetric,
    ("Split", 18): split_number,
    ("GridSample", 20): grid_modes_up,
}
