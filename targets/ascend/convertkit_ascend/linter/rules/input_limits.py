"""Limits of inputs and outputs: how many, of which type, rank, size and value."""

from __future__ import annotations

import numpy as np

from convertkit_ascend.linter.rule import limit
from convertkit_ascend.linter.table import Check
from convertkit_ascend.linter.view import Node


@limit()
def any_input_present(node: Node, check: Check) -> str | None:
    """One of several optional inputs is connected."""
    there = any(node.input(place) for place in check.places)
    return None if there else f"one of the inputs {', '.join(map(str, check.places))} must be there"


@limit("make it an initializer (fold-constants does where it can be computed)")
def input_const(node: Node, check: Check) -> str | None:
    """An input is constant."""
    names = {place: node.input(place) for place in check.places}
    computed = [str(place) for place, name in names.items() if name and not node.view.is_constant(name)]
    return f"input {', '.join(computed)} must be constant" if computed else None


@limit()
def input_count_range(node: Node, check: Check) -> str | None:
    """A node has the right number of inputs."""
    low, high, count = check.min or 0, check.max or 0, len(node.inputs)
    return None if low <= count <= high else f"it must have {low} to {high} inputs, it has {count}"


@limit()
def input_dim_max(node: Node, check: Check) -> str | None:
    """A size of an input is not too large."""
    return input_dim_range.check(node, check)


@limit()
def input_dim_range(node: Node, check: Check) -> str | None:
    """A size of an input is inside its range."""
    place = check.places[0]
    shape = node.view.shape(node.input(place))
    if not shape or not -len(shape) <= check.axis < len(shape):
        return None
    size = shape[check.axis]
    if size is None or (check.min or 0) <= size <= (check.max or 0):
        return None
    wanted = f"at most {check.max}" if check.min is None else f"{check.min} to {check.max}"
    return f"axis {check.axis} of input {place} must be {wanted}, it is {size}"


@limit("cast the input")
def input_dtype_in(node: Node, check: Check) -> str | None:
    """An input has an element type that the kernel takes."""
    place = check.places[0]
    kind = node.chip_type(place)
    if not kind or kind in check.values:
        return None
    return f"input {place} must be {' or '.join(map(str, check.values))}, it is {kind}"


@limit("add the size of the axis to negative indices (legalize-ascend does for constants)")
def input_nonneg(node: Node, check: Check) -> str | None:
    """Indices are not negative."""
    values = node.view.constant(node.input(check.places[0]))  # of computed ones nothing is known
    if values is None or not values.size or values.min() >= 0:
        return None
    return f"input {check.places[0]} holds the negative index {values.min()}"


@limit()
def input_rank_in(node: Node, check: Check) -> str | None:
    """An input has a rank that the kernel takes."""
    if check.when_mode and node.attribute("mode") != check.when_mode:
        return None
    shape, ranks = node.view.shape(node.input(check.places[0])), " or ".join(map(str, check.values))
    if shape is None or len(shape) in check.values:
        return None
    return f"input {check.places[0]} must have rank {ranks}, it has {len(shape)}"


@limit()
def input_rank_min(node: Node, check: Check) -> str | None:
    """An input has at least a certain rank."""
    return input_rank_range.check(node, check)


@limit()
def input_rank_range(node: Node, check: Check) -> str | None:
    """An input has a rank that the kernel takes."""
    shape = node.view.shape(node.input(check.places[0]))
    low, high = check.min or 0, np.inf if check.max is None else check.max
    if shape is None or low <= len(shape) <= high:
        return None
    return f"input {check.places[0]} must have rank {low} to {high}, it has {len(shape)}"


@limit()
def input_value_max(node: Node, check: Check) -> str | None:
    """The values of a constant input are not too large."""
    values = node.view.constant(node.input(check.places[0]))
    if values is None or not values.size or check.max is None or values.max() <= check.max:
        return None
    return f"input {check.places[0]} must be at most {check.max}, it is {values.max()}"


@limit()
def max_inputs(node: Node, check: Check) -> str | None:
    """A node has not too many inputs."""
    # the parser joins an empty name to nothing, so those at the end do not count
    count = max((place for place, name in enumerate(node.inputs, 1) if name), default=0)
    most = int(check.value or 0)
    return f"it must have at most {most} inputs, it has {count}" if count > most else None


@limit()
def max_outputs(node: Node, check: Check) -> str | None:
    """A node has not too many outputs."""
    count, most = len(node.proto.output), int(check.value or 0)  # as the plugin counts: an unnamed one is one
    return f"it must have at most {most} outputs, it has {count}" if count > most else None


@limit()
def min_inputs(node: Node, check: Check) -> str | None:
    """A node lists enough inputs."""
    count, least = len(node.inputs), int(check.value or 0)
    return f"it must list at least {least} inputs, it has {count}" if count < least else None


@limit("cast one of them, so that both have one type on the chip too")
def same_dtype(node: Node, check: Check) -> str | None:
    """Inputs that must have one type have one on the chip too."""
    kinds = [node.chip_type(place) for place in check.places]
    if "" in kinds or len(set(kinds)) == 1:
        return None
    return f"its inputs are {' and '.join(kinds)} on the chip, they must be of one type"
