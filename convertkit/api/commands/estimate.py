"""What a graph takes at least on a chip that is not here."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from convertkit.api.commands.asking import Profile, Sizes, open_all, refuse_meaningless, requests_of, sizing
from convertkit.api.commands.pages import Block, Shown, Table
from convertkit.api.commands.places import Place, located_subject
from convertkit.conversion.events import Report, silent
from convertkit.errors import GraphError
from convertkit.estimation.roofline import Estimate
from convertkit.estimation.roofline import estimate as run
from convertkit.storage.files import megabytes
from convertkit.targets.machine import Machine

if TYPE_CHECKING:
    import onnx

    from convertkit.conversion.request import BuildRequest

OPERATORS = 5
"""How many kinds of operators the summary names."""
TOP = 10
"""How many of the costliest nodes are shown."""


class Estimated(Shown, Struct, frozen=True, dict=True):
    """Seconds, bytes and operations of a run."""

    estimate: Estimate
    machine: Machine

    @property
    def subject(self) -> str:
        """What was estimated, for people; not in JSON."""
        return str(self.__dict__.get("subject", "the graph"))

    def page(self, top: int = TOP) -> Iterator[Block]:
        found = self.estimate
        more = "" if found.complete else "at least "
        yield (
            f"{self.subject} on {found.machine}: {more}{found.matrix_operations / 1e9:.1f} G matrix operations, "
            f"{found.vector_operations / 1e9:.2f} G vector operations, {found.bytes / 1e9:.2f} GB through memory "
            f"({found.weight_bytes / 1e6:.1f} MB of weights)"
        )
        if not found.complete:
            yield _incomplete(found)
        if top and found.rows:
            yield from ("", _costliest(found, top))
        yield ""
        yield from _totals(found, self.machine)
        yield from _caveats(found, self.machine)


class EstimatedProfile(Struct, frozen=True):
    """``profile``: height and width."""

    profile: str
    estimate: Estimate


class EstimatedProfiles(Shown, Struct, frozen=True):
    """The same for each profile."""

    profiles: tuple[EstimatedProfile, ...]
    machine: Machine

    def page(self) -> Iterator[Block]:
        rows = [_line(each.profile, each.estimate) for each in self.profiles]
        yield Table(
            ["profile", "G matrix op", "GB", "ms", "runs/s at most", "fused", ""], rows, right=range(1, 6)
        )
        yield (
            "an upper bound of speed by peak figures (roofline), no forecast; --profile names its figures and nodes"
        )


def estimate(
    subject: Place | onnx.ModelProto,
    *,
    target: str = "cpu",
    input_shape: Sizes | None = None,
    variant: str | None = None,
    weights: Place | None = None,
    origin: str = "auto",
    batch: int | None = None,
    profile: Profile | None = None,
    python: Place | None = None,
    env: str | None = None,
    plugin: Sequence[Place] = (),
    report: Report = silent,
) -> Estimated | EstimatedProfiles:
    """Estimates a graph's time on a chip from its operations and bytes (a roofline): an upper bound of speed.

    Args:
        subject: a model package, by name or directory, or an ONNX graph, by its file or in memory. The others are the
            options of ``convertkit estimate``.
        report: told what a build on the way does.

    Raises:
        GraphError: no node can be counted, or sizes of inputs are open. ConvertkitError: what was asked cannot be done.
    """
    path = located_subject(str(subject)) if isinstance(subject, str | Path) else subject
    if not (isinstance(path, Path) and path.is_dir()):
        own = {"--variant": variant, "--weights": weights, "--batch": batch, "--profile": profile}
        refuse_meaningless("an ONNX file", {**own, "--python": python, "--env": env})
        return _graph(path, target, plugin, sizing(input_shape))
    requests = requests_of(
        path, plugin, variant=variant, target=target, weights=weights, origin=origin, python=python, env=env,
        input_shape=input_shape, batch=batch, profile=profile, report=report,
    )  # fmt: skip
    if len(requests) == 1:
        return _named(_title(path, requests[0]), *_package(requests[0], report))
    pairs = [(request.profile, *_package(request, report)) for request in requests]
    return EstimatedProfiles(tuple(EstimatedProfile(name, one) for name, one, _ in pairs), pairs[-1][2])


def _title(path: object, request: BuildRequest) -> str:
    pictures = request.variant.spec.batch
    more = [request.profile, f"runs of {pictures} pictures" if pictures > 1 else ""]
    return ", ".join([f"{path} {request.variant.name}", *filter(None, more)])


def _package(request: BuildRequest, report: Report) -> tuple[Estimate, Machine]:
    """The target graph: the stock graph after all passes, from the store or made now."""
    from convertkit.conversion.engine import graph_after
    from convertkit.targets.capabilities import machine_of

    others = (entry.item for entry in request.plugins.targets)
    machine = machine_of(request.target, others)  # refused before anything is built
    graph = graph_after(request, len(request.pipeline.steps), report=report)
    return run(graph, machine, request.context.pixels), machine


def _graph(
    graph: Path | onnx.ModelProto, target: str, plugin: Sequence[Place], texts: Sequence[str]
) -> Estimated:
    from convertkit.graph.io import load_valid
    from convertkit.passes.pipeline import Pipeline
    from convertkit.targets.capabilities import machine_of

    plugins = open_all(plugin)
    machine = machine_of(plugins.targets.get(target), (entry.item for entry in plugins.targets))
    model = Pipeline.parse(texts, plugins.passes).run(load_valid(graph))[0]
    return _named(str(graph) if isinstance(graph, Path) else "the graph", run(model, machine, None), machine)


def _named(subject: str, found: Estimate, machine: Machine) -> Estimated:
    if found.uncounted and not found.rows:
        first, count = found.uncounted[0], len(found.uncounted)
        raise GraphError(
            f"{subject}: none of its {count} nodes can be counted; first {first.name}: {first.why}"
        )
    record = Estimated(found, machine)
    record.__dict__["subject"] = subject
    return record


def _line(profile: str, one: Estimate) -> list[str]:
    return [
        profile,
        f"{one.matrix_operations / 1e9:.1f}",
        f"{one.bytes / 1e9:.2f}",
        f"{one.seconds * 1e3:.2f}",
        f"{1 / one.seconds:.1f}" if one.seconds else "-",
        f"{1 / one.fused.seconds:.1f}" if one.fused and one.fused.seconds else "-",
        "" if one.complete else f"at least: {len(one.uncounted)} nodes are not counted",
    ]


def _incomplete(found: Estimate) -> str:
    """Said first: figures of a graph that is only partly counted are too small."""
    count, first = len(found.uncounted), found.uncounted[0]
    ops = Counter(item.op for item in found.uncounted)
    named = ", ".join(f"{number} {op}" for op, number in ops.most_common(OPERATORS))
    more = f" and {len(ops) - OPERATORS} other operators" if len(ops) > OPERATORS else ""
    cure = " (it depends on the data, or on passes like simplify)" if "static shape" in first.why else ""
    return (
        f"incomplete: {count} node{'s' if count != 1 else ''} not counted: {named}{more}; "
        f"first {first.name}: {first.why}{cure}"
    )


def _costliest(found: Estimate, top: int) -> Table:
    columns = ["node", "operator", "unit", "M op", "MB", "bound", "ms", "%"]
    rows = [
        [
            row.name,
            row.op,
            row.unit or "-",
            f"{row.operations / 1e6:.1f}",
            f"{row.bytes / 1e6:.2f}",
            row.bound,
            f"{row.seconds * 1e3:.3f}",
            f"{100 * row.seconds / found.seconds:.1f}",
        ]
        for row in sorted(found.rows, key=lambda row: -row.seconds)[:top]
    ]
    return Table(columns, rows, right=(3, 4, 6, 7))


def _totals(found: Estimate, machine: Machine) -> Iterator[Block]:
    totals: dict[str, float] = defaultdict(float)
    for row in found.rows:
        totals[row.op] += row.seconds
    shares = sorted(totals.items(), key=lambda item: -item[1])[:OPERATORS]
    yield "by operator: " + ", ".join(f"{op} {seconds * 1e3:.2f} ms" for op, seconds in shares)
    parts = ", ".join(f"{name} {seconds * 1e3:.2f} ms" for name, seconds in found.by_bound.items())
    part = "" if found.complete else "of what is counted, "
    yield (
        f"{part}without fusion (node by node, every tensor through memory): {_speed(found.seconds)}; "
        f"bound by {parts or 'nothing'}"
    )
    yield from _other_memory(found.with_memory, machine)
    if (fused := found.fused) is not None:
        parts = ", ".join(f"{name} {seconds * 1e3:.2f} ms" for name, seconds in fused.by_bound.items())
        yield (
            f"{part}with fusion (all that the compiler is said to fuse: {fused.nodes} nodes in {fused.chains} kernels; "
            f"{fused.bytes / 1e9:.2f} GB): {_speed(fused.seconds)}; bound by {parts or 'nothing'}"
        )
        yield from _other_memory(fused.with_memory, machine)
    yield f"whatever is fused or kept in a cache, never faster than {_speed(found.least)}"
    yield (
        f"copies from and to the host are not in it: {_size(found.input_bytes)} in, "
        f"{_size(found.output_bytes)} out"
    )


def _other_memory(seconds: Mapping[str, float], machine: Machine) -> Iterator[str]:
    for source, taken in seconds.items():
        rate = next(item.rate for item in machine.other_memory if item.source == source)
        yield f"  with {rate / 1e9:.1f} GB/s ({source}): {_speed(taken)}"


def _size(count: int | None) -> str:
    return "an open size" if count is None else megabytes(count)


def _speed(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms, at most {1 / seconds:.1f} runs a second" if seconds else "0 ms"


def _caveats(found: Estimate, machine: Machine) -> Iterator[Block]:
    yield (
        "an upper bound of speed by peak figures (roofline), no forecast; nothing of it was seen on hardware:"
    )
    for figure, scale, unit in (
        (machine.matrix, 1e12, "T op/s"),
        (machine.vector, 1e12, "T op/s"),
        (machine.memory, 1e9, "GB/s"),
    ):
        yield f"  {figure.name} {figure.rate / scale:.4g} {unit} ({figure.source})"
    for fusion in machine.fusions if found.fused else ():
        yield f"  fused: {fusion.source}"
    for line in found.left_out:
        yield f"  not counted, as it depends on the data: {line}"
