"""What a point takes on the chip, by the roofline: a step of the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from convertkit.conversion.engine import graph_after
from convertkit.conversion.events import Report, fresh_only
from convertkit.conversion.keys import compile_facts
from convertkit.conversion.planning import plan
from convertkit.conversion.store import Store
from convertkit.errors import GraphError
from convertkit.estimation.roofline import estimate
from convertkit.storage.files import canonical_json, sha256_bytes, tree_digest
from convertkit.tuning.counts import Counts, counts_of
from convertkit.tuning.front import Price

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.targets.machine import Machine

FILE = "cost.json"


class Cost(Struct, frozen=True):
    """Of one profile.

    Attributes:
        graph: sha256 of the target graph.
        seconds: of a run, node by node. fused: with all fused that the compiler is said to fuse; None where nothing is
            known of it. least: that no schedule can beat.
        complete: whether every node is counted.
        counts: of what runs through its heads.
    """

    graph: str
    seconds: float
    fused: float | None
    least: float
    complete: bool
    counts: Counts


def cost_of(request: BuildRequest, machine: Machine, store: Store, report: Report) -> Cost:
    """The cost of a request's target graph, which is made where it is not in the store.

    Raises:
        GraphError: nothing of it can be counted, or sizes of its inputs are open.
    """
    key = _key(request, machine)
    if (entry := store.find(key)) is not None:
        return msgspec.json.decode((entry.directory / FILE).read_bytes(), type=Cost)
    graph = graph_after(request, len(request.pipeline.steps), report=fresh_only(report))
    found = estimate(graph, machine, request.context.pixels)
    if not found.seconds or not found.least:
        raise GraphError("no node of the target graph can be counted")
    cost = Cost(
        graph=graph.digest(),
        seconds=found.seconds,
        fused=None if found.fused is None else found.fused.seconds,
        least=found.least,
        complete=found.complete,
        counts=counts_of(graph, request.variant.spec.batch),
    )
    store.put_files(key, [(FILE, msgspec.json.encode(cost))])
    return cost


def price_of(costs: Mapping[str, Cost], batch: int, photos: Mapping[str, int]) -> Price:
    """By profile its cost, and how many of the photos go to it; without photos each counts as much."""
    shares = {profile: photos.get(profile, 0) for profile in costs} if photos else dict.fromkeys(costs, 1)
    total = sum(shares.values()) * batch

    def speed(seconds: Callable[[Cost], float]) -> float:
        return total / sum(seconds(costs[profile]) * share for profile, share in shares.items())

    known = all(cost.fused for cost in costs.values())
    return Price(
        speed(lambda cost: cost.seconds),
        speed(lambda cost: cost.fused or 0.0) if known else None,
        speed(lambda cost: cost.least),
        {profile: 1e3 * cost.seconds for profile, cost in costs.items()},
        all(cost.complete for cost in costs.values()),
    )


def _key(request: BuildRequest, machine: Machine) -> str:
    """Of the steps that make the graph: nothing is made to look it up."""
    facts = {
        "kind": "cost",
        "graph": plan(request)[-2].key,
        "machine": repr(machine),
        "target": compile_facts(request.target, request.context),
        "product": [tree_digest(place) for place in _sources()],
    }
    return sha256_bytes(canonical_json(facts))


def _sources() -> Sequence[Path]:
    core = Path(__file__).parents[1]
    return [core / "estimation", core / "graph", core / "heads", core / "tuning"]
