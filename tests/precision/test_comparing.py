"""Predicted against measured: where a divergence begins, and what could not be compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convertkit.errors import UsageError
from convertkit.precision.apart import apart
from convertkit.precision.comparing import FACTOR, FLOOR, compare, read_dump
from convertkit.precision.dumping import INDEX, Dump, Tensor
from convertkit.targets.tensor_tool import Apart, Measured

PREDICTED = 0.01


def tensor(name: str, *takes: str, distance: float | None = PREDICTED) -> Tensor:
    """``X.0`` is made by node ``X``, by the rule ``X`` begins with."""
    node, output = name.split(".")
    predicted = {"device": Apart(1.0, 1.0, distance)}
    return Tensor(
        name, node, "Op", int(output), "", node[0], (2,), "float32", takes, f"{name}.npy", predicted
    )


def dumped(*tensors: Tensor) -> Dump:
    return Dump("model", "variant", "chip", "photo.jpg", "twin", ("device",), (), tensors)


def measured(nodes: str, times: float, output: int = 0) -> Measured:
    return Measured(tuple(nodes.split("+")), output, Apart(1.0, 1.0, times * PREDICTED))


CHAIN = dumped(tensor("a1.0"), tensor("b1.0", "a1.0"), tensor("b2.0", "b1.0"), tensor("a2.0", "b2.0"))


def test_a_divergence_begins_where_nothing_before_it_diverges() -> None:
    table = [measured("a1", 1), measured("b1", FACTOR + 1), measured("b2", 1), measured("a2", FACTOR + 1)]

    found = compare(CHAIN, table, "device")

    assert [one.tensor for one in found.met if one.diverges] == ["b1.0", "a2.0"]
    assert [one.tensor for one in found.beginning] == ["b1.0"]
    assert [(one.rule, one.tensors, one.diverging, one.beginning) for one in found.rules] == [
        ("a", 2, 1, 0),
        ("b", 2, 1, 1),
    ]


@pytest.mark.parametrize("times, diverges", [(FACTOR * 0.999, False), (FACTOR * 1.001, True)])
def test_the_factor_is_a_limit(times: float, diverges: bool) -> None:
    found = compare(CHAIN, [measured("a1", times)], "device")

    assert found.met[0].diverges == diverges
    assert found.met[0].ratio == pytest.approx(times)


@pytest.mark.parametrize(
    "distance, diverges", [(FLOOR * FACTOR * 0.999, False), (FLOOR * FACTOR * 1.001, True)]
)
def test_one_rounding_is_no_divergence_where_nothing_was_predicted(distance: float, diverges: bool) -> None:
    table = [Measured(("a1",), 0, Apart(1.0, 1.0, distance))]

    assert compare(dumped(tensor("a1.0", distance=0.0)), table, "device").met[0].diverges == diverges


def test_what_lies_between_and_is_fused_hides_nothing() -> None:
    table = [measured("a1", FACTOR + 1), measured("b1+b2", 1), measured("a2", FACTOR + 1)]

    found = compare(CHAIN, table, "device")

    assert [one.tensor for one in found.met] == ["a1.0", "b2.0", "a2.0"]
    assert [one.tensor for one in found.beginning] == ["a1.0"] and found.fused == 1


def test_outputs_of_one_node_are_told_apart() -> None:
    split = dumped(tensor("a1.0"), tensor("b1.0", "a1.0"), tensor("b1.1", "a1.0"))

    found = compare(split, [measured("b1", FACTOR + 1, output=1)], "device")

    assert [one.tensor for one in found.met] == ["b1.1"]


def test_an_output_is_found_by_its_number_where_another_is_not_in_the_dump() -> None:
    second = dumped(tensor("a1.0"), tensor("b1.1", "a1.0"))

    found = compare(second, [measured("b1", 9), measured("b1", 1, output=1)], "device")

    assert [(one.tensor, one.diverges) for one in found.met] == [("b1.1", False)]
    assert (found.unknown, found.example) == (1, "b1:0")


@pytest.mark.parametrize("times", [(1, FACTOR + 1), (FACTOR + 1, 1)])
def test_of_several_rows_of_a_tensor_the_farthest_counts_whatever_their_order(
    times: tuple[float, ...],
) -> None:
    found = compare(CHAIN, [measured("a1", each) for each in times], "device")

    assert [one.ratio for one in found.met] == [pytest.approx(FACTOR + 1)]


def test_beside_a_prediction_that_is_not_finite_nothing_is_judged_and_that_is_counted() -> None:
    two = dumped(tensor("a1.0", distance=None), tensor("a2.0"))

    found = compare(two, [measured("a1", 5000), measured("a2", 2)], "device")

    assert (found.unjudged, found.met[0].diverges) == (1, False)
    assert found.rules[0].ratio == pytest.approx(2)  # of those that are judged


def test_values_that_only_the_chip_loses_diverge() -> None:
    lost = Apart(None, None, None)
    alike = dumped(tensor("a1.0", distance=None), tensor("a2.0"))

    found = compare(alike, [Measured(("a1",), 0, lost), Measured(("a2",), 0, lost)], "device")

    assert [(one.ratio, one.diverges) for one in found.met] == [(1.0, False), (None, True)]
    assert found.rules[0].ratio is None


@pytest.mark.parametrize("largest, diverges", [(FACTOR * 0.999, False), (FACTOR * 1.001, True)])
def test_integers_too_large_for_a_distance_are_compared_by_their_largest_difference(
    largest: float, diverges: bool
) -> None:
    table = [Measured(("a1",), 0, Apart(1.0, largest, None))]

    assert compare(CHAIN, table, "device").met[0].diverges == diverges


def test_what_is_not_compared_is_counted() -> None:
    table = [
        measured("a1", 1),
        Measured((), 0, Apart(1.0, 0.0, 0.0)),
        Measured(("b1",), 0, None, "no file"),
        measured("stranger", 1),
        measured("a2", 1, output=7),
    ]

    found = compare(CHAIN, table, "device")

    assert (found.fused, found.own, found.failed, found.reason) == (3, 1, 1, "no file")
    assert (found.unknown, found.example) == (2, "stranger")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (measured("stranger", 1), "no row is of a tensor of the dump .the first stands for stranger"),
        (
            Measured(("b1",), 0, None, "no file"),
            "no tensor could be compared; of the first the tool says: no file",
        ),
        (Measured((), 0, Apart(1.0, 0.0, 0.0)), "no row is of an output of a node that the dump has .1 rows"),
    ],
)
def test_a_table_of_which_nothing_is_compared_is_refused_with_the_reason(row: Measured, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        compare(CHAIN, [row], "device")


@pytest.mark.parametrize("text", ["", "{}", '{"model": 1}', "\xff"])
def test_a_damaged_index_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / INDEX).write_text(text, encoding="latin-1")

    with pytest.raises(UsageError, match="not the index of a dump"):
        read_dump(tmp_path)


def test_a_directory_without_an_index_is_no_dump(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no dump"):
        read_dump(tmp_path)


@pytest.mark.parametrize(
    "found, reference, expected",
    [
        ([], [], Apart(1.0, 0.0, 0.0)),
        ([0.0, 0.0], [0.0, 0.0], Apart(1.0, 0.0, 0.0)),
        ([0.0, 1.0], [0.0, 0.0], Apart(None, 1.0, None)),
        ([3.0, 0.0], [0.0, 4.0], Apart(0.0, 4.0, 1.25)),
        ([np.inf, 0.0], [1.0, 0.0], Apart(None, None, None)),
    ],
)
def test_how_far_tensors_are_apart(found: list[float], reference: list[float], expected: Apart) -> None:
    assert apart(np.float32(found), np.float32(reference)) == expected
