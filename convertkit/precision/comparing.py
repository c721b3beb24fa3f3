"""Predicted against measured, tensor by tensor: where a run on the chip leaves what was predicted, and by what rule.

A tensor *diverges* where it is further from its reference than predicted, by more than :data:`FACTOR` and than
:data:`FLOOR`. Whatever is computed from one that diverges may well diverge too; the divergence *begins* where nothing
that a node takes, near or far, diverges.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from convertkit.errors import UsageError
from convertkit.precision.dumping import INDEX, Dump, Tensor
from convertkit.storage.reading import read_json
from convertkit.targets.tensor_tool import Apart, Measured

FACTOR = 4.0
"""How much further than predicted from its reference a tensor may be: kernels add in another order."""

FLOOR = 2.0**-11
"""A relative distance that one rounding to fp16 explains: half a unit in the last of 11 bits."""

INDEX_BYTES = 256 << 20


class Met(Struct, frozen=True):
    """One tensor that was predicted and measured.

    Attributes:
        ratio: measured over predicted relative distance, the prediction at least :data:`FLOOR`; null where what was
            measured is not finite.
        diverges, begins: as this module says.
    """

    tensor: str
    node: str
    op: str
    output: int
    origin: str
    rule: str
    predicted: Apart
    measured: Apart
    ratio: float | None
    diverges: bool
    begins: bool


class RuleFound(Struct, frozen=True):
    """All tensors that one rule of the prediction makes.

    Attributes:
        ratio: the median of theirs; infinite ones count as such, and it is null where the median is one.
    """

    rule: str
    tensors: int
    diverging: int
    beginning: int
    ratio: float | None


class Compared(Struct, frozen=True):
    """``met`` in the order of the graph; of several rows of one tensor the farthest.

    Attributes:
        rung: whose prediction it is.
        fused: tensors of the dump that the chip does not have, or that the tool did not look up.
        own: outputs of operators that the compiler put there itself.
        failed: outputs that the tool could not compare; ``reason`` is what it says of the first.
        unknown: outputs that stand for nodes which the dump does not have; ``example`` is one.
        unjudged: tensors of ``met`` whose prediction is not finite, so that whatever was measured is no divergence.
    """

    rung: str
    met: tuple[Met, ...]
    rules: tuple[RuleFound, ...]
    fused: int
    own: int
    failed: int
    reason: str
    unknown: int
    example: str
    unjudged: int = 0

    @property
    def beginning(self) -> tuple[Met, ...]:
        return tuple(one for one in self.met if one.begins)


def read_dump(directory: Path) -> Dump:
    """What :class:`~convertkit.precision.dumping.Dumper` left.

    Raises:
        UsageError: there is none, or it is damaged.
    """
    path = directory / INDEX
    if not path.is_file():
        raise UsageError(f"{directory}: no dump ({INDEX} is missing)", hint="convertkit dump writes one")
    return read_json(path, Dump, "the index of a dump", most=INDEX_BYTES)


def compare(dump: Dump, table: Sequence[Measured], rung: str, factor: float = FACTOR) -> Compared:
    """What a tool's table says of one rung's prediction.

    Raises:
        UsageError: nothing of the table is of the dump.
    """
    found, unknown, own, failed, reason = _matched(dump, table)
    if reason and not found:
        raise UsageError(f"no tensor could be compared; of the first the tool says: {reason}")
    if unknown and not found:
        more = f"the first stands for {next(iter(unknown))}; is it of the same model?"
        raise UsageError("no row is of a tensor of the dump", hint=more)
    if not found:
        raise UsageError(f"no row is of an output of a node that the dump has ({len(table)} rows)")
    met = tuple(_met(dump, found, rung, factor))
    return Compared(
        rung, met, tuple(_rules(met)), len(dump.tensors) - len(met), own, failed, reason,
        len(unknown), next(iter(unknown), ""), sum(_is_open(one.predicted) for one in met),
    )  # fmt: skip


def _matched(dump: Dump, table: Sequence[Measured]) -> tuple[dict[str, Apart], list[str], int, int, str]:
    nodes: dict[str, list[Tensor]] = {}
    for tensor in dump.tensors:
        nodes.setdefault(tensor.node, []).append(tensor)
    found: dict[str, Apart] = {}
    unknown: list[str] = []
    own, reasons = 0, []
    for row in table:
        if not row.nodes:
            own += 1
        elif missing := [name for name in row.nodes if name not in nodes]:
            unknown.append(missing[0])
        elif row.apart is None:
            reasons.append(row.reason)
        elif (given := _given(row, nodes)) is not None:
            found[given.name] = _farther(found.get(given.name), row.apart)
        else:
            unknown.append(f"{row.nodes[-1]}:{row.output}")
    return found, unknown, own, len(reasons), next(iter(reasons), "")


def _given(row: Measured, nodes: Mapping[str, list[Tensor]]) -> Tensor | None:
    """What a row is of; of nodes that were fused, what none of them takes, in the order of their outputs."""
    together = [nodes[name] for name in dict.fromkeys(row.nodes)]
    if len(together) == 1:
        return next((tensor for tensor in together[0] if tensor.output == row.output), None)
    inside = {name for tensors in together for tensor in tensors for name in tensor.takes}
    gives = [tensor for tensors in together for tensor in tensors if tensor.name not in inside]
    return gives[row.output] if row.output < len(gives) else None


def _farther(one: Apart | None, other: Apart) -> Apart:
    """Of two rows of one tensor the one that is farther from the reference, whatever their order."""
    return other if one is None or _size(other) > _size(one) else one


def _size(one: Apart) -> list[float]:
    return [math.inf if value is None else value for value in (one.distance, one.largest)]


def _met(dump: Dump, found: Mapping[str, Apart], rung: str, factor: float) -> Iterable[Met]:
    behind: set[str] = set()
    for tensor in dump.tensors:
        after = not behind.isdisjoint(tensor.takes)
        measured = found.get(tensor.name)
        if measured is not None:
            ratio = _ratio(tensor.predicted[rung], measured)
            diverges = ratio > factor
            yield Met(
                tensor.name, tensor.node, tensor.op, tensor.output, tensor.origin, tensor.rule,
                tensor.predicted[rung], measured, ratio if math.isfinite(ratio) else None,
                diverges, diverges and not after,
            )  # fmt: skip
            after = after or diverges
        if after:
            behind.add(tensor.name)


def _is_open(predicted: Apart) -> bool:
    return predicted.distance is None or predicted.largest is None


def _ratio(predicted: Apart, measured: Apart) -> float:
    """Infinite where only the measured tensor is not finite; 1 where the predicted one is not either.

    A tool that squares integers in their own type has no distance of large ones: then by the largest difference.
    """
    if predicted.distance is None or predicted.largest is None:
        return 1.0
    if measured.distance is not None:
        return measured.distance / max(predicted.distance, FLOOR)
    return math.inf if measured.largest is None else measured.largest / max(predicted.largest, 1.0)


def _rules(met: Sequence[Met]) -> Iterable[RuleFound]:
    for rule in dict.fromkeys(one.rule for one in met):
        own = [one for one in met if one.rule == rule]
        judged = [one for one in own if not _is_open(one.predicted)] or own
        ratios = sorted(math.inf if one.ratio is None else one.ratio for one in judged)
        middle = ratios[len(ratios) // 2]
        yield RuleFound(
            rule,
            len(own),
            sum(one.diverges for one in own),
            sum(one.begins for one in own),
            middle if math.isfinite(middle) else None,
        )
