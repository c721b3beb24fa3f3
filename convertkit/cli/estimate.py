"""``convertkit estimate``: what a graph takes at least on a chip that is not here."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convertkit.cli import options as shared
from convertkit.cli.requests import requests_of
from convertkit.cli.tables import print_table
from convertkit.cli.ui import BuildView, print_json
from convertkit.errors import GraphError
from convertkit.storage.files import megabytes

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.estimation.roofline import Estimate
    from convertkit.graph.light import LightModel
    from convertkit.targets.machine import Machine
    from convertkit.targets.pixels import Pixels


OPERATORS = 5
"""How many kinds of operators the summary names."""


def estimate(
    subject: shared.SubjectArgument,
    target: shared.TargetOption = "cpu",
    input_shape: shared.InputShapeOption = None,
    top: Annotated[int, typer.Option("--top", min=0, help="How many of the costliest nodes to show.")] = 10,
    variant: shared.VariantOption = None,
    weights: shared.WeightsOption = None,
    origin: shared.OriginOption = "auto",
    batch: shared.BatchOption = None,
    profile: shared.ProfileOption = None,
    python: shared.PythonOption = None,
    env: shared.EnvOption = None,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Estimate a graph's time on a chip from its operations and bytes (a roofline).

    An upper bound of speed: nothing is run, and nothing of it was measured on the chip. A variant's profiles have one
    line each; --profile shows the nodes of one.
    """
    from convertkit.estimation.roofline import estimate as run

    title = str(subject)
    if subject.is_dir():
        requests = requests_of(
            subject, plugin, variant=variant, target=target, weights=weights, origin=origin, python=python, env=env,
            input_shape=input_shape, batch=batch, profile=profile,
        )  # fmt: skip
        if len(requests) > 1:
            _compare(requests, as_json=as_json)
            return
        request = requests[0]
        machine, pixels, model = _package(request)
        if (pictures := request.variant.spec.batch) > 1:
            title += f", runs of {pictures} pictures"
    else:
        own = {
            "--variant": variant,
            "--weights": weights,
            "--batch": batch,
            "--profile": profile,
            "--python": python,
            "--env": env,
        }
        shared.refuse_meaningless("an ONNX file", {**own, "--profile": profile})
        machine, pixels, model = _graph(subject, target, plugin, shared.sizing(input_shape))
    found = run(model, machine, pixels)
    if found.uncounted and not found.rows:
        first, count = found.uncounted[0], len(found.uncounted)
        raise GraphError(
            f"{subject}: none of its {count} nodes can be counted; first {first.name}: {first.why}"
        )
    if as_json:
        print_json({"estimate": found, "machine": machine})
    else:
        _show(title, found, machine, top)


def _compare(requests: Sequence[BuildRequest], *, as_json: bool) -> None:
    from convertkit.estimation.roofline import estimate as run

    found = []
    for request in requests:
        machine, pixels, model = _package(request)
        found.append((request.profile, run(model, machine, pixels)))
    if as_json:
        each = [{"profile": profile, "estimate": one} for profile, one in found]
        print_json({"profiles": each, "machine": machine})
        return
    rows = [
        [
            profile,
            f"{one.matrix_operations / 1e9:.1f}",
            f"{one.bytes / 1e9:.2f}",
            f"{one.seconds * 1e3:.2f}",
            f"{1 / one.seconds:.1f}" if one.seconds else "-",
            "" if one.complete else f"at least: {len(one.uncounted)} nodes are not counted",
        ]
        for profile, one in found
    ]
    print_table(["profile", "G matrix op", "GB", "ms", "runs/s at most", ""], rows, right=range(1, 5))
    print(
        "an upper bound of speed by peak figures (roofline), no forecast; --profile names its figures and nodes"
    )


def _package(request: BuildRequest) -> tuple[Machine, Pixels | None, LightModel]:
    """The target graph: the stock graph after all passes, from the store or made now."""
    from convertkit.conversion.engine import graph_after
    from convertkit.targets.capabilities import machine_of

    others = (entry.item for entry in request.plugins.targets)
    machine = machine_of(request.target, others)  # refused before anything is built
    graph = graph_after(request, len(request.pipeline.steps), report=BuildView())
    return machine, request.context.pixels, graph


def _graph(
    path: Path, target: str, plugin: list[Path] | None, sizing: tuple[str, ...]
) -> tuple[Machine, None, LightModel]:
    from convertkit.graph.io import load_valid
    from convertkit.passes.pipeline import Pipeline
    from convertkit.targets.capabilities import machine_of

    plugins = shared.open_all(plugin)
    machine = machine_of(plugins.targets.get(target), (entry.item for entry in plugins.targets))
    return machine, None, Pipeline.parse(sizing, plugins.passes).run(load_valid(path))[0]


def _show(subject: str, found: Estimate, machine: Machine, top: int) -> None:
    more = "" if found.complete else "at least "
    print(
        f"{subject} on {found.machine}: {more}{found.matrix_operations / 1e9:.1f} G matrix operations, "
        f"{found.vector_operations / 1e9:.2f} G vector operations, {found.bytes / 1e9:.2f} GB through memory "
        f"({found.weight_bytes / 1e6:.1f} MB of weights)"
    )
    if not found.complete:
        print(_incomplete(found))
    if top and found.rows:
        print()
        _table(found, top)
    print()
    _totals(found, machine)
    _caveats(found, machine)


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


def _table(found: Estimate, top: int) -> None:
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
    print_table(columns, rows, right=(3, 4, 6, 7))


def _totals(found: Estimate, machine: Machine) -> None:
    totals: dict[str, float] = defaultdict(float)
    for row in found.rows:
        totals[row.op] += row.seconds
    shares = sorted(totals.items(), key=lambda item: -item[1])[:OPERATORS]
    print("by operator: " + ", ".join(f"{op} {seconds * 1e3:.2f} ms" for op, seconds in shares))
    parts = ", ".join(f"{name} {seconds * 1e3:.2f} ms" for name, seconds in found.by_bound.items())
    part = "" if found.complete else "of what is counted, "
    print(
        f"{part}node by node, nothing fused, every tensor through memory: {_speed(found.seconds)}; "
        f"bound by {parts or 'nothing'}"
    )
    for source, seconds in found.with_memory.items():
        rate = next(item.rate for item in machine.other_memory if item.source == source)
        print(f"  with {rate / 1e9:.1f} GB/s ({source}): {_speed(seconds)}")
    print(f"whatever is fused or kept in a cache, never faster than {_speed(found.least)}")
    print(
        f"copies from and to the host are not in it: {_size(found.input_bytes)} in, "
        f"{_size(found.output_bytes)} out"
    )


def _size(count: int | None) -> str:
    return "an open size" if count is None else megabytes(count)


def _speed(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms, at most {1 / seconds:.1f} a second" if seconds else "0 ms"


def _caveats(found: Estimate, machine: Machine) -> None:
    print(
        "an upper bound of speed by peak figures (roofline), no forecast; nothing of it was seen on hardware:"
    )
    for figure, scale, unit in (
        (machine.matrix, 1e12, "T op/s"),
        (machine.vector, 1e12, "T op/s"),
        (machine.memory, 1e9, "GB/s"),
    ):
        print(f"  {figure.name} {figure.rate / scale:.4g} {unit} ({figure.source})")
    for line in found.left_out:
        print(f"  not counted, as it depends on the data: {line}")
