"""What has to stay in fp32 because fp16 has no number for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel
    from convertkit.precision.ranges import Ranges


SELECTS = frozenset({"Gather", "GatherElements", "GatherND", "Slice", "Split"})


@dataclass(frozen=True)
class Needed:
    """Nodes by their names.

    Attributes:
        keep: each with the tensor because of which it is kept, in the order of the graph.
        impossible: those that would have to be kept and cannot, and why; one without a name by what it makes.
    """

    keep: Mapping[str, str]
    impossible: Mapping[str, str]


def needed(model: LightModel, found: Ranges, cannot: Mapping[str, str]) -> Needed:
    """Whoever makes or takes a tensor that overflows: a cast in between would overflow as well.

    Not so where a node only selects, and leaves behind what overflows. A weight that overflows is kept by those that
    take it. An input of the graph that overflows has no maker.

    Args:
        model: the graph that was measured.
        cannot: nodes that the target never computes in fp32, by name, and why.
    """
    beyond = {one.name for one in found.overflowing}
    keep: dict[str, str] = {}
    impossible: dict[str, str] = {}
    for node in model.proto.graph.node:
        seen = node.output if node.op_type in SELECTS else (*node.output, *node.input)
        tensor = next((name for name in seen if name in beyond), None)
        if tensor is None or node.op_type == "Constant":
            continue
        if node.name and node.name not in cannot:
            keep[node.name] = tensor
        else:
            impossible[node.name or node.output[0]] = cannot.get(node.name, "it has no name")
    return Needed(keep, impossible)


def together(model: LightModel, keep: Collection[str]) -> tuple[tuple[str, ...], ...]:
    """Nodes by their names in groups, in which they hand tensors on to each other; what two only read joins nobody."""
    groups: list[tuple[set[str], set[str], list[str]]] = []
    for node in model.proto.graph.node:
        if node.name not in keep:
            continue
        made, taken, names = {*filter(None, node.output)}, {*filter(None, node.input)}, [node.name]
        for group in [one for one in groups if one[0] & taken or one[1] & made]:
            groups.remove(group)
            made, taken, names = made | group[0], taken | group[1], group[2] + names
        groups.append((made, taken, names))
    return tuple(tuple(names) for *_, names in groups)
