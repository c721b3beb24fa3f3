"""What fp16 loses is planted into mini: the plan names it, or what is fused with it, and the detections are back."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convertkit.api.commands.asking import request_of
from convertkit.conversion.engine import graph_after
from convertkit.conversion.precision_plan import PrecisionPlan, plan_text
from convertkit.conversion.store import Store
from convertkit.graph.light import LightModel
from convertkit.graph.session import open_session
from convertkit.precision.candidates import patterns
from convertkit.precision.evaluating import Evaluator
from convertkit.precision.loss import Loss
from convertkit.precision.measuring import measured
from convertkit.precision.overflow import needed
from convertkit.precision.planning import Planner
from convertkit.precision.ranges import Gauge
from convertkit.precision.search import Search
from convertkit.rungs.stream import StreamError
from convertkit.scoring.intervals import Estimate
from convertkit.verification.data import find_source
from tests.ascend.chip import CHIP, PLAIN
from tests.ascend.linter.graphs import named
from tests.ascend.planting import Choice, backbone, mask_head, neck, too_coarse, too_large

LIMIT = 0.1
"""More than is asked by default: the interval of two photos is wide."""

FUSED = {"Add", "Relu"}
"""What stands directly before or behind a planted node."""


@pytest.fixture(scope="module")
def mini() -> LightModel:
    request = request_of("maskrcnn", variant="mini", target=CHIP.name)
    return graph_after(request, len(request.pipeline.steps))


def planner(model: LightModel, store: Store | None = None, photos: int = 2) -> Planner:
    request = request_of("maskrcnn", variant="mini", target=CHIP.name)
    dataset = find_source(request.package, request.variant).open(photos)
    store = store or Store()
    evaluator = Evaluator(request, model, dataset, store)
    return Planner(evaluator, lambda: measured(request, model, {}, dataset, store=store), LIMIT)


def others(found: PrecisionPlan, model: LightModel, planted: set[str]) -> list[str]:
    """Operators of the nodes that are kept beside the planted ones."""
    assert planted <= set(found.keep)
    return sorted(node.op_type for node in model.proto.graph.node if node.name in {*found.keep} - planted)


@pytest.mark.slow
def test_the_rewritten_graph_needs_nothing(mini: LightModel) -> None:
    found = planner(mini).plan()

    assert (found.entries, found.met, found.evaluations, found.impossible) == ((), True, 1, {})
    assert found.all_fp16 == found.planned


@pytest.mark.slow
@pytest.mark.parametrize("places", [(backbone,), (neck, mask_head)])
def test_what_overflows_is_named_and_nothing_else(mini: LightModel, places: tuple[Choice, ...]) -> None:
    model, names = mini, set[str]()
    for place in places:
        model, more = too_large(model, place)
        names |= more

    found = planner(model).plan()

    assert others(found, model, names) == [] and found.met
    assert [entry.why for entry in found.entries] == ["overflow"] * len(places)
    assert all(entry.largest > 65504 and entry.before > entry.after + LIMIT for entry in found.entries)
    assert found.evaluations <= 2 + len(places) and found.planned.high <= LIMIT < found.all_fp16.low


@pytest.mark.slow
@pytest.mark.parametrize("places", [(neck,), (backbone, mask_head)])
def test_lost_resolution_is_named_with_what_is_fused_at_most(
    mini: LightModel, places: tuple[Choice, ...]
) -> None:
    model, names = mini, set[str]()
    for place in places:
        model, more = too_coarse(model, place)
        names |= more

    found = planner(model).plan()

    assert set(others(found, model, names)) <= FUSED and len(found.keep) <= 4 * len(places)
    assert [entry.why for entry in found.entries] == ["loss"] * len(places)
    assert all(entry.before > entry.after for entry in found.entries)
    assert found.met and found.evaluations <= 30 and found.planned.high <= LIMIT < found.all_fp16.high


SMALL = """
(float[1,4] x) => (float[1,4] y)
<float[1] up = {65536}, float[1] down = {0.0000152587890625}, float[1] c = {30000},
 float[4,4] w = {1,2,0,0,0,1,0,3,0,0,1,0,2,0,0,1}>
{
    a = MatMul(x, w)
    b = Mul(a, up)
    d = Abs(b)
    e = Mul(d, down)
    f = MatMul(e, w)
    g = Add(f, c)
    h = Sub(g, c)
    i = Softplus(h)
    j = MatMul(i, w)
    y = Sqrt(j)
}
"""


def test_both_kinds_are_found_in_a_small_graph_by_its_outputs_alone() -> None:
    """As above, with a share of the values in place of detections: the chip's numerics are the real ones."""
    model, inputs = named(SMALL), {"x": np.array([[0.1, 2.3, 1.7, 0.9]], np.float32)}
    gauge = Gauge(model, {})
    gauge.feed(inputs)
    found = needed(model, gauge.ranges(1), CHIP.mixed.cannot_keep(model))
    right = open_session(model).run(inputs)["y"]

    def evaluate(keep: frozenset[str], place: int, whole: bool) -> Loss:
        made = CHIP.mixed.emulate(model, keep, PLAIN).run(inputs)["y"]
        value = float(np.nan_to_num(np.abs(made / right - 1).max(), nan=1.0, posinf=1.0))
        return Loss(Estimate(value, 0.0, value, value), {}, ())

    search = Search(evaluate, 0.01, 30)
    search.run(lambda: [tuple(found.keep)], lambda: patterns(model, gauge.ranges(1), found.keep))

    assert set(found.keep) == {"n1", "n2", "n3"}
    assert search.met == {"n1", "n2", "n3", *("n4", "n5", "n6", "n7")} and len(search.losses) <= 6


@pytest.mark.slow
def test_a_plan_goes_on_where_it_was_cut_off(mini: LightModel, tmp_path: Path) -> None:
    """After every evaluation in turn, with what was in the store: the same bytes, and none is made twice."""
    model, _ = too_large(mini, backbone)
    model, _ = too_coarse(model, neck)
    store, made = Store(tmp_path / "store"), list[Any]()

    class Cut(Exception):
        """The process ended."""

    def attempt(evaluations: int) -> PrecisionPlan:
        left, plan = evaluations, planner(model, store)
        evaluate = plan.evaluator.loss

        def cut(keep: Any, on_progress: Any, beyond: float) -> Any:
            nonlocal left
            if not left:
                raise Cut
            left -= 1
            made.append(keep)
            return evaluate(keep, on_progress, beyond)

        plan.evaluator.loss = cut
        return plan.plan()

    found = None
    while found is None:
        try:
            found = attempt(1)
        except Cut:
            continue

    assert (
        plan_text(found) == plan_text(attempt(0)) == plan_text(planner(model, Store(tmp_path / "new")).plan())
    )
    assert len(made) == len(set(made)) == found.evaluations


@pytest.mark.slow
def test_an_evaluation_ends_where_the_limit_cannot_be_met_any_more(mini: LightModel, tmp_path: Path) -> None:
    """The hardest photo first; what was looked at is not run again where the others are asked for as well."""
    model, names = too_large(mini, backbone)
    evaluator = planner(model, Store(tmp_path / "store"), photos=3).evaluator
    all_fp16, ran = evaluator.loss(()), list[int]()
    hardest = max(all_fp16.seen, key=lambda one: one.loss)
    useless = sorted(names)[:1]

    some = evaluator.loss(useless, ran.append, beyond=LIMIT)

    assert ([one.photo for one in some.seen], some.whole, ran) == ([hardest.photo], False, [1])
    assert evaluator.known(useless, beyond=LIMIT) == some and evaluator.known(useless) is None
    assert evaluator.loss(useless).seen[1:] and evaluator.known(useless).whole
    assert evaluator.known(useless, beyond=LIMIT) == some


@pytest.mark.slow
def test_a_full_memory_is_not_taken_for_what_the_graph_does(
    mini: LightModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluator = planner(mini, Store(tmp_path / "store")).evaluator

    def full(*arguments: object) -> None:
        raise StreamError("a.png: run failed: MemoryError") from MemoryError()

    with monkeypatch.context() as patch:
        patch.setattr(Evaluator, "_detections", full)
        with pytest.raises(StreamError):
            evaluator.loss(())

    assert evaluator.known(()) is None
    assert not any(one.failed for one in evaluator.loss(()).seen)


@pytest.mark.slow
def test_a_photo_that_was_renamed_is_known_and_has_its_new_name(mini: LightModel, tmp_path: Path) -> None:
    evaluator = planner(mini, Store(tmp_path / "store")).evaluator
    before = evaluator.loss(())
    renamed = [
        replace(image, path=Path(shutil.copy(image.path, tmp_path / f"new {image.path.name}")))
        for image in evaluator.dataset.images
    ]

    evaluator.dataset = replace(evaluator.dataset, images=tuple(renamed))
    after = evaluator.known(())

    assert after is not None and after.estimate == before.estimate
    assert [one.photo for one in after.seen] == [f"new {one.photo}" for one in before.seen]
