"""Limits of single operators."""

from __future__ import annotations

import math

from convertkit_ascend.linter.rule import limit
from convertkit_ascend.linter.table import Check
from convertkit_ascend.linter.view import Node


@limit("write the axes")
def axes_explicit(node: Node, check: Check) -> str | None:
    """The axes are written."""
    return None if "axes" in node.attributes or node.input(1) else "the axes should be written"


@limit()
def axis_len_not(node: Node, check: Check) -> str | None:
    """The axis an operator works along has a length that its kernel takes."""
    shape, axis = node.view.shape(node.input(0)), node.attribute("axis")
    if not shape or axis is None or not -len(shape) <= axis < len(shape) or shape[axis] != check.value:
        return None
    return f"the axis it works along has {check.value} entry"


@limit("replace it by an operator with a static number of results")
def dynamic_output(node: Node, check: Check) -> str | None:
    """The number of results does not depend on the data."""
    return "the number of its results depends on the data"


@limit("read it through a Cast to that type (legalize-ascend does for TopK)")
def output_dtype_actual(node: Node, check: Check) -> str | None:
    """An output is read as the type that the chip writes, which is not ONNX's."""
    name = node.proto.output[check.output] if check.output < len(node.proto.output) else ""
    if not name or node.view.dtype(name) == check.actual:
        return None
    is_output = any(value.name == name for value in node.view.outputs)
    if not is_output and all(reader.op == "Cast" for reader in node.view.consumers.get(name, [])):
        return None  # nobody reads it as what ONNX says
    return f"output {check.output} is {check.actual} on the chip, ONNX says {node.view.dtype(name)}"


@limit()
def slice_last_step_one(node: Node, check: Check) -> str | None:
    """A Slice takes every entry of the last axis."""
    step = _last_step(node)
    return f"the step along the last axis should be 1, it is {step}" if step not in (None, 1) else None


@limit()
def slice_last_step_positive(node: Node, check: Check) -> str | None:
    """A Slice goes forward along the last axis."""
    step = _last_step(node)
    if step is None or step > 0:
        return None
    return f"the step along the last axis must be positive, it is {step}"


@limit()
def split_even(node: Node, check: Check) -> str | None:
    """A Split without sizes divides evenly."""
    shape, axis = node.view.shape(node.input(0)), node.attribute("axis")
    parts = node.attribute("num_outputs")
    if node.input(1) or not parts or not shape or axis is None or not -len(shape) <= axis < len(shape):
        return None
    size = shape[axis]
    return f"{size} cannot be split into {parts} equal parts" if size and size % parts else None


@limit()
def topk_small_k(node: Node, check: Check) -> str | None:
    """TopK of many values does not ask for very few."""
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
    steps, axes = steps.reshape(-1), node.view.constant(node.input(3))
    places = range(len(steps)) if axes is None else [int(axis) % len(shape) for axis in axes.reshape(-1)]
    found = [int(step) for place, step in zip(places, steps, strict=False) if place == len(shape) - 1]
    return found[0] if found else None
