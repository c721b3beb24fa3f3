"""What was not compared is not called equal: in the record, in the line, in the summary, in JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from convertkit.api.passes import Pass
from convertkit.errors import PassError
from convertkit.graph.light import LightModel, detach
from convertkit.passes.check import Checker
from convertkit.passes.history import CheckRecord
from tests.conftest import Cli
from tests.graphtext import parse
from tests.passes.promises import Keeps, Rounds
from tests.tiny import tiny_model

DETECTIONS = {"boxes": "dets", "classes": "labels"}


def checked(step: Pass, roles: dict[str, str], *samples: tuple[Any, Any]) -> CheckRecord:
    """The record of a check in which the graphs give these values: before and after, by sample."""
    before, after = detach(tiny_model(0)), detach(tiny_model(1))
    given = [{"sample": np.array(number)} for number in range(len(samples))]

    def opener(model: LightModel) -> Any:
        return lambda inputs: samples[int(inputs["sample"])][model.digest() == after.digest()]

    return Checker(given, roles, opener).check(step, before, after, changed=True)


def dets(*scores: float) -> tuple[Any, Any]:
    boxes = [[0, 0, 9, 9, score] for score in scores]
    return np.array(boxes, np.float32).reshape(-1, 5), np.arange(len(scores))


@pytest.mark.parametrize(
    "nothing", [np.zeros((0, 4), np.float32), np.full((2, 2), np.nan, np.float32), [], None]
)
def test_an_output_without_a_value_was_not_compared(nothing: Any) -> None:
    record = checked(Keeps(), {"y": "other"}, ((nothing,), (nothing,)))

    assert record == CheckRecord.blind("no sample has a value of y")
    assert record.detail == "not checked: no sample has a value of y"
    assert record.max_error is None


def test_one_sample_that_reaches_an_output_is_enough() -> None:
    nothing, something = np.zeros((0, 4), np.float32), np.ones((1, 4), np.float32)

    record = checked(Keeps(), {"y": "other"}, ((nothing,), (nothing,)), ((something,), (something,)))

    assert (record.unchecked, record.detail) == ("", "bit for bit equal")


def test_the_output_that_no_sample_reaches_is_named() -> None:
    values = (np.ones(3, np.float32), np.zeros((0, 4), np.float32))

    record = checked(Keeps(), {"scores": "other", "boxes": "other"}, (values, values))

    assert record.unchecked == "no sample has a value of boxes"
    assert record.detail == "bit for bit equal; not checked: no sample has a value of boxes"


@pytest.mark.parametrize("scores", [(), (0.0, 0.0)])
def test_sets_without_a_detection_were_not_compared(scores: tuple[float, ...]) -> None:
    record = checked(Rounds(), DETECTIONS, (dets(*scores), dets(*scores)))

    assert record == CheckRecord.blind("no sample has a value of boxes, classes")


def test_sets_with_a_detection_on_some_sample_were() -> None:
    record = checked(Rounds(), DETECTIONS, (dets(), dets()), (dets(0.9), dets(0.9)))

    assert record.unchecked == ""


def test_integers_that_a_float64_cannot_tell_apart_differ() -> None:
    most = np.iinfo(np.int64).max

    with pytest.raises(PassError, match="declares effect exact but y changes"):
        checked(Keeps(), {"y": "other"}, ((np.array([most]),), (np.array([most - 1]),)))


def test_sequences_are_compared_one_by_one() -> None:
    one, other = [np.ones(2)], [np.zeros(2)]

    assert checked(Keeps(), {"y": "other"}, ((one,), (one,))).unchecked == ""
    for wrong in (other, [], np.ones(2), None):
        with pytest.raises(PassError, match=r"changes by up to 1|another kind of value"):
            checked(Keeps(), {"y": "other"}, ((one,), (wrong,)))


def test_without_samples_nothing_was_compared() -> None:
    record = checked(Keeps(), {})

    assert record == CheckRecord.blind("no sample inputs")


def test_what_a_pass_left_alone_needs_no_check() -> None:
    model = detach(tiny_model())

    record = Checker([{}]).check(Keeps(), model, model, changed=False)

    assert (record.samples, record.max_error, record.unchecked) == (0, None, "")


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    path = tmp_path / "in.onnx"
    onnx.save(tiny_model(), path)
    return path


def test_opt_counts_unchecked_passes(cli: Cli, graph: Path) -> None:
    words = ("opt", graph, "-p", "fold-constants,cast-int64-to-int32", "--no-check")

    done = cli(*words)
    data = cli(*words, "--json").json

    assert done.out.startswith("not checked: 1 of 2 passes, first fold-constants: --no-check\n")
    assert "exact: not checked: --no-check" in done.err
    assert data["unchecked"] == {"fold-constants": "--no-check"}
    assert cli(*words[:-1], "--json").json["unchecked"] == {}


def test_opt_marks_what_random_inputs_do_not_reach(cli: Cli, tmp_path: Path) -> None:
    text = """(float[4] x) => (float[k, 1] y) <float big = {1e9}, float[1] one = {1.0}> {
      far = Greater (x, big)
      at = NonZero (far)
      where = Transpose (at)
      half = Mul (one, one)
      found = Cast <to = 1> (where)
      y = Mul (found, half)
    }"""
    onnx.save(parse(text, opset=13).proto, tmp_path / "far.onnx")

    done = cli("opt", tmp_path / "far.onnx", "-p", "fold-constants")

    assert "exact: not checked: no sample has a value of y" in done.err
    assert done.out.startswith(
        "not checked: 1 of 1 passes, first fold-constants: no sample has a value of y\n"
    )
