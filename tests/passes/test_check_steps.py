"""What the check of one step does: which graphs run on what, whose fault a failure is, what is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pytest

from convertkit.api.passes import GraphPass, Pass
from convertkit.errors import ConvertkitError, GivenGraphError, GraphError, PassError
from convertkit.graph.light import LightModel, detach
from convertkit.passes.check import Checker
from convertkit.passes.history import CheckRecord
from convertkit.passes.running import feeds_of, open_on_host
from tests.graphtext import parse
from tests.passes.promises import Keeps, Rounds
from tests.tiny import tiny_model

BEFORE, AFTER, LATER = (detach(tiny_model(seed)) for seed in range(3))
INVALID = parse("(float[2] x) => (float[2] y) { y = NoSuchOperator (x) }")
DETECTIONS = {"boxes": "dets", "classes": "labels"}


class Changes(GraphPass):
    """Promise another result."""

    name = "changes"
    effect = "semantic"


class Adds(Keeps):
    """Add an input, and say what it has to hold for the old result."""

    def added_inputs(self, model: LightModel) -> Mapping[str, Any]:
        return {"extra": np.array(7)}


class Tries(Keeps):
    """Ask for two further inputs, of one more than the sample and of two more."""

    def probes(self, model: LightModel, sample: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        return [{**sample, "x": sample["x"] + more} for more in (1, 2)]


class Graphs:
    """Graphs that give what a test says, and remember what they were opened for and run on."""

    def __init__(self, *values: Any, alike: Any = None) -> None:
        self.values = dict(
            zip((model.digest() for model in (BEFORE, AFTER, LATER)), values or [alike] * 3, strict=False)
        )
        self.opened, self.ran = list[str](), list[dict[str, Any]]()

    def __call__(self, model: LightModel) -> Any:
        self.opened.append(model.digest())
        values = self.values[model.digest()]

        def run(inputs: Mapping[str, Any]) -> Any:
            self.ran.append({name: value.tolist() for name, value in inputs.items()})
            given = values(inputs) if callable(values) else values
            if isinstance(given, Exception):
                raise given
            return given

        return run


def check(graphs: Graphs, step: Pass | None = None, **options: Any) -> CheckRecord:
    options = {"samples": [{"x": np.array(1)}], **options}
    checker = Checker(options.pop("samples"), options.pop("roles", None), graphs, **options)
    return checker.check(step or Keeps(), BEFORE, AFTER, changed=True)


ONE = (np.array([4.0, 2.0]),)


def test_a_step_that_changed_nothing_is_recorded_without_running_a_graph() -> None:
    graphs = Graphs(alike=ONE)

    record = Checker([{}], opener=graphs).check(Keeps(), BEFORE, AFTER, changed=False)

    assert (record, graphs.opened) == (CheckRecord(True, detail="unchanged"), [])


def test_equal_outputs_are_recorded_with_the_number_of_samples() -> None:
    record = check(Graphs(alike=ONE), samples=[{}, {}, {}])

    assert record == CheckRecord(True, samples=3, max_error=0.0, detail="bit for bit equal")


@pytest.mark.parametrize("moved", [0, 1])
def test_the_sample_that_moves_furthest_is_the_one_recorded(moved: int) -> None:
    def after(inputs: Mapping[str, Any]) -> Any:
        return (ONE[0] + [0.25, 1.0][int(inputs["x"] == moved)],)

    record = check(Graphs(ONE, after), Changes(), samples=[{"x": np.array(0)}, {"x": np.array(1)}])

    assert (record.max_error, record.detail) == (1.0, "output 0 differs by at most 1")


def test_a_graph_is_run_once_although_two_steps_have_to_do_with_it() -> None:
    graphs = Graphs(alike=ONE)
    checker = Checker([{}], opener=graphs)

    checker.check(Keeps(), BEFORE, AFTER, changed=True)
    checker.check(Keeps(), AFTER, LATER, changed=True)

    assert graphs.opened == [model.digest() for model in (BEFORE, AFTER, LATER)]


def test_a_difference_to_the_graph_before_is_found_in_the_second_step_too() -> None:
    checker = Checker([{}], opener=Graphs(ONE, ONE, (ONE[0] + 1,)))
    checker.check(Keeps(), BEFORE, AFTER, changed=True)

    with pytest.raises(PassError, match="output 0 changes by up to 1 "):
        checker.check(Keeps(), AFTER, LATER, changed=True)


@pytest.mark.parametrize("roles", [{"y": "other"}, {}])
def test_an_output_more_or_less_is_refused(roles: dict[str, str]) -> None:
    for before, after in ((ONE, ONE * 2), (ONE * 2, ONE)):
        with pytest.raises(PassError, match=f"number of outputs from {len(before)} to {len(after)}$"):
            check(Graphs(before, after), Changes(), roles=roles)


def test_outputs_have_numbers_where_there_are_not_as_many_names() -> None:
    with pytest.raises(PassError, match="but output 1 changes"):
        check(Graphs((*ONE, ONE[0]), (*ONE, ONE[0] + 1)), roles={"y": "other"})


# whose fault it is


def test_a_graph_that_was_valid_and_is_not_any_more_is_the_fault_of_the_pass() -> None:
    with pytest.raises(PassError, match=r"it left a graph that does not hold: .*NoSuchOperator") as caught:
        Checker([]).check(Keeps(), BEFORE, INVALID, changed=True)

    assert not isinstance(caught.value, GivenGraphError)


def test_a_graph_that_was_invalid_before_is_not() -> None:
    with pytest.raises(GivenGraphError, match=r"it was given a graph that does not hold: .*NoSuchOperator"):
        Checker([]).check(Keeps(), INVALID, INVALID, changed=True)


def test_without_samples_no_graph_is_opened_to_find_whose_fault_it_is() -> None:
    graphs = Graphs(alike=ONE)

    with pytest.raises(PassError, match="it left"):
        Checker([], opener=graphs).check(Keeps(), BEFORE, INVALID, changed=True)

    assert graphs.opened == []


@pytest.mark.parametrize(("fails", "words"), [(BEFORE, "was given"), (AFTER, "left")])
def test_whose_fault_it_is_that_a_graph_cannot_be_run(fails: LightModel, words: str) -> None:
    error = GraphError("no memory", hint="buy some")
    graphs = Graphs(*(error if model is fails else ONE for model in (BEFORE, AFTER)))

    with pytest.raises(PassError, match=f"it {words} a graph that does not hold: no memory") as caught:
        check(graphs)

    assert isinstance(caught.value, GivenGraphError) == (fails is BEFORE)
    assert (caught.value.hint, caught.value.__cause__) == ("buy some", error)


def test_an_invalid_graph_is_to_blame_although_the_opener_can_run_it() -> None:
    graphs = Graphs(alike=ONE)
    graphs.values[INVALID.digest()] = ONE

    with pytest.raises(GivenGraphError):
        Checker([{}], opener=graphs).check(Keeps(), INVALID, INVALID, changed=True)


def test_what_a_pass_says_of_itself_is_not_reworded() -> None:
    class Refuses(Keeps):
        """Find nothing to add."""

        def added_inputs(self, model: LightModel) -> Mapping[str, Any]:
            raise PassError("there is no picture to speak of")

    with pytest.raises(ConvertkitError, match=r"^there is no picture to speak of$"):
        check(Graphs(alike=ONE), Refuses())


# inputs


def test_an_input_that_a_pass_adds_is_given_to_the_graphs_after_it() -> None:
    graphs = Graphs(alike=ONE)
    checker = Checker([{"x": np.array(1)}], opener=graphs)

    checker.check(Adds(), BEFORE, AFTER, changed=True)
    checker.check(Keeps(), AFTER, LATER, changed=True)

    assert graphs.ran == [{"x": 1}, {"x": 1, "extra": 7}, {"x": 1, "extra": 7}]


def test_a_value_of_the_sample_is_not_replaced_by_that_of_the_pass() -> None:
    graphs = Graphs(alike=ONE)

    check(graphs, Adds(), samples=[{"x": np.array(1), "extra": np.array(5)}])

    assert graphs.ran == [{"x": 1, "extra": 5}] * 2


def test_inputs_are_found_by_name_and_renamed_ones_by_their_order() -> None:
    sample = {name: np.array(value) for value, name in enumerate(("a", "b", "c"))}

    def fed(*names: str) -> dict[str, Any]:
        return {name: value.item() for name, value in feeds_of(names, sample).items()}

    assert fed("c", "a") == {"c": 2, "a": 0}  # and what no input asks for stays out
    assert fed("new", "c", "newer") == {"new": 0, "c": 2, "newer": 1}
    assert fed("a", "b", "c", "default") == {"a": 0, "b": 1, "c": 2}


def test_on_the_host_a_graph_gives_its_outputs_in_order() -> None:
    model = parse("(float[2] x) => (float[2] less, float[2] same) { same = Identity (x) less = Neg (x) }")

    less, same = open_on_host(model)({"renamed": np.array([1, 2], np.float32)})

    assert (less.tolist(), same.tolist()) == ([-1, -2], [1, 2])


def test_on_the_host_a_graph_is_run_as_written() -> None:
    """The optimiser would multiply the weights with each other, which is too much for a float32."""
    model = parse("""(float[1,1,1,1] x) => (float[1,1,1,1] y)
    <float[1,1,1,1] weight = {1e30}, float[1,1,1,1] factor = {1e10}> {
      conv = Conv (x, weight)
      y = Mul (conv, factor)
    }""")

    (value,) = open_on_host(model)({"x": np.full((1, 1, 1, 1), 1e-30, np.float32)})

    assert value.item() == pytest.approx(1e10)


DEFAULTS = {
    name: parse(
        f"(float[2] x, {inputs}) => (float[2] y) <float[2] v = {{1, 2}}, float[2] w = {{1, 2}}> {{"
        " z = Add (x, v) y = Add (z, w) }"
    )
    for name, inputs in (("given", "float[2] v, float[2] w"), ("lost", "float[2] v"))
}


def test_an_input_with_a_default_has_to_stay_unless_another_result_was_declared() -> None:
    given, lost = DEFAULTS["given"], DEFAULTS["lost"]

    for step in (Keeps(), Rounds()):
        with pytest.raises(
            PassError, match=f"declares effect {step.effect} but input 'w', which has a default"
        ):
            Checker([]).check(step, given, lost, changed=True)
        for before, after in ((lost, given), (given, given)):
            assert Checker([]).check(step, before, after, changed=True).structure
    assert Checker([]).check(Changes(), given, lost, changed=True).structure


# what the pass itself wants to be tried on


def test_a_pass_is_tried_on_the_inputs_it_asks_for_with_those_it_adds() -> None:
    class AddsAndTries(Adds, Tries):
        """Do both."""

    graphs = Graphs(alike=ONE)

    record = check(graphs, AddsAndTries())

    assert record.probes == 2
    assert record.detail == "bit for bit equal, also on 2 inputs at the bounds of what the pass assumes"
    assert graphs.ran[2:] == [{"x": x, "extra": 7} for x in (2, 2, 3, 3)]


def test_a_difference_on_such_an_input_is_the_fault_of_the_pass() -> None:
    def after(inputs: Mapping[str, Any]) -> Any:
        return (ONE[0] + (inputs["x"] == 3),)

    with pytest.raises(PassError, match=r"changes by up to 1 .*, on inputs at the bounds of what it assumes"):
        check(Graphs(ONE, after), Tries())


def test_a_pass_is_not_tried_where_that_is_not_wanted() -> None:
    graphs = Graphs(alike=ONE)

    record = check(graphs, Tries(), probes=False)

    assert (record.probes, record.detail, len(graphs.ran)) == (0, "bit for bit equal", 2)


# what there was to compare


def test_outputs_that_different_samples_reach_are_checked_together() -> None:
    def outputs(inputs: Mapping[str, Any]) -> Any:
        some, none = np.ones(1), np.ones(0)
        return (some, none) if inputs["x"] else (none, some)

    both = check(Graphs(outputs, outputs), samples=[{"x": np.array(0)}, {"x": np.array(1)}])
    one = check(Graphs(outputs, outputs), samples=[{"x": np.array(0)}] * 2)

    assert (both.unchecked, one.unchecked) == ("", "no sample has a value of output 0")
    assert one.detail == "bit for bit equal; not checked: no sample has a value of output 0"


@pytest.mark.parametrize("values", [(), (np.ones(0),), (np.ones(0), np.ones(0))])
def test_samples_that_reach_nothing_leave_the_step_unchecked(values: Any) -> None:
    record = check(Graphs(alike=values))

    names = ", ".join(f"output {place}" for place in range(len(values))) or "any output"
    assert record == CheckRecord.blind(f"no sample has a value of {names}")


def test_small_values_are_values() -> None:
    assert check(Graphs(alike=(np.array([1e-30, np.nan]),))).unchecked == ""


def dets(*scores: float, box: float = 0.0) -> Any:
    boxes = np.array([[0, 0, 9, 9 + box, score] for score in scores]).reshape(-1, 5)
    return boxes, np.arange(len(scores))


def test_detections_alone_are_recorded_by_what_moves_furthest() -> None:
    record = check(Graphs(dets(0.9), dets(0.9 - 2**-15, box=2**-6)), Rounds(), roles=DETECTIONS)

    assert (record.samples, record.max_error, record.unchecked) == (1, 2**-6, "")
    assert record.detail == "1 detections matched: within 0.0156 px, score 3.05e-05, mask 0"


def test_what_stands_beside_detections_is_recorded_where_it_moves_further() -> None:
    beside = np.array([4000.0]), np.array([4000.25])
    graphs = Graphs((*dets(0.9), beside[0]), (*dets(0.9, box=2**-6), beside[1]))

    record = check(graphs, Rounds(), roles={**DETECTIONS, "beside": "other"})

    assert (record.max_error, record.unchecked) == (0.25, "")


def test_what_stands_beside_no_detections_is_checked_all_the_same() -> None:
    graphs = Graphs(alike=(*dets(), np.ones(1)))

    record = check(graphs, Rounds(), roles={**DETECTIONS, "beside": "other"})

    assert record.unchecked == "no sample has a value of boxes, classes"


@pytest.mark.parametrize("roles", [{"boxes": "other", "classes": "labels"}, {**DETECTIONS, "masks": "masks"}])
def test_without_a_name_for_each_and_boxes_among_them_outputs_are_compared_in_order(
    roles: dict[str, str],
) -> None:
    boxes, labels = dets(0.9, 0.8)

    check(Graphs((boxes, labels), (boxes[::-1], labels[::-1])), Rounds(), roles=DETECTIONS)
    with pytest.raises(PassError, match="changes by up to 1 "):
        check(Graphs((boxes, labels), (boxes, labels[::-1])), Rounds(), roles=roles)


def test_an_exact_pass_may_not_change_the_order_of_detections() -> None:
    boxes, labels = dets(0.9, 0.8)

    with pytest.raises(PassError, match="declares effect exact but "):
        check(Graphs((boxes, labels), (boxes[::-1], labels[::-1])), Keeps(), roles=DETECTIONS)


# values of every kind


def compared(old: Any, new: Any, step: Pass | None = None) -> CheckRecord:
    return check(Graphs((old,), (new,)), step or Rounds())


def test_the_largest_value_of_the_output_is_what_a_difference_is_held_against() -> None:
    for largest in (1e-3, 1.0, 1e3):
        old = np.array([largest, -largest / 2, np.inf])
        assert compared(old, old * [1 - 9e-5, 1, 1]).max_error == pytest.approx(9e-5 * largest)
        with pytest.raises(PassError, match="of its largest value"):
            compared(old, old * [1 - 2e-4, 1, 1])


def test_nothing_may_come_where_everything_was_zero() -> None:
    with pytest.raises(PassError, match=r"\(inf of its largest value"):
        compared(np.zeros(2), np.full(2, 1e-30))


def test_a_negative_value_is_no_positive_one() -> None:
    assert compared(np.array([-3.0]), np.array([3.0]), Changes()).max_error == 6


def test_the_output_that_moves_furthest_is_the_one_named() -> None:
    old = tuple(np.array([1.0]) for _ in range(3))

    for place in range(3):
        new = tuple(value + [0.25, 0.5][at == place] for at, value in enumerate(old))
        assert check(Graphs(old, new), Changes()).detail == f"output {place} differs by at most 0.5"


@pytest.mark.parametrize(("old", "new"), [(1, 1.5), (1.5, 1), (1.5, 2.0), (1, 2)])
def test_a_change_between_kinds_of_numbers_is_measured_as_it_is(old: float, new: float) -> None:
    assert compared(np.array([old]), np.array([new]), Changes()).max_error == abs(old - new)


def test_another_shape_is_refused_whatever_was_declared() -> None:
    with pytest.raises(PassError, match=r"shape of output 0 from \(2,\) to \(2, 1\)"):
        compared(np.ones(2), np.ones((2, 1)), Changes())


@pytest.mark.parametrize("kind", [str, object, bytes])
def test_texts_are_equal_or_not(kind: type) -> None:
    texts: Any = np.array(["a", "b"], kind)
    others: Any = np.array(["a", "c"], kind)
    numbers = np.ones(2)

    record = compared(texts, texts.copy(), Keeps())

    assert (record.detail, record.max_error) == ("bit for bit equal", 0.0)
    for old, new in ((texts, others), (texts, numbers), (numbers, texts)):
        with pytest.raises(PassError, match="output 0 changes"):
            compared(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [(np.array(["a", "b"]), np.array(["a", "c"])), (np.array([1.0, np.nan]), np.array([1.0, 2.0]))],
)
def test_a_change_that_no_number_measures_is_not_called_equal(old: Any, new: Any) -> None:
    record = check(Graphs((np.ones(1), old), (np.ones(1) * 1.5, new)), Changes())

    assert record.detail == "output 1 differs where it is no number"
    assert record.max_error == np.inf
    assert msgspec.json.decode(msgspec.json.encode(record), type=CheckRecord).max_error is None


@pytest.mark.parametrize("wrap", [lambda value: [np.ones(1), value], lambda value: {"a": value}])
def test_what_holds_several_values_is_compared_value_by_value(wrap: Any) -> None:
    assert compared(wrap(np.ones(1)), wrap(np.ones(1)), Keeps()).unchecked == ""
    with pytest.raises(PassError, match="changes by up to 1 "):
        compared(wrap(np.ones(1)), wrap(np.zeros(1)))


def test_a_map_of_other_keys_has_changed() -> None:
    with pytest.raises(PassError, match="changes by up to 1 "):
        compared({1: 0.5}, {2: 0.5})


@pytest.mark.parametrize("other", [np.ones(2), [np.ones(1)], {"a": np.ones(1)}, None])
@pytest.mark.parametrize("one", [np.ones(2), [np.ones(1)] * 2, {"a": np.ones(1), "b": np.ones(1)}, None])
def test_another_kind_of_value_is_refused_whatever_was_declared(one: Any, other: Any) -> None:
    if type(one) is type(other) and not isinstance(one, (list, dict)):
        compared(one, other, Changes())
        return
    for old, new in ((one, other), (other, one)):
        with pytest.raises(PassError, match="it changed output 0 to another kind of value"):
            compared(old, new, Changes())
