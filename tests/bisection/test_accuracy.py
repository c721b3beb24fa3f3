"""The pass that costs accuracy, found with as few measurements as it takes."""

from __future__ import annotations

import pytest

from convertkit.api.passes import Graph, GraphPass, LightModel, Pass
from convertkit.bisection.accuracy import by_accuracy, relative_to
from convertkit.bisection.report import Verdict
from convertkit.errors import GraphError, SpecError, UnavailableError
from convertkit.models.spec import AccuracySpec
from convertkit.passes.stages import stages
from tests.bisection.broken import Harmless, Nudge, Raises, graph

SPEC = AccuracySpec(bbox={"AP": 0.9}, tolerance=0.01, images=100)


class Gauge:
    """Accuracy by the number of Mul nodes, each of which costs ``cost``; the stock graph has two."""

    def __init__(self, cost: float = 0.1) -> None:
        self.cost = cost
        self.titles: list[str] = []

    def __call__(self, title: str, model: LightModel) -> dict[str, dict[str, float]]:
        self.titles.append(title)
        count = sum(node.op_type == "Mul" for node in model.proto.graph.node)
        return {"bbox": {"AP": 0.7 - self.cost * (count - 2), "AP50": 0.8}, "segm": {"AP": 0.6}}


def search(steps: list[Pass], gauge: Gauge, spec: AccuracySpec = SPEC):  # type: ignore[no-untyped-def]
    seen: list[Verdict] = []
    found = by_accuracy(graph(), stages(steps, graph()), gauge, spec, seen.append)
    return found, seen


def test_the_pass_is_found_by_halves_and_equal_graphs_are_measured_once() -> None:
    quiet = [Harmless()] * 3
    gauge = Gauge()

    found, seen = search([*quiet, Nudge(), *quiet, *quiet], gauge)

    assert found.culprit is not None
    assert (found.culprit.step, found.position) == (Nudge(), 3)
    assert found.failure is not None
    assert (found.failure.kind, found.failure.why) == (
        "accuracy",
        "bbox AP 0.6000 (stock 0.7000, may lose 0.01)",
    )
    assert len(gauge.titles) <= 1 + 1 + 4
    assert gauge.titles[:2] == ["stock", "after harmless"]
    assert [verdict.ok for verdict in found.verdicts] == sorted((v.ok for v in found.verdicts), reverse=True)
    assert len(seen) == len(found.verdicts)


def test_accuracy_within_the_tolerance_is_good_and_asks_twice() -> None:
    gauge = Gauge(cost=0.009)

    found, _ = search([Harmless(), Nudge()], gauge)

    assert (found.culprit, found.failure) == (None, None)
    assert gauge.titles == ["stock", "after nudge"]
    assert found.verdicts[-1].detail == "bbox AP 0.6910 (stock 0.7000, may lose 0.01)"


def test_passes_that_change_nothing_are_not_measured() -> None:
    class Nothing(GraphPass):
        """Do nothing."""

        name = "nothing"
        effect = "exact"

        def run(self, graph: Graph) -> None:
            pass

    gauge = Gauge()

    found, _ = search([Nothing(), Nothing()], gauge)

    assert found.culprit is None
    assert gauge.titles == ["stock"]


def test_a_pass_that_raises_is_the_culprit_where_all_before_it_is_good() -> None:
    found, seen = search([Harmless(), Raises(), Nudge()], Gauge())

    assert found.culprit is not None
    assert (found.culprit.step, found.position) == (Raises(), 1)
    assert found.failure is not None
    assert found.failure.kind == "raises"
    assert not seen[-1].ok


def test_accuracy_lost_before_a_pass_that_raises_comes_first() -> None:
    found, _ = search([Nudge(), Raises()], Gauge())

    assert (found.position, found.failure and found.failure.kind) == (0, "accuracy")


def test_a_graph_that_cannot_be_measured_is_bad() -> None:
    class Refuses(Gauge):
        def __call__(self, title: str, model: LightModel) -> dict[str, dict[str, float]]:
            if title == "after nudge":
                raise GraphError("onnxruntime refuses the graph")
            return super().__call__(title, model)

    found, _ = search([Nudge()], Refuses())

    assert found.failure is not None
    assert found.failure.why == "it cannot be measured: onnxruntime refuses the graph"


def test_a_runtime_that_is_not_there_ends_the_search() -> None:
    class Absent(Gauge):
        def __call__(self, title: str, model: LightModel) -> dict[str, dict[str, float]]:
            if title != "stock":
                raise UnavailableError("no device")
            return super().__call__(title, model)

    with pytest.raises(UnavailableError):
        search([Nudge()], Absent())


def test_every_metric_of_the_spec_counts_and_ap_where_it_has_none() -> None:
    scores = {"bbox": {"AP": 0.5, "AP50": 0.7}, "segm": {"AP": 0.4}}

    demanding = relative_to(AccuracySpec(bbox={"AP50": 0.1}, segm={"AP": 0.9}, images=7), scores)
    silent = relative_to(AccuracySpec(), scores)

    assert (demanding.bbox, demanding.segm, demanding.images) == ({"AP50": 0.7}, {"AP": 0.4}, None)
    assert (silent.bbox, silent.segm) == ({"AP": 0.5}, {"AP": 0.4})
    with pytest.raises(SpecError, match="unknown metric 'AP5'"):
        relative_to(AccuracySpec(bbox={"AP5": 0.1}), scores)
