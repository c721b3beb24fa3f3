"""Patterns by experiment: a region matches where it computes what a reference computes, however it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convertkit.errors import GraphError
from convertkit.graph.constants import is_initializer
from convertkit.graph.finding import Finding
from convertkit.graph.flow import Flow
from convertkit.graph.graph import Graph, Node, Tensor
from convertkit.graph.region import Region, cut
from convertkit.graph.shapes import annotate
from convertkit.graph.values import constant_value
from convertkit.passes.rewriting import RewritingPass

Array: TypeAlias = NDArray[Any]
Boundary: TypeAlias = "Callable[[Flow, Tensor], Iterable[tuple[Tensor, ...]]]"

OPEN = 3
"""What stands for an open size while a region is run."""

MOST_WEIGHTS = 4096
"""Values of one constant: a region with a longer one holds weights, which no reference knows."""

MOST_VALUES = 1 << 24
"""Of a tensor at the boundary, so that a run costs no more than a large layer."""


def gaps(found: Array, expected: Array) -> Array:
    """The differences, relative to the largest expected value; infinite where one of the two is no number."""
    largest = max(float(np.abs(expected).max(initial=0.0)), float(np.finfo(np.float32).tiny))
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(found - expected)
        return np.where(np.isnan(apart), np.inf, apart / largest)


def dominating(flow: Flow, end: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """The boundaries of one tensor: each through which all data of ``end`` passes, nearest first."""
    return ((tensor,) for tensor in flow.dominators(end))


@dataclass(frozen=True)
class Pattern:
    """A function of one result, and the node that stands for it.

    Args:
        op, domain: of the node.
        ends: types of the node that computes the result.
        reference: ``reference(*inputs, **attributes)``, in numpy, the shape of the result as in the graph; a
            ValueError says that it does not take such shapes.
        values: 1-D, what to try: dealt out over each input's shape, forwards and backwards.
        attributes: of the node, by name the values it may have; None: any single number that the region holds.
        boundary: what may be the inputs, best first; by default every one tensor that dominates the result.
        most: nodes of a region; a larger one is not looked at.
        tolerance: largest difference, relative to the largest value of the reference.
        near: below this difference a region that does not match is refused aloud.
    """

    op: str
    domain: str
    ends: tuple[str, ...]
    reference: Callable[..., Array]
    values: Array
    attributes: Mapping[str, Sequence[Any] | None] = field(default_factory=dict)
    boundary: Boundary = dominating
    most: int = 16
    tolerance: float = 1e-5
    near: float = 0.05


@dataclass(frozen=True)
class Trial:
    """A region held against a pattern.

    Attributes:
        gap: largest difference, relative to the largest value.
        why: where it is, in words.
    """

    pattern: Pattern
    region: Region
    attributes: Mapping[str, Any]
    gap: float
    why: str

    @property
    def matches(self) -> bool:
        return self.gap <= self.pattern.tolerance

    def finding(self) -> Finding:
        """What ``--explain`` says of it."""
        values = {
            name: f"{item:g}" if isinstance(item, float) else item for name, item in self.attributes.items()
        }
        named = ", ".join(f"{name}={item}" for name, item in values.items())
        what = f"{self.pattern.op}{{{named}}}" if named else self.pattern.op
        end = self.region.outputs[0]
        where = str(end.inputs[0].name or end.name)
        if self.matches:
            return Finding("matched", where, f"{what} of {self._inputs}: {self.why}", end.name)
        return Finding("refused", where, f"no {what} of {self._inputs}: {self.why}", end.name)

    @property
    def _inputs(self) -> str:
        return ", ".join(str(item.name) for item in self.region.inputs)


class PatternPass(RewritingPass):
    """A pass that is a table of patterns: what computes the same as one of them becomes its node."""

    patterns: ClassVar[tuple[Pattern, ...]] = ()

    def rewrite(self, graph: Graph) -> tuple[Finding, ...]:
        """A node for every region that matches; a finding for each, and for those that come near."""
        trials = search(graph, self.patterns)
        findings = tuple(trial.finding() for trial in trials)  # before tensors change their names
        new: dict[int, Tensor] = {}
        for trial in trials:
            if trial.matches:
                end, pattern = trial.region.outputs[0], trial.pattern
                inputs = [new.get(id(item), item) for item in trial.region.inputs]
                attrs, dtype, shape = dict(trial.attributes), end.dtype, end.shape
                new[id(end)] = graph.add(
                    pattern.op, inputs, attrs=attrs, dtype=dtype, shape=shape, domain=pattern.domain
                )
                graph.replace(end, new[id(end)])
        return findings


def search(graph: Graph, patterns: Sequence[Pattern]) -> list[Trial]:
    """What matches, and what comes near and matches nothing, in the graph's order. Only shapes are written.

    Where regions overlap the one that ends last is taken: what lies inside it is not looked at on its own.
    """
    if not next(graph.find([op for pattern in patterns for op in pattern.ends]), None):
        return []
    annotate(graph)
    flow = Flow(graph)
    found: list[Trial] = []
    taken: set[int] = set()
    for node in graph.nodes[::-1]:
        best = None if id(node) in taken else _best(graph, flow, node, patterns)
        if best is not None:
            found.append(best)
            taken.update(id(item) for item in best.region.nodes if best.matches)
    return [item for item in found[::-1] if item.matches or not _inside(item, taken)]


def _inside(trial: Trial, taken: set[int]) -> bool:
    return id(trial.region.outputs[0].inputs[0]) in taken


def _best(graph: Graph, flow: Flow, node: Node, patterns: Sequence[Pattern]) -> Trial | None:
    """The first trial that matches, else the nearest that is near."""
    near: list[Trial] = []
    for pattern in patterns:
        if node.op not in pattern.ends or node.domain not in (None, "", "ai.onnx"):
            continue
        for trial in _trials(graph, flow, node.outputs[0], pattern):
            if trial.matches:
                return trial
            near += [trial] if trial.gap <= pattern.near else []
    return min(near, key=lambda trial: trial.gap, default=None)


def _trials(graph: Graph, flow: Flow, end: Tensor, pattern: Pattern) -> Iterator[Trial]:
    """One for each boundary, as far in as the pattern goes."""
    if flow.is_constant(end) or not _floating(end):
        return
    for inputs in pattern.boundary(flow, end):
        try:
            region = cut(graph, [end], inputs)
            if len(region.nodes) > pattern.most or _holds_weights(region):
                return
            trial = _try(region, pattern) if all(map(_fits, inputs)) else None
        except GraphError:  # it needs more than these inputs (a LeakError), or does not run on such values
            continue
        if trial is not None:
            yield trial


def _floating(tensor: Tensor) -> bool:
    return tensor.dtype is not None and np.dtype(tensor.dtype).kind == "f"


def _fits(tensor: Tensor) -> bool:
    return _floating(tensor) and 0 < int(np.prod(_sizes(tensor, 1), dtype=np.float64)) <= MOST_VALUES


def _sizes(tensor: Tensor, unknown: int) -> tuple[int, ...]:
    """The shape to try; ``unknown`` is the length where not even the rank is known."""
    if tensor.shape is None:
        return (unknown,)
    return tuple(size if isinstance(size, int) and size >= 0 else OPEN for size in tensor.shape)


def _holds_weights(region: Region) -> bool:
    constants = [item for node in region.nodes for item in node.inputs if is_initializer(item)]
    return any(np.prod(item.shape, dtype=np.int64) > MOST_WEIGHTS for item in constants)


def _try(region: Region, pattern: Pattern) -> Trial | None:
    """The region and the reference on all values, under the attributes that fit best; None without any to try."""
    cases = list(_cases(region.inputs, pattern.values))
    found = [region.run(*case)[0] for case in cases]
    if not any(item.size for item in found):
        return None
    trials = [_compare(region, pattern, each, cases, found) for each in _attributes(region, pattern)]
    return min(trials, key=lambda trial: trial.gap, default=None)


def _cases(inputs: Sequence[Tensor], values: Array) -> Iterator[list[Array]]:
    shapes = [_sizes(item, len(values)) for item in inputs]
    step = max(1, *(int(np.prod(shape)) for shape in shapes))
    for row in (values, values[::-1]):  # each place sees two values, or all of them
        for start in range(0, len(row), step):
            rolled = [np.roll(row, 17 * at - start) for at in range(len(shapes))]
            pairs = zip(rolled, shapes, inputs, strict=True)
            yield [np.resize(part, shape).astype(item.dtype) for part, shape, item in pairs]


def _attributes(region: Region, pattern: Pattern) -> Iterator[dict[str, Any]]:
    held: list[float] = []
    if None in pattern.attributes.values():
        tensors = {id(item): item for node in region.nodes for item in node.inputs}
        arrays = [constant_value(region.graph, item) for item in tensors.values()]
        held = sorted({float(item.flat[0]) for item in arrays if item is not None and item.size == 1})
    choices = [held if item is None else item for item in pattern.attributes.values()]
    return (dict(zip(pattern.attributes, each, strict=True)) for each in product(*choices))


def _compare(
    region: Region, pattern: Pattern, attributes: dict[str, Any],
    cases: Sequence[Sequence[Array]], found: Sequence[Array],
) -> Trial:  # fmt: skip
    expected: list[Any] = [_expected(pattern, case, attributes) for case in cases]
    pairs = zip(found, expected, strict=True)
    if any(wanted is None or wanted.shape != each.shape for each, wanted in pairs):
        return Trial(pattern, region, attributes, np.inf, "the reference gives another shape")
    apart = gaps(np.stack(found), np.stack(expected))
    row, *place = (int(item) for item in np.unravel_index(int(apart.argmax()), apart.shape))
    at, result, wanted = tuple(place), found[row], expected[row]
    gap = float(apart[row][at])
    why = f"equal on {apart.size} values"
    if gap:
        by = f"{abs(float(result[at]) - float(wanted[at])):.2g}"
        why = f"differs by {by} {_place(at, cases[row], result)} from the reference"
    return Trial(pattern, region, attributes, gap, why)


def _expected(pattern: Pattern, case: Sequence[Array], attributes: Mapping[str, Any]) -> Array | None:
    """What the reference gives; None where it does not take arrays of these shapes."""
    try:
        with np.errstate(all="ignore"):
            return np.asarray(pattern.reference(*case, **attributes))
    except ValueError:
        return None


def _place(at: tuple[int, ...], case: Sequence[Array], result: Array) -> str:
    if all(item.shape == result.shape for item in case):
        return "at x=" + ", ".join(f"{float(item[at]):.3g}" for item in case)
    return f"at {list(at)}"
