"""A pass that fails on a graph fails on a few of its nodes."""

from __future__ import annotations

import time

import numpy as np
import pytest

from convertkit.api.passes import Graph, GraphPass, LightModel, Pass
from convertkit.bisection.attempt import Attempt, attempt, judge
from convertkit.bisection.consequence import Consequences
from convertkit.bisection.divergence import agrees, compare, regions
from convertkit.bisection.recorder import Recorder
from convertkit.bisection.report import Failure
from convertkit.bisection.shrink import reproduce
from convertkit.errors import GraphError
from convertkit.graph.graph import open_graph
from convertkit.passes.check import Checker
from convertkit.passes.running import open_on_host
from convertkit.passes.stages import Stage, run_stage
from convertkit.passes.state import GraphState
from tests.bisection.broken import (
    AddMask,
    Harmless,
    Invalid,
    Nudge,
    Raises,
    SwapBeforeMul,
    SwapSub,
    graph,
    sample,
)
from tests.graphtext import parse, show


def failing(step: Pass, model: LightModel | None = None) -> tuple[Stage, Failure]:
    stage = run_stage(GraphState(model or graph()), step)
    failure, _ = judge(stage, Checker([sample()]))
    assert failure is not None
    return stage, failure


def shrunk(step: Pass) -> Attempt:
    stage, failure = failing(step)
    found = reproduce(stage, failure, [sample()])
    assert found is not None
    return found[1]


def test_a_swapped_operand_is_cut_out_between_tensors_that_agree() -> None:
    found = shrunk(SwapSub())

    assert show(found.before) == show(
        """(float[N,1] y2, float[N,1] y1) => (float[N,1] height)
        {
            height = Sub (y2, y1)
        }"""
    )
    assert found.after is not None
    assert [list(node.input) for node in found.after.proto.graph.node] == [["y1", "y2"]]
    assert found.got is not None
    np.testing.assert_array_equal(found.got["height"], -found.expected["height"])
    np.testing.assert_array_equal(found.inputs["y2"], sample()["boxes"][:, 3:])
    assert found.failure.kind == "differs"


def test_what_a_pass_needs_around_the_place_it_breaks_stays() -> None:
    found = shrunk(SwapBeforeMul())

    ops = sorted(node.op_type for node in found.before.proto.graph.node)
    assert ops == ["Mul", "Slice", "Slice", "Sub"]


def test_a_pass_that_raises_is_left_with_the_node_it_raises_on() -> None:
    found = shrunk(Raises())

    assert [node.op_type for node in found.before.proto.graph.node] == ["Relu"]
    assert found.failure == Failure(
        "raises", 'KeyError: "no rule for Relu in a graph of 1"'.replace('"', "'")
    )
    assert (found.after, found.got) == (None, None)


def test_an_invalid_graph_is_left_with_the_node_that_makes_it_so() -> None:
    found = shrunk(Invalid())

    assert [node.op_type for node in found.before.proto.graph.node] == ["Abs"]
    assert found.failure.kind == "invalid"
    assert found.after is not None


def test_a_semantic_pass_is_judged_more_strictly_until_it_shows() -> None:
    stage = run_stage(GraphState(graph()), Nudge(factor=1 + 1e-5))

    found = reproduce(stage, Failure("accuracy", "AP is gone"), [sample()])

    assert found is not None
    step, shown = found
    assert step.effect == "exact"  # 1e-5 lies within what rounding may do
    assert step.name == "nudge"
    assert shown.failure.why.startswith("judged as exact, root changes by up to")
    assert [node.op_type for node in shown.before.proto.graph.node] == ["Abs"]


def test_a_difference_that_does_no_harm_is_not_to_blame() -> None:
    class TwoThings(GraphPass):
        """Clear what nobody reads of Abs, and swap the operands of Sub."""

        name = "two-things"
        effect = "exact"

        def run(self, graph: Graph) -> None:
            for node in list(graph.find("Abs")):
                made, mask = node.outputs[0], graph.constant(np.array([1, 1, 0], np.float32))
                node.outputs[0] = type(made)(graph.fresh_name("inner"), dtype=np.float32, shape=[3])
                graph.add("Mul", [node.outputs[0], mask], outputs=[made])
            for node in graph.find("Sub"):
                node.inputs[0], node.inputs[1] = node.inputs[1], node.inputs[0]

    model = parse(
        """(float[3] x) => (float[2] z)
        <int64[1] axis = {0}, int64[1] start = {0}, int64[1] end = {2}, float one = {1}>
        {
            y = Abs (x)
            first = Slice (y, start, end, axis)
            z = Sub (first, one)
        }"""
    )
    inputs = {"x": np.array([1, -2, 3], np.float32)}
    stage = run_stage(GraphState(model), TwoThings())

    found = reproduce(stage, Failure("differs", "z changes"), [inputs])

    assert found is not None
    assert [node.op_type for node in found[1].before.proto.graph.node] == ["Sub"]
    assert found[1].consequence == (
        "it declares effect exact but z changes by up to 2 (2 of its largest value; allowed 0)"
    )


def test_values_are_put_into_a_graph_in_place_of_computed_ones() -> None:
    whole = Consequences(SwapSub(), graph(), sample(), {"area": "other", "shifted": "other"}, open_on_host)
    known = Recorder(graph(), sample()).values(["height", "shifted"])
    height, shifted = known["height"], known["shifted"]

    assert whole.of({"height": height}, {"height": height}) is None
    assert "but area changes by up to" in (whole.of({"height": height}, {"height": -height}) or "")
    assert "but shifted changes by up to" in (whole.of({"shifted": shifted}, {"shifted": shifted + 1}) or "")
    assert whole.of({"height": height}, {"height": height[:3]}) is not None  # 3 rows times 5 rows: no graph


def test_inputs_that_the_pass_adds_are_part_of_the_sample() -> None:
    found = shrunk(AddMask())

    assert [node.op_type for node in found.before.proto.graph.node] == ["Abs"]
    assert set(found.inputs) == {"scores", "mask"}
    assert found.got is not None
    np.testing.assert_array_equal(found.got["root"], -found.expected["root"])


def test_the_sample_that_shows_it_is_taken() -> None:
    stage, failure = failing(SwapSub())
    square = {**sample(), "boxes": np.full((5, 4), 3, np.float32)}  # no height: swapped or not, it is zero

    found = reproduce(stage, failure, [square, sample()])

    assert found is not None
    np.testing.assert_array_equal(found[1].inputs["y2"], sample()["boxes"][:, 3:])
    assert reproduce(stage, failure, [square]) is None


def test_what_shrinking_has_reached_in_time_is_delivered() -> None:
    stage, failure = failing(Raises())

    found = reproduce(stage, failure, [sample()], seconds=0)

    assert found is not None
    assert show(found[1].before) == show(graph())


def test_an_exception_for_another_reason_is_not_the_failure() -> None:
    class First(GraphPass):
        """Need a Mul, and fail on Relu where there is one."""

        name = "first"
        effect = "exact"

        def run(self, graph: Graph) -> None:
            next(graph.find("Mul"))
            if any(graph.find("Relu")):
                raise ValueError("a Relu")

    ops = [node.op_type for node in shrunk(First()).before.proto.graph.node]

    assert sorted(ops) == ["Mul", "Relu"]


def test_a_pass_that_holds_shows_nothing() -> None:
    assert attempt(Harmless(), graph(), sample()) is None


def test_a_graph_that_does_not_hold_is_not_the_pass_s_fault() -> None:
    broken = parse("(float[2] x) => (float[2] y) { y = NoSuchOperator (x) }")

    with pytest.raises(GraphError, match="NoSuchOperator"):
        attempt(SwapSub(), broken, {"x": np.ones(2, np.float32)})


def test_tensors_agree_upstream_of_the_first_that_differs() -> None:
    stage, _ = failing(SwapSub())
    assert stage.after is not None

    agree, differ = compare(Recorder(stage.before, sample()), Recorder(stage.after, sample()), 0.0)

    assert differ == ("height", "product", "area")
    assert agree == {"x1", "x2", "y1", "y2", "width", "root", "moved", "shifted"}


def test_regions_grow_from_the_first_difference_on() -> None:
    agree = frozenset({"x1", "x2", "y1", "y2", "width", "root", "moved", "shifted"})

    found = list(regions(open_graph(graph()), agree, ("height", "product", "area")))

    sizes = [len(part) for part in found]
    assert found[0] == {5}
    assert sizes == sorted(sizes)
    assert frozenset({1, 3, 5}) in found
    assert len(set(found)) == len(found)


def test_regions_reach_over_control_flow_only_where_they_stand_alone() -> None:
    model = parse(
        """(float[3] x, bool flag) => (float[3] z)
        {
            y = Neg (x)
            z = If (flag) <
                then_branch = yes () => (float[3] a) { a = Relu (y) },
                else_branch = no () => (float[3] b) { b = Abs (y) }
            >
        }"""
    )

    class FlipNeg(GraphPass):
        """Turn Neg into Abs where an If follows."""

        name = "flip-neg"
        effect = "exact"

        def run(self, graph: Graph) -> None:
            if any(graph.find("If")):
                for node in graph.find("Neg"):
                    node.op = "Abs"

    inputs = {"x": np.array([1, -2, 3], np.float32), "flag": np.array(True)}
    stage = run_stage(GraphState(model), FlipNeg())
    failure, _ = judge(stage, Checker([inputs]))
    assert failure is not None

    found = reproduce(stage, failure, [inputs])

    assert found is not None
    assert [node.op_type for node in found[1].before.proto.graph.node] == ["Neg", "If"]


@pytest.mark.parametrize(
    ("old", "new", "limit", "same"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0, True),
        ([1.0, np.nan], [1.0, np.nan], 0, True),
        ([1.0, 2.0], [1.0, 2.0001], 0, False),
        ([1.0, 2.0], [1.0, 2.0001], 1e-4, True),
        ([1.0, 2.0], [1.0, np.inf], 1e-4, False),
        ([0.0, 0.0], [0.0, 1e-9], 1e-4, False),
        ([1.0], [1.0, 1.0], 1e-4, False),
    ],
)
def test_agreement(old: list[float], new: list[float], limit: float, same: bool) -> None:
    assert agrees(np.array(old), np.array(new), limit) is same


def test_integers_of_another_width_agree_by_value() -> None:
    assert agrees(np.array([1, 2]), np.array([1, 2], np.int32), 0)


def test_a_recorder_hands_out_any_tensor_and_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convertkit.bisection.recorder.CHUNK", 50)
    recorder = Recorder(graph(), sample())

    chunks = list(recorder.chunks(["boxes", "width", "height", "area", "nothing"]))

    assert [sorted(chunk) for chunk in chunks][:2] == [["boxes"], ["width"]]
    found = {name: value for chunk in chunks for name, value in chunk.items()}
    boxes = sample()["boxes"]
    np.testing.assert_array_equal(found["width"], boxes[:, 2:3] - boxes[:, :1])
    assert set(found) == {"boxes", "width", "height", "area"}


@pytest.mark.slow
def test_shrinking_a_long_graph_takes_seconds() -> None:
    lines = [f"t{i + 1} = {'Neg' if i != 70 else 'Abs'} (t{i})" for i in range(120)]
    model = parse("(float[3] t0) => (float[3] t120) {" + "\n".join(lines) + "}")
    stage = run_stage(GraphState(model), Invalid())
    inputs = {"t0": np.ones(3, np.float32)}
    failure, _ = judge(stage, Checker([inputs]))
    assert failure is not None
    start = time.monotonic()

    found = reproduce(stage, failure, [inputs])

    assert found is not None
    assert [node.op_type for node in found[1].before.proto.graph.node] == ["Abs"]
    assert time.monotonic() - start < 20
