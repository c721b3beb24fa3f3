"""``convertkit bench --batch 1,4,8``: one model for each number of pictures in a run, and profile, side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from convertkit.cli.tables import print_table
from convertkit.cli.ui import BuildView, note, print_json
from convertkit.errors import UnavailableError

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.speed.measure import Repeated


def compare(
    requests: list[BuildRequest], name: str, measure: Callable[[BuildRequest], Any], *, as_json: bool
) -> None:
    """A row for each batch and profile: what was measured beside the roofline, where each can be had."""
    rows: list[dict[str, Any]] = []
    for request in requests:
        roofline = _roofline(request)
        try:
            repeated: Repeated | None = measure(request)[0]
        except UnavailableError as error:
            if roofline is None:
                raise
            note(f"batch {request.variant.spec.batch}{_at(request)} is not measured: {error.message}")
            repeated = None
        known = {"profile": request.profile, "batch": request.variant.spec.batch}
        rows.append({**known, "repeated": repeated, "roofline": roofline})
    if as_json:
        print_json({"runtime": name, "batches": rows})
        return
    first = requests[0]
    print(f"{first.package.spec.name} {first.variant.name} on {first.target.name}, {name}; computing only\n")
    heads = ["profile"] if first.profile else []
    print_table(
        [*heads, "batch", "ms (mean)", "images/s", "roofline ms", "images/s at most"],
        [_line(**row) for row in rows],
        right=range(len(heads), len(heads) + 5),
    )


def _at(request: BuildRequest) -> str:
    return f" at {request.profile}" if request.profile else ""


def _line(profile: str, batch: int, repeated: Repeated | None, roofline: float | None) -> list[str]:
    measured = [f"{repeated.compute.mean:.2f}", f"{repeated.throughput:.2f}"] if repeated else ["-", "-"]
    bound = [f"{1000 * roofline:.2f}", f"{batch / roofline:.2f}"] if roofline else ["-", "-"]
    return [*([profile] if profile else []), str(batch), *measured, *bound]


def _roofline(request: BuildRequest) -> float | None:
    """Seconds of a run, node by node, as ``convertkit estimate`` has them; None without figures of the machine."""
    from convertkit.conversion.engine import graph_after
    from convertkit.estimation.roofline import estimate

    if request.target.machine is None:
        return None
    graph = graph_after(request, len(request.pipeline.steps), report=BuildView())
    return estimate(graph, request.target.machine, request.context.pixels).seconds
