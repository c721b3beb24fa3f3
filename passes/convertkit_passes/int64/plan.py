"""The decision: which groups become int32, by minimum cuts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import onnx_graphsurgeon as gs

from convertkit.api import passes
from convertkit_passes.int64.groups import Group, build_groups
from convertkit_passes.int64.mincut import ENDLESS, source_side

Arc = tuple[int, int, int]


@dataclass(frozen=True)
class Plan:
    """Which groups become int32 and which stay int64.

    Attributes:
        groups: all groups of the graph, in file order.
        wide: positions in :attr:`groups` of those that stay int64.
    """

    groups: tuple[Group, ...]
    wide: frozenset[int]

    def narrow(self) -> Iterator[Group]:
        """The groups that become int32."""
        return (group for position, group in enumerate(self.groups) if position not in self.wide)

    def remarks(self) -> Iterator[str]:
        """What the summary of the pass has to say: outputs that stay int64, and what the rest takes for granted."""
        kept = [group for group in self.groups if group.kept is not None]
        if kept:
            stay = "stays" if len(kept) == 1 else "stay"
            yield f"{_few([group.what for group in kept])} {stay} int64: {kept[0].kept}"
        typed = {tensor.name for group in self.narrow() if group.node is None for tensor in group.writes}
        assumed = sorted({name for group in self.narrow() for name in group.assumes} - typed)
        if assumed:
            names = _few([f"graph input {name!r}" for name in assumed])
            yield f"assumes that int32 holds the values of {names}"

    def findings(self) -> tuple[passes.Finding, ...]:
        """A finding per tensor, in file order: ``matched`` becomes int32, ``refused`` stays int64."""
        found: dict[str, passes.Finding] = {}
        flow = _Flow(self.groups)
        for position, group in enumerate(self.groups):
            if not group.writes and group.node is None:  # a graph output has the last word
                name = group.reads[0][0].name
                said = self._finding(position, name, flow)
                inner = found.get(name)
                if said.status == "matched" and inner is not None and inner.status == "refused":
                    why = f"becomes int32 by a Cast behind {inner.where}: {inner.why}"
                    said = passes.Finding("matched", said.where, why, name)
                found[name] = said
            for tensor in _own(group):
                # a constant may be read both ways: a reason to stay comes first
                known = found.get(tensor.name)
                if known is None or (known.status == "matched" and position in self.wide):
                    found[tensor.name] = self._finding(position, tensor.name, flow)
        return tuple(found.values())

    def _finding(self, position: int, tensor: str, flow: _Flow) -> passes.Finding:
        what = self.groups[position].what
        if position not in self.wide:
            return passes.Finding("matched", what, "becomes int32", tensor)
        return passes.Finding("refused", what, self._reason(position, flow), tensor)

    def _reason(self, position: int, flow: _Flow) -> str:
        group = self.groups[position]
        if group.fixed is not None:
            return group.fixed
        goal = flow.goal(position, self.wide)
        if goal is None:
            return "as its other operands"
        return f"flows into {goal.what}: {goal.fixed}"


def _own(group: Group) -> Iterator[Any]:
    """The tensors whose type a group decides: those it writes, and the constants it reads."""
    yield from group.writes
    yield from (tensor for tensor, _ in group.reads if isinstance(tensor, gs.Constant))


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def make_plan(
    graph: passes.Graph,
    *,
    inputs: bool,
    outputs: bool,
    ranges: Mapping[str, tuple[int, int]] | None = None,
) -> Plan:
    """Decides every group.

    What flows into no slot that is fixed to int64 becomes int32. The rest, size arithmetic mostly, takes the types
    that need the fewest Casts, int32 where that is equal.
    """
    groups = build_groups(graph, inputs=inputs, outputs=outputs, ranges=ranges or {})
    flow = _Flow(groups)
    forced = {position for position, group in enumerate(groups) if group.wanted and group.fixed is None}
    wide = frozenset(range(len(groups))) - forced
    while True:
        needed = flow.needed(wide)
        forced |= {position for position in wide - needed if groups[position].writes}
        cut = _cut(groups, flow, forced)
        if cut == wide:
            return Plan(tuple(groups), wide)
        wide = cut


class _Flow:
    """Which groups read what a group writes."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups = groups
        self.writer = {
            id(tensor): position for position, group in enumerate(groups) for tensor in group.writes
        }
        self.readers: dict[int, list[int]] = defaultdict(list)
        for position, group in enumerate(groups):
            for tensor, _ in group.reads:
                if id(tensor) in self.writer and position not in self.readers[id(tensor)]:
                    self.readers[id(tensor)].append(position)

    def needed(self, wide: frozenset[int]) -> frozenset[int]:
        """The groups that are fixed to int64, or whose values reach one of these as int64."""
        queue = [position for position in sorted(wide) if self.groups[position].fixed is not None]
        found = set(queue)
        for position in queue:
            for tensor, _ in self.groups[position].reads:
                writer = self.writer.get(id(tensor))
                if writer in wide and writer not in found:
                    found.add(writer)
                    queue.append(writer)
        return frozenset(found)

    def following(self, position: int) -> Iterator[int]:
        """The groups that read what group ``position`` writes."""
        for tensor in self.groups[position].writes:
            yield from self.readers[id(tensor)]

    def goal(self, position: int, wide: frozenset[int]) -> Group | None:
        """The nearest group fixed to int64 that values of this one reach as int64; None where there is none."""
        seen, queue = {position}, [position]
        for current in queue:
            for reader in self.following(current):
                if reader in seen or reader not in wide:
                    continue
                if self.groups[reader].fixed is not None:
                    return self.groups[reader]
                seen.add(reader)
                queue.append(reader)
        return None


def _cut(groups: Sequence[Group], flow: _Flow, forced: set[int]) -> frozenset[int]:
    """The groups on the int64 side of the cut with the fewest Casts."""
    source, sink = -1, -2
    arcs: list[Arc] = [
        (source, position, ENDLESS) for position, group in enumerate(groups) if group.fixed is not None
    ]
    arcs += [(position, sink, ENDLESS) for position in sorted(forced) if groups[position].fixed is None]
    vertex = len(groups)
    for tensor, writer in flow.writer.items():
        arcs += _cast_arcs(writer, flow.readers[tensor], vertex)
        vertex += 2
    return source_side(arcs, source, sink) & frozenset(range(len(groups)))


def _cast_arcs(writer: int, readers: Sequence[int], vertex: int) -> Iterator[Any]:
    """One Cast, however many readers share it: after an int64 writer, or after an int32 one."""
    down, up = vertex, vertex + 1
    yield writer, down, 1
    yield up, writer, 1
    for reader in readers:
        yield down, reader, ENDLESS
        yield reader, up, ENDLESS
