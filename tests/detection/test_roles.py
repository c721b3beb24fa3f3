"""Whatever tensors a detector has, one form of its detections."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertkit.detection.roles import ROWS, Column, Meaning, as_sets, complaint
from convertkit.errors import GraphError

DETS = np.array([[1, 2, 5, 10, 0.9], [3, 3, 4, 4, 0.5], [0, 0, 8, 8, 0.25]], np.float32)
LABELS = np.array([2, 0, 1])
CENTRES = np.array([[3, 6, 4, 8], [3.5, 3.5, 1, 1], [4, 4, 8, 8]], np.float32)

FORMS: dict[str, dict[str, tuple[Any, Meaning | str]]] = {
    "mmdet": {"dets": (DETS, "dets"), "labels": (LABELS, "labels")},
    "one picture of a batch": {"dets": (DETS[None], "dets"), "labels": (LABELS[None], "labels")},
    "apart": {"b": (DETS[:, :4], "boxes"), "s": (DETS[:, 4], "scores"), "l": (LABELS, "labels")},
    "a picture apart": {
        "b": (DETS[None, :, :4], "boxes"), "s": (DETS[None, :, 4], "scores"), "l": (LABELS[None], "labels"),
    },
    "one tensor": {"all": (np.column_stack([DETS, LABELS]), "detections")},
    "picture, box, label, score": {
        "all": (
            np.column_stack([np.zeros(3), DETS[:, :4], LABELS, DETS[:, 4]]),
            Meaning("detections", ("other", "x1", "y1", "x2", "y2", "label", "score")),
        )
    },
    "label, score, box": {
        "all": (
            np.column_stack([LABELS, DETS[:, 4], DETS[:, :4]])[None],
            Meaning("detections", ("label", "score", "x1", "y1", "x2", "y2")),
        )
    },
    "centres": {
        "all": (CENTRES, Meaning("boxes", ("cx", "cy", "w", "h"))),
        "s": (DETS[:, 4], "scores"), "l": (LABELS, "labels"),
    },
    "corner and sizes": {
        "all": (np.column_stack([DETS[:, :2], CENTRES[:, 2:]]), Meaning("boxes", ("x1", "y1", "w", "h"))),
        "s": (DETS[:, 4], "scores"), "l": (LABELS, "labels"),
    },
}  # fmt: skip


def told(form: str) -> tuple[dict[str, Any], dict[str, Meaning | str]]:
    return {name: array for name, (array, _) in FORMS[form].items()}, {
        name: meaning for name, (_, meaning) in FORMS[form].items()
    }


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_the_same_detections(form: str) -> None:
    outputs, roles = told(form)

    found = as_sets(outputs, roles)

    assert complaint([Meaning.of(one) for one in roles.values()]) == ""
    np.testing.assert_array_equal(found["dets"], DETS)
    np.testing.assert_array_equal(found["labels"], LABELS)
    assert set(found) == {"dets", "labels"}


@given(st.permutations(ROWS["detections"]), st.integers(0, 5))
def test_columns_in_any_order(order: list[Column], count: int) -> None:
    rows = np.random.default_rng(count).integers(0, 9, (count, 6)).astype(np.float32)
    usual = as_sets({"all": rows}, {"all": "detections"})
    turned = rows[:, [ROWS["detections"].index(column) for column in order]]

    found = as_sets({"all": turned}, {"all": Meaning("detections", tuple(order))})

    np.testing.assert_array_equal(found["dets"], usual["dets"])
    np.testing.assert_array_equal(found["labels"], usual["labels"])


def test_what_is_already_so_is_not_copied() -> None:
    outputs, roles = told("mmdet")

    assert as_sets(outputs, roles)["dets"] is DETS


@pytest.mark.parametrize("count", [np.array([2]), np.array([[2]], np.int32), np.array(2)])
def test_slots_behind_the_count_are_empty(count: Any) -> None:
    outputs, roles = told("mmdet")

    found = as_sets({**outputs, "n": count}, {**roles, "n": "count"})

    assert found["dets"][:, 4].tolist() == [np.float32(0.9), 0.5, 0.0]
    assert DETS[2, 4] == 0.25


def test_without_labels_there_is_one_class() -> None:
    assert as_sets({"dets": DETS}, {"dets": "dets"})["labels"].tolist() == [0, 0, 0]


def test_masks_come_along_without_the_axis_of_the_picture() -> None:
    masks = np.zeros((1, 3, 2, 28, 28), np.float32)
    outputs, roles = told("one picture of a batch")

    found = as_sets({**outputs, "m": masks, "x": masks}, {**roles, "m": "masks", "x": "other"})

    assert found["masks"].shape == (3, 2, 28, 28)
    assert set(found) == {"dets", "labels", "masks"}


@pytest.mark.parametrize(
    ("outputs", "why"),
    [
        ({"dets": DETS}, "no output 'labels'; it has dets"),
        ({"dets": DETS[:, :4], "labels": LABELS}, r"dets \(3, 4\) is not \(N, 5\): x1 y1 x2 y2 score"),
        ({"dets": DETS, "labels": LABELS[:2]}, r"do not fit together: dets \(3, 5\), labels \(2,\)"),
        ({"dets": DETS, "labels": LABELS, "n": np.array([4])}, "n says 4 detections, and there are 3 slots"),
        ({"dets": DETS, "labels": LABELS, "n": np.array([-1])}, "n says -1"),
        ({"dets": DETS, "labels": LABELS, "n": np.array([1, 2])}, r"n \(2,\) is not the one number"),
    ],
)
def test_what_does_not_fit_is_refused(outputs: dict[str, Any], why: str) -> None:
    roles = {"dets": "dets", "labels": "labels"} | ({"n": "count"} if "n" in outputs else {})

    with pytest.raises(GraphError, match=why):
        as_sets(outputs, roles)


@pytest.mark.parametrize(
    ("meanings", "why"),
    [
        ([], ""),
        ([Meaning("other")], ""),
        ([Meaning("dets")], ""),
        (
            [Meaning("labels")],
            "boxes come with one of the roles dets, detections, boxes; here with 0 of them",
        ),
        ([Meaning("dets"), Meaning("boxes")], "here with 2"),
        ([Meaning("dets"), Meaning("labels"), Meaning("labels")], "role 'labels' is given twice"),
        ([Meaning("boxes")], "a score is a column or an output"),
        ([Meaning("dets"), Meaning("scores")], "a score is a column or an output"),
        ([Meaning("detections"), Meaning("labels")], "the label is both"),
        ([Meaning("dets", ("x1", "y1", "x2", "h", "score"))], "have no box in them"),
        ([Meaning("dets", ("x1", "y1", "x2", "y2", "confidence"))], "column 'confidence' is none of"),  # type: ignore[arg-type]
    ],
)
def test_roles_that_make_no_detections(meanings: list[Meaning], why: str) -> None:
    said = complaint(meanings)

    assert bool(said) == bool(why)
    assert why in said


def test_any_corner_form_is_a_box() -> None:
    for form in itertools.chain([("x1", "y1", "x2", "y2")], [("cx", "cy", "w", "h"), ("x1", "y1", "w", "h")]):
        assert complaint([Meaning("dets", (*form, "score"))]) == ""  # type: ignore[arg-type]
