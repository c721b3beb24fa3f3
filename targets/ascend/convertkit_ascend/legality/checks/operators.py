"""Checks that know one operator."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convertkit_ascend.legality.table import Check
    from convertkit_ascend.legality.view import Node


def axes_explicit(node: Node, check: Check) -> str | None:
    return None if "axes" in node.attributes or node.input(1) else "the axes should be written"


def axis_len_not(node: Node, check: Check) -> str | None:
    shape, axis = node.view.shape(node.input(0)), node.attribute("axis")
    if not shape or axis is None or not -len(shape) <= axis < len(shape) or shape[axis] != check.value:
        return None
    return f"the axis it works along has {check.value} entry"


def dynamic_output(node: Node, check: Check) -> str | None:
    return "the number of its results depends on the data"


def output_dtype_actual(node: Node, check: Check) -> str | None:
    """Of interest where somebody reads the output as the type ONNX gives it: anybody but a Cast to the actual one."""
    name = node.proto.output[check.output] if check.output < len(node.proto.output) else ""
    if not name or node.view.dtype(name) == check.actual:
        return None
    is_output = any(value.name == name for value in node.view.outputs)
    if not is_output and all(reader.op == "Cast" for reader in node.view.consumers.get(name, [])):
        return None
    return f"output {check.output} is {check.actual} on the chip, ONNX says {node.view.dtype(name)}"


def slice_last_step_one(node: Node, check: Check) -> str | None:
    step = _last_step(node)
    return None if step is None or step == 1 else f"the step along the last axis should be 1, it is {step}"


def slice_last_step_positive(node: Node, check: Check) -> str | None:
    step = _last_step(node)
    return (
        None if step is None or step > 0 else f"the step along the last axis must be positive, it is {step}"
    )


def split_even(node: Node, check: Check) -> str | None:
    shape, axis = node.view.shape(node.input(0)), node.attribute("axis")
    parts = node.attribute("num_outputs")
    if node.input(1) or not parts or not shape or axis is None or not -len(shape) <= axis < len(shape):
        return None
    size = shape[axis]
    return f"{size} cannot be split into {parts} equal parts" if size and size % parts else None


def topk_small_k(node: Node, check: Check) -> str | None:
    values, shape = node.view.constant(node.input(1)), node.view.static(node.input(0))
    if values is None or values.size != 1 or shape is None:
        return None
    k, count = int(values.reshape(-1)[0]), math.prod(shape)
    if not check.k_min <= k <= check.k_max or count <= check.numel_above:
        return None
    return f"k = {k} of {count} values: from {check.numel_above} values on, k must be above {check.k_max}"


def _last_step(node: Node) -> int | None:
    """The step of a Slice along the last axis; None where it is not sliced or not known."""
    shape, starts = node.view.shape(node.input(0)), node.view.shape(node.input(1))
    steps = node.view.constant(node.input(4))
    if steps is None or not shape or not starts:
        return None
    axes = node.view.constant(node.input(3))
    steps = steps.reshape(-1)
    places = (
        list(range(len(steps))) if axes is None else [int(axis) % len(shape) for axis in axes.reshape(-1)]
    )
    found = [int(step) for place, step in zip(places, steps, strict=False) if place == len(shape) - 1]
    return found[0] if found else None
