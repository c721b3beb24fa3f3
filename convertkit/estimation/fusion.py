"""Chains of nodes that a compiler makes one kernel of: what lies between them never goes through memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convertkit.estimation.operations import Node
    from convertkit.targets.machine import Fusion

Chain = tuple[int, ...]
"""Places of nodes, in data-flow order."""


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
            after = taker.get(link, -1) if takers[link] == 1 else -1
            if after in (-1, *gone) or not _joins(nodes[chain[-1]], nodes[after], rule):
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
