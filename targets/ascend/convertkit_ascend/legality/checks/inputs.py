"""Checks about the inputs of a node: how many, of which type, rank, size and value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from convertkit_ascend.legality.table import Check
    from convertkit_ascend.legality.view import Node


def any_input_present(node: Node, check: Check) -> str | None:
    if any(node.input(place) for place in check.places):
        return None
    return f"one of the inputs {_listed(check.places)} must be there"


def input_const(node: Node, check: Check) -> str | None:
    computed = [
        place for place in check.places if node.input(place) and not node.view.is_constant(node.input(place))
    ]
    return f"input {_listed(computed)} must be constant" if computed else None


def input_count_range(node: Node, check: Check) -> str | None:
    low, high, count = check.min or 0, check.max or 0, len(node.inputs)
    return None if low <= count <= high else f"it must have {low} to {high} inputs, it has {count}"


def input_dim_range(node: Node, check: Check) -> str | None:
    place = check.places[0]
    shape = node.view.shape(node.input(place))
    if not shape or not -len(shape) <= check.axis < len(shape):
        return None
    size = shape[check.axis]
    if size is None or (check.min or 0) <= size <= (check.max or 0):
        return None
    limit = f"at most {check.max}" if check.min is None else f"{check.min} to {check.max}"
    return f"axis {check.axis} of input {place} must be {limit}, it is {size}"


def input_dtype_in(node: Node, check: Check) -> str | None:
    place = check.places[0]
    kind = _kind(node, place)
    if not kind or kind in check.values:
        return None
    return f"input {place} must be {' or '.join(map(str, check.values))}, it is {kind}"


def input_nonneg(node: Node, check: Check) -> str | None:
    values = node.view.constant(node.input(check.places[0]))
    if values is None or not values.size or values.min() >= 0:
        return None
    return f"input {check.places[0]} holds the negative index {values.min()}"


def input_rank_in(node: Node, check: Check) -> str | None:
    if check.when_mode and node.attribute("mode") != check.when_mode:
        return None
    shape = node.view.shape(node.input(check.places[0]))
    if shape is None or len(shape) in check.values:
        return None
    return (
        f"input {check.places[0]} must have rank {' or '.join(map(str, check.values))}, it has {len(shape)}"
    )


def input_rank_range(node: Node, check: Check) -> str | None:
    shape = node.view.shape(node.input(check.places[0]))
    low, high = check.min or 0, np.inf if check.max is None else check.max
    if shape is None or low <= len(shape) <= high:
        return None
    return f"input {check.places[0]} must have rank {low} to {high}, it has {len(shape)}"


def input_value_max(node: Node, check: Check) -> str | None:
    values = node.view.constant(node.input(check.places[0]))
    if values is None or not values.size or check.max is None or values.max() <= check.max:
        return None
    return f"input {check.places[0]} must be at most {check.max}, it is {values.max()}"


def max_inputs(node: Node, check: Check) -> str | None:
    """The parser joins an empty name to nothing, so those at the end do not count."""
    count = max((place for place, name in enumerate(node.inputs, 1) if name), default=0)
    return (
        f"it must have at most {check.value} inputs, it has {count}"
        if count > int(check.value or 0)
        else None
    )


def max_outputs(node: Node, check: Check) -> str | None:
    count = len(node.proto.output)  # as the plugin counts: an unnamed one is one
    return (
        f"it must have at most {check.value} outputs, it has {count}"
        if count > int(check.value or 0)
        else None
    )


def min_inputs(node: Node, check: Check) -> str | None:
    count = len(node.inputs)
    return (
        f"it must list at least {check.value} inputs, it has {count}"
        if count < int(check.value or 0)
        else None
    )


def same_dtype(node: Node, check: Check) -> str | None:
    kinds = [_kind(node, place) for place in check.places]
    if "" in kinds or len(set(kinds)) == 1:
        return None
    return f"its inputs are {' and '.join(kinds)} on the chip, they must be of one type"


def _kind(node: Node, place: int) -> str:
    """The element type on the chip; empty where it is not known or there is no such input."""
    name = node.input(place)
    return node.view.actual.get(name, node.view.dtype(name)) if name else ""


def _listed(places: tuple[int, ...] | list[int]) -> str:
    return ", ".join(map(str, places))
