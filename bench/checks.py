"""What the checks of a pipeline take: beside the passes alone, and beside running every graph whole.

Common parts of the graphs before and after a pass run once. All in one process, by turns; the records of both ways,
all but their seconds, have to be equal.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import msgspec

from bench.graphs import request_of
from bench.record import Plan, Record
from convertkit.conversion.engine import stock_graph
from convertkit.conversion.request import BuildRequest
from convertkit.conversion.samples import roles_of, sample_inputs
from convertkit.graph.light import LightModel
from convertkit.passes.check import Checker
from convertkit.passes.history import CheckRecord, PassRecord
from convertkit.passes.running import Opener, open_on_host
from convertkit.passes.shared_runs import SharedRuns

WHY = "What lies behind a rewritten NMS runs again for every graph."
TARGET = "ascend310p3"
ALONE = "the same passes, not checked"
MOST = 120.0
"""Seconds that r50's checked passes may take."""


def compared(plan: Plan) -> Iterator[Record]:
    """mini's."""
    rounds = [_round("mini", whole=True) for _ in range(plan.rounds(3))]
    name = f"checked passes of mini, {TARGET}"
    yield Record.of_pairs(name, ALONE, [(both, bare) for bare, both, _ in rounds], goal=None)
    whole = "the same, every graph run whole, same verdicts"
    yield Record.of_pairs(name, whole, [(both, all_) for _, both, all_ in rounds], why=WHY)


def large(plan: Plan) -> Iterator[Record]:
    """r50's at 1216 x 1216, once; that every graph is run whole is left out, which takes minutes more."""
    variant = "mini" if plan.quick else "r50-fpn-1x"
    bare, both, _ = _round(variant, whole=False)
    yield Record.of_pairs(
        f"checked passes of {variant}, {TARGET}", ALONE, [(both, bare)], goal=MOST, of="ours",
        why=WHY,
    )  # fmt: skip


def _round(variant: str, *, whole: bool) -> tuple[float, float, float]:
    """Seconds of the passes alone, with checks that share, and with checks that do not (nan where not asked for)."""
    request = request_of(variant, TARGET)
    model = stock_graph(request)
    bare, _ = _passes(request, model, None)
    shared, said = _passes(request, model, SharedRuns())
    if not whole:
        return bare, shared, float("nan")
    all_, other = _passes(request, model, open_on_host)
    if said != other:
        raise RuntimeError("the two ways of checking do not say the same")
    return bare, shared, all_


def _passes(
    request: BuildRequest, model: LightModel, opener: Opener | None
) -> tuple[float, list[CheckRecord | None]]:
    checker = None
    if opener is not None:
        samples, pictures = sample_inputs(request.package, request.variant), request.variant.spec.batch
        checker = Checker(samples, roles_of(request.package), opener, pictures=pictures)
    start = time.perf_counter()
    _, records = request.pipeline.run(model, checker=checker)
    return time.perf_counter() - start, _said(records)


def _said(records: Sequence[PassRecord]) -> list[CheckRecord | None]:
    return [one.check and msgspec.structs.replace(one.check, seconds=0.0) for one in records]
