"""Every tensor of a model on a photo: written for a vendor's tool, and what that measured against the prediction."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from convertkit.api.commands.asking import Profile, Settings, Words, request_of
from convertkit.api.commands.pages import Block, Judged, Shown, Table, shortened
from convertkit.api.commands.places import Place
from convertkit.conversion.events import Report, fresh_only, silent
from convertkit.errors import UnknownNameError, UsageError
from convertkit.precision.comparing import FACTOR, Compared, Met
from convertkit.storage.progress import Bar, no_bar

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.rungs.names import RungName
    from convertkit.targets.tensor_tool import Apart

TOP = 20
WIDEST = 48
"""Letters of a name that a table shows."""


class Dumped(Shown, Struct, frozen=True):
    """``tool``: whose files they are; ``unnamed``: tensors that it cannot find by any name; ``next``: what to run."""

    directory: Path
    tool: str
    photo: str
    reference: str
    rungs: tuple[str, ...]
    tensors: int
    unnamed: int
    untyped: int
    inside: int
    next: tuple[str, ...]

    def page(self) -> Iterator[Block]:
        rungs = ", ".join((self.reference, *self.rungs))
        yield f"{self.directory}: {self.tensors} tensors of {self.photo}, each of {rungs}"
        if self.unnamed:
            yield f"without files: {self.unnamed} tensors of nodes whose names {self.tool} does not take"
        if self.untyped:
            yield f"left out: {self.untyped} tensors whose type no inference tells"
        if self.inside:
            yield f"left out: what {self.inside} nodes inside branches, loops and other bodies make"
        yield ""
        yield f"where the chip is, with {self.tool} (its own options may have changed since):"
        yield from (f"  {line}" for line in self.next)


class TensorsCompared(Shown, Struct, frozen=True):
    """``factor``: how much further than predicted a tensor may be from its reference."""

    model: str
    variant: str
    target: str
    photo: str
    factor: float
    compared: Compared

    def page(self, top: int = TOP) -> Iterator[Block]:
        found = self.compared
        begin, many = found.beginning, sum(one.diverges for one in found.met)
        yield (
            f"{self.model} {self.variant} on {self.target}, {self.photo}: {len(found.met)} tensors measured and "
            f"predicted ({found.rung})"
        )
        if not many:
            yield Judged(
                "ok  ", f"none is more than {self.factor:g} times as far from its reference as predicted"
            )
        else:
            text = f"{many} more than {self.factor:g} times as far from their references as predicted"
            yield Judged("BAD ", f"{text}; it begins at {len(begin)}, first at {begin[0].op} {begin[0].node}")
        if top and many:
            columns = ["tensor", "made by", "from", "rule", "predicted", "measured", "times"]
            yield ""
            yield Table(columns, [_row(one) for one in begin[:top]], right=range(4, 7))
        yield ""
        rows = [
            [one.rule, str(one.tensors), str(one.diverging), str(one.beginning), _times(one.ratio)]
            for one in found.rules
        ]
        yield Table(["rule", "tensors", "diverge", "begin", "median times"], rows, right=range(1, 5))
        yield ""
        yield from _unmatched(found)


def dump(
    model: Place,
    photo: Place,
    *,
    output: Place,
    rung: str | Sequence[str] = (),
    variant: str | None = None,
    target: str = "cpu",
    weights: Place | None = None,
    origin: str = "auto",
    batch: int | None = None,
    profile: Profile | None = None,
    pipeline: Words | None = None,
    option: Settings | None = None,
    python: Place | None = None,
    env: str | None = None,
    plugin: Sequence[Place] = (),
    report: Report = silent,
    bar: Bar = no_bar,
) -> Dumped:
    """Writes every tensor of the target graph on a photo, as the vendor's tool reads a reference.

    Args:
        model: the package, by name or directory. The others are the options of ``convertkit dump``.
        output: a new directory.
        rung: emulations of the target graph, the reference first; by default all that the target has.
        report: told of every step. bar: opened with the number of tensors.

    Raises:
        ConvertkitError: what was asked cannot be done, or a step failed.
    """
    from convertkit.conversion.tracing import traced
    from convertkit.datasets.coco import decode, photo_bytes
    from convertkit.precision.dumping import Dumper
    from convertkit.targets.tensor_tool import tensor_tool_of

    request = request_of(
        model, plugin, variant=variant, target=target, weights=weights, origin=origin, option=option,
        python=python, env=env, batch=batch, profile=profile, pipeline=pipeline, report=report,
    )  # fmt: skip
    tool = tensor_tool_of(request.target)
    rungs = _rungs(request, (rung,) if isinstance(rung, str) else rung)
    path, directory = Path(photo), Path(output)
    image = decode(path, photo_bytes(path))
    graph, origins = traced(request, len(request.pipeline.steps), report=fresh_only(report))
    with bar("tensors", 0) as advance:
        dumper = Dumper(request, graph, origins, rungs)
        found = dumper.write(path.name, image, directory, on_progress=advance)
    steps = tool.next_steps(directory, found.reference)
    if found.rungs:
        steps = (*steps, f"convertkit compare {tool.table} {directory}")
    return Dumped(
        directory, tool.name, found.photo, found.reference, found.rungs, len(found.tensors),
        sum(not one.file for one in found.tensors), found.untyped, found.inside, steps,
    )  # fmt: skip


def compare(
    table: Place,
    dumped: Place,
    *,
    rung: str | None = None,
    factor: float = FACTOR,
    plugin: Sequence[Place] = (),
) -> TensorsCompared:
    """Sets what a vendor's tool measured on the chip against what was predicted, tensor by tensor.

    Args:
        table: what the tool wrote.
        dumped: the directory of ``convertkit dump`` that it compared with.
        rung: whose prediction, of those that were dumped; by default the first behind the reference.
        factor: how much further than predicted a tensor may be from its reference.

    Raises:
        ConvertkitError: a file is damaged, or both are not of one model.
    """
    from convertkit.plugins.loading import open_plugins
    from convertkit.precision.comparing import compare, read_dump
    from convertkit.targets.tensor_tool import tensor_tool_of

    if not 1 <= factor < math.inf:
        raise UsageError(f"--factor {factor:g}: a number from 1 on")
    dump = read_dump(Path(dumped))
    if not dump.rungs:
        raise UsageError(
            f"{dumped} has a reference ({dump.reference}) and no prediction", hint="dump again without --rung"
        )
    target = open_plugins(map(Path, plugin)).targets.get(dump.target)
    chosen = rung or dump.rungs[0]
    if chosen not in dump.rungs:
        raise UnknownNameError(f"rung of {dumped}", chosen, dump.rungs)
    rows = tensor_tool_of(target).read(Path(table))
    try:
        found = compare(dump, rows, chosen, factor)
    except UsageError as error:
        raise error.about(table) from error
    return TensorsCompared(dump.model, dump.variant, dump.target, dump.photo, factor, found)


def _rungs(request: BuildRequest, names: Sequence[str]) -> list[RungName]:
    """Emulations of the target graph.

    Raises:
        UnknownNameError: another rung. UsageError: one twice.
    """
    from convertkit.rungs.names import parse_rung
    from convertkit.targets.capabilities import emulations

    known = emulations(request.target)
    for name in names:
        if name.partition(":")[0] not in known:
            raise UnknownNameError("emulation", name, known)
    rungs = [parse_rung(name, [], known) for name in names or known]
    if len({one.text for one in rungs}) < len(rungs):
        raise UsageError(f"--rung {rungs[-1].text}: given twice")
    return rungs


def _row(one: Met) -> list[str]:
    return [
        shortened(one.tensor, WIDEST),
        f"{one.op} {shortened(one.node, WIDEST)}",
        one.origin or "-",
        one.rule,
        _distance(one.predicted),
        _distance(one.measured),
        _times(one.ratio),
    ]


def _distance(one: Apart) -> str:
    return "not finite" if one.distance is None else f"{one.distance:.2g}"


def _times(ratio: float | None) -> str:
    return "not finite" if ratio is None else f"{ratio:.2g}"


def _unmatched(found: Compared) -> Iterator[str]:
    yield (
        "predicted, measured: relative Euclidean distance from the reference; begin: nothing before them diverges"
    )
    if found.fused:
        yield f"not measured: {found.fused} tensors, fused on the chip or not looked up"
    if found.own:
        yield f"not predicted: {found.own} outputs of operators that the compiler put there"
    if found.failed:
        said = shortened(found.reason, 120) or "nothing"
        yield f"not compared: {found.failed} outputs; the tool says of the first: {said}"
    if found.unjudged:
        yield f"not judged: {found.unjudged} tensors that are predicted not to be finite"
    if found.unknown:
        yield f"not matched: {found.unknown} outputs, of nodes that the dump does not have, as {found.example}"
