"""What differs between two graphs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from msgspec import Struct

from convertkit.graph.difference.alignment import Alignment
from convertkit.graph.difference.drawing import OPEN_RANK, Constant, Drawing, Vertex
from convertkit.graph.difference.regions import Node, Region, node_of, regions_of
from convertkit.graph.light import LightModel
from convertkit.graph.opsets import opsets_of

Pair = tuple[str, str]
"""What was, and what is; "" for nothing."""
COMPUTED = "computed "
"""In front of the name of a tensor that is no constant."""


class Changed(Struct, frozen=True):
    """One node in both graphs: what was and is, by attribute or input (``input 1``).

    An input is a constant's type, shape and few values, or ``computed NAME``.
    """

    first: Node
    second: Node
    what: dict[str, Pair]


class Retyped(Struct, frozen=True):
    """A tensor of both graphs, by its name in the first, with type and shape in each."""

    tensor: str
    kinds: Pair


class Difference(Struct, frozen=True):
    """Two graphs, node by node.

    Attributes:
        nodes: numbers of nodes, those of ``Constant`` not counted.
        same: paired nodes with equal attributes, constants and inputs.
        renamed: tensors of both graphs that have another name.
        sized: tensors of both graphs of which one graph tells more sizes, and none another one.
        inputs, outputs, opsets: by name, where they differ: kinds, versions.
    """

    nodes: tuple[int, int]
    same: int
    renamed: int
    sized: int
    changed: tuple[Changed, ...]
    regions: tuple[Region, ...]
    retyped: tuple[Retyped, ...]
    inputs: dict[str, Pair]
    outputs: dict[str, Pair]
    opsets: dict[str, Pair]

    @property
    def equal(self) -> bool:
        """Whether nothing differs but names."""
        return not (
            self.changed
            or self.regions
            or self.retyped
            or self.sized
            or self.inputs
            or self.outputs
            or self.opsets
        )

    @property
    def removed(self) -> int:
        return sum(len(region.removed) for region in self.regions)

    @property
    def added(self) -> int:
        return sum(len(region.added) for region in self.regions)


def difference(first: LightModel, second: LightModel) -> Difference:
    """Aligns two graphs and says what differs; neither has to be valid, but one that is not sorted aligns badly."""
    one, other = Drawing(first), Drawing(second)
    found = Alignment(one, other)
    changed, kinds = tuple(_changed(found)), list(_retyped(found))
    return Difference(
        nodes=(len(one.vertices), len(other.vertices)),
        same=len(found.pairs) - len(changed),
        renamed=sum(name != twin for name, twin in found.tensors.items()),
        changed=changed,
        regions=tuple(regions_of(found)),
        sized=sum(_only_sized(item) for item in kinds),
        retyped=tuple(item for item in kinds if not _only_sized(item)),
        inputs=_listed(one.inputs, other.inputs, one, other),
        outputs=_listed(one.outputs, other.outputs, one, other),
        opsets=_unequal(opsets_of(first.proto), opsets_of(second.proto)),
    )


def _changed(found: Alignment) -> Iterator[Changed]:
    for one, other in sorted(found.pairs.items()):
        first, second = found.first.vertices[one], found.second.vertices[other]
        what = {
            **_unequal(first.attributes, second.attributes),
            **dict(_inputs(found, first, second)),
        }
        if what:
            yield Changed(node_of(first), node_of(second), what)


def _inputs(found: Alignment, first: Vertex, second: Vertex) -> Iterator[tuple[str, Pair]]:
    """Other constants, and other tensors where both graphs have both; else the region between says it."""
    names = [*first.inputs], [*second.inputs]
    for slot in range(max(map(len, names))):
        was, now = (each[slot] if slot < len(each) else "" for each in names)
        old, new = found.first.constants.get(was), found.second.constants.get(now)
        if old and new:
            if old.key != new.key:
                yield f"input {slot}", _constants(old, new)
        elif old or new or not (was and now):
            if was or now:
                yield f"input {slot}", (_given_by(old, was), _given_by(new, now))
        elif was in found.tensors and now in found.back and not found.same(was, now):
            yield f"input {slot}", (_given_by(None, was), _given_by(None, now))


def _given_by(constant: Constant | None, name: str) -> str:
    return str(constant) if constant else f"{COMPUTED}{name}" if name else ""


def _constants(old: Constant, new: Constant) -> Pair:
    if np.array_equal(old.array, new.array):
        return old.kind, f"{new.kind}, same values"
    was, now = str(old), str(new)
    if was != now:
        return was, now
    if old.array.dtype.kind in "fiu" and old.array.size:
        gap = np.abs(old.array.astype(np.float64) - new.array.astype(np.float64))
        return was, f"values differ by up to {np.nanmax(gap):.3g}"
    return was, "other values"


def _retyped(found: Alignment) -> Iterator[Retyped]:
    """Only where both graphs say what it is."""
    for name, twin in found.tensors.items():
        was, now = found.first.kinds.get(name), found.second.kinds.get(twin)
        if was and now and was != now:
            yield Retyped(name, (was, now))


def _only_sized(item: Retyped) -> bool:
    """Whether type and rank are the same, or one is not known, and so is each size."""
    parts = [kind.rstrip("]").split("[") for kind in item.kinds]
    (was, *had), (now, *has) = parts
    if was != now or len(had) != len(has):
        return False
    before, after = (sizes[0].split(", ") if sizes else [] for sizes in (had, has))
    if [OPEN_RANK] in (before, after):
        return True
    return len(before) == len(after) and all(
        "?" in pair or pair[0] == pair[1] for pair in zip(before, after, strict=True)
    )


def _listed(first: list[str], second: list[str], one: Drawing, other: Drawing) -> dict[str, Pair]:
    kinds = (
        {name: graph.kinds.get(name, "?") for name in names}
        for names, graph in ((first, one), (second, other))
    )
    return _unequal(*kinds)


def _unequal(first: Any, second: Any) -> dict[str, Pair]:
    return {
        name: (str(first.get(name, "")), str(second.get(name, "")))
        for name in dict.fromkeys([*first, *second])
        if first.get(name) != second.get(name)
    }
