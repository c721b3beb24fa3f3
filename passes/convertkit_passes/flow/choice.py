"""Which branch of an If is enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convertkit.api import graphs, passes
from convertkit.api.heads import Refused
from convertkit_passes.flow.front import reaching

THEN, ELSE = "then_branch", "else_branch"

SIZES = (0, 1, 2, 3, 16, 1000)
"""Of the open axis, at which the condition is asked."""

Tensor = Any
Branch = Any
"""A graph of graphsurgeon inside of a node."""


def choose(graph: passes.Graph, node: Any) -> tuple[str, str]:
    """The branch that can take the node's place, and why.

    Raises:
        Refused: neither can.
    """
    condition = node.inputs[0]
    value = graphs.constant_value(graph, condition)
    if value is not None and value.size == 1:
        chosen = THEN if value.reshape(()) else ELSE
        return chosen, f"the condition is always {bool(value.reshape(()))}"
    graphs.annotate(graph)
    measured = _measured(condition)
    special, general = (THEN, ELSE) if _true_of_empty(graph, condition, measured) else (ELSE, THEN)
    runs = _refuse_unlike(graph, node, special, general, measured)
    return general, f"{special} is for an empty {measured.name} only, and gives the same there ({runs} runs)"


def _measured(condition: Tensor) -> Tensor:
    """The one tensor whose size decides.

    Raises:
        Refused: values decide, or several tensors, or one whose only open size is not its number of rows.
    """
    found: dict[int, Tensor] = {}
    waiting, seen = [condition], set()
    while waiting:
        tensor = waiting.pop()
        if id(tensor) in seen or graphs.is_initializer(tensor) or tensor.is_empty():
            continue
        seen.add(id(tensor))
        producer = next(iter(tensor.inputs), None)
        if producer is None or any(True for _ in producer.subgraphs()):
            raise Refused(f"its condition depends on the values of {tensor.name}, not on sizes alone", tensor)
        if producer.op in ("Shape", "Size"):
            found[id(producer.inputs[0])] = producer.inputs[0]
            continue
        waiting.extend(producer.inputs)
    if len(found) != 1:
        names = ", ".join(sorted(item.name for item in found.values())) or "nothing that is known"
        raise Refused(f"its condition depends on the sizes of {names}, not on that of one tensor", condition)
    (tensor,) = found.values()
    if tensor.shape is None or [isinstance(size, int) for size in tensor.shape].count(False) != 1:
        raise Refused(f"{tensor.name} has shape {tensor.shape}: not one size alone is open", tensor)
    return tensor


def _true_of_empty(graph: passes.Graph, condition: Tensor, measured: Tensor) -> bool:
    """Whether the condition is true of an empty tensor and false of every other; False: the other way round.

    Raises:
        Refused: neither.
    """
    region = graphs.cut(graph, [condition], [measured])
    try:
        found = [bool(region.run(_zeros(measured, size))[0].reshape(-1)[0]) for size in SIZES]
    except passes.GraphError as error:
        raise Refused(f"its condition cannot be run: {error.message}", condition) from error
    if len(set(found[1:])) > 1 or found[0] == found[1]:
        at = ", ".join(f"{size}: {value}" for size, value in zip(SIZES, found, strict=True))
        raise Refused(f"its condition is not whether {measured.name} is empty; by its size: {at}", condition)
    return found[0]


def _refuse_unlike(graph: passes.Graph, node: Any, special: str, general: str, measured: Tensor) -> int:
    """Runs both branches on what reaches them where a tensor is empty; returns how often.

    Raises:
        Refused: they differ, cannot be run, or nothing that was tried leaves the tensor empty.
    """
    branches = [node.attrs[side] for side in (special, general)]
    reads = {item.name for branch in branches for item in _captured(branch)} | {measured.name}
    try:
        found = [values for values in reaching(graph, reads) if not values[measured.name].size]
    except passes.GraphError as error:
        raise Refused(f"what leads to it cannot be run: {error.message}", measured) from error
    if not found:
        raise Refused(f"nothing that was tried leaves {measured.name} empty", measured)
    for values in found:
        wanted, given = (_run(graph, branch, values, measured) for branch in branches)
        for index, (one, other) in enumerate(zip(wanted, given, strict=True)):
            if not _same(one, other):
                raise Refused(
                    f"its branches differ where {measured.name} is empty: "
                    f"output {index} is {_shown(one)} and {_shown(other)}",
                    measured,
                )
    return len(found)


def _run(
    graph: passes.Graph, branch: Branch, values: Mapping[str, NDArray[Any]], measured: Tensor
) -> list[NDArray[Any]]:
    """The outputs of a branch."""
    reads = list(_captured(branch))
    region = graphs.Region(graph, tuple(reads), tuple(branch.outputs), tuple(branch.nodes))
    try:
        return list(region.run(*(values[item.name] for item in reads)))
    except passes.GraphError as error:
        raise Refused(
            f"{branch.name or 'a branch'} cannot be run where {measured.name} is empty: {error.message}",
            measured,
        ) from error


def _captured(branch: Branch) -> Iterator[Tensor]:
    """What a branch reads from the graph around it."""
    own = {id(tensor) for node in branch.nodes for tensor in node.outputs}
    seen: set[int] = set()
    inner = [item for node in branch.nodes for part in node.subgraphs() for item in _captured(part)]
    for tensor in (*(item for node in branch.nodes for item in node.inputs), *inner, *branch.outputs):
        if id(tensor) not in own | seen and not graphs.is_initializer(tensor) and not tensor.is_empty():
            seen.add(id(tensor))
            yield tensor


def _zeros(tensor: Tensor, size: int) -> NDArray[Any]:
    """Zeros; every open axis has a size.

    Raises:
        Refused: its type or its rank is not known.
    """
    if tensor.shape is None or tensor.dtype is None:
        raise Refused(f"the type and the rank of {tensor.name} are not known", tensor)
    shape = [side if isinstance(side, int) else size for side in tensor.shape]
    return np.zeros(shape, tensor.dtype)


def _same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def _shown(array: NDArray[Any]) -> str:
    return f"{array.dtype} {list(array.shape)}"
