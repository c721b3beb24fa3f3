"""The roofline of a run in which a compiler makes one kernel of chains of nodes.

What lies between the nodes of a kernel never goes through memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from convertkit.estimation.operations import Node
    from convertkit.graph.costs import Cost
    from convertkit.targets.machine import Fusion, Machine

Chain: TypeAlias = tuple[int, ...]
"""Places of nodes, in data-flow order."""

Kernel: TypeAlias = tuple[int, int, int]
"""Operations of the matrix and of the vector unit, bytes."""


class Fused(Struct, frozen=True):
    """The roofline of a run in which a compiler fuses all that it is said to.

    Attributes:
        seconds, bytes: as of the whole estimate, what is kept between fused nodes left out.
        chains: how many kernels are made of several nodes, ``nodes`` of how many.
        by_bound: the seconds by what bounds them.
        with_memory: the seconds with each other figure of the memory, by its source.
    """

    seconds: float
    bytes: int
    chains: int
    nodes: int
    by_bound: dict[str, float]
    with_memory: dict[str, float]


def fuse(counted: Sequence[tuple[Node, Cost]], machine: Machine) -> Fused:
    """The figures of all nodes, those that the machine is said to fuse as one kernel."""
    nodes = [node for node, _ in counted]
    found = list(chains(nodes, machine.fusions))
    kernels = [_kernel([counted[place][1] for place in chain], kept(nodes, chain)) for chain in found]
    timed = [_slowest(kernel, machine) for kernel in kernels]
    names = sorted({name for name, seconds in timed if seconds})
    several = [chain for chain in found if len(chain) > 1]
    return Fused(
        seconds=sum(seconds for _, seconds in timed),
        bytes=sum(kernel[2] for kernel in kernels),
        chains=len(several),
        nodes=sum(map(len, several)),
        by_bound={name: sum(seconds for other, seconds in timed if other == name) for name in names},
        with_memory={
            figure.source: sum(_slowest(kernel, replace(machine, memory=figure))[1] for kernel in kernels)
            for figure in machine.other_memory
        },
    )


def _kernel(costs: list[Cost], saved: int) -> Kernel:
    matrix, vector = (
        sum(cost.operations for cost in costs if cost.unit == unit) for unit in ("matrix", "vector")
    )
    return matrix, vector, sum(cost.bytes for cost in costs) - saved


def _slowest(kernel: Kernel, machine: Machine) -> tuple[str, float]:
    """What takes longest, and how long: both units and the memory of a kernel work at a time."""
    figures = (machine.matrix, machine.vector, machine.memory)
    return max(
        ((figure.name, work / figure.rate) for figure, work in zip(figures, kernel, strict=True)),
        key=lambda item: item[1],
    )


def chains(nodes: Sequence[Node], fusions: Sequence[Fusion]) -> Iterator[Chain]:
    """Every node once, alone or in a chain.

    A node joins where it alone takes the first output of the one before, which is no output of the graph, and gives as
    many values. The first rule that fits a chain's first node makes the chain; what it has taken is gone for others.

    Args:
        nodes: in data-flow order.
    """
    takers = Counter(name for node in nodes for name in set(node.takes))
    taker = {name: place for place, node in enumerate(nodes) for name in node.takes}
    gone: set[int] = set()
    for place, node in enumerate(nodes):
        if place in gone:
            continue
        chain = [place]
        rule = next((rule for rule in fusions if node.op in rule.starts and not node.domain), None)
        while rule is not None and len(chain) <= rule.most:
            link = _link(nodes[chain[-1]])
            after = taker[link] if takers[link] == 1 else None
            if after is None or after in gone or not _joins(nodes[chain[-1]], nodes[after], rule):
                break
            chain.append(after)
        gone.update(chain)
        yield tuple(chain)


def kept(nodes: Sequence[Node], chain: Chain) -> int:
    """Bytes that a chain neither writes nor reads: of every tensor between its nodes, twice."""
    operations = (nodes[place].operation for place in chain[:-1])
    return sum(2 * item.outputs[0].bytes for item in operations if item is not None)


def _link(node: Node) -> str:
    """The output that another node may join by; empty where there is none, or the graph gives it."""
    return "" if node.gives else next(iter(node.makes), "")


def _joins(before: Node, after: Node, rule: Fusion) -> bool:
    if after.op not in rule.joins or after.domain or after.known or before.known:
        return False
    if before.operation is None or after.operation is None:
        return False
    return before.operation.outputs[0].elements == after.operation.outputs[0].elements
