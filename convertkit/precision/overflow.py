"""What has to stay in fp32 because fp16 has no number for it."""

from __future__ import annotations

from collections.abc import Mapping
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
        impossible: those that would have to be kept and cannot, and why.
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
    because: dict[str, str] = {}
    for node in model.proto.graph.node:
        seen = node.output if node.op_type in SELECTS else (*node.output, *node.input)
        tensor = next((name for name in seen if name in beyond), None)
        if tensor is not None and node.op_type != "Constant":
            because[node.name] = tensor
    return Needed(
        {name: tensor for name, tensor in because.items() if name not in cannot},
        {name: cannot[name] for name in because if name in cannot},
    )
