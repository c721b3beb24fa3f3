"""Detections compared at every limit, and what is no detection: a few boxes written out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from convertkit.detection.compare import Comparison, Tolerance, compare_detections

Box = tuple[float, ...]
A, B, C = (0.0, 0.0, 8.0, 8.0), (100.0, 0.0, 108.0, 8.0), (200.0, 0.0, 208.0, 8.0)


def run(*found: tuple[Box, float, int], masks: Any = None, empty: int = 0) -> dict[str, Any]:
    """The outputs of a graph that found these: boxes, scores and labels."""
    dets = np.zeros((len(found) + empty, 5))
    for slot, (box, score, _) in enumerate(found):
        dets[slot] = [*box, score]
    made = {"dets": dets, "labels": np.array([*(label for *_, label in found), *[0] * empty], np.int64)}
    return made if masks is None else {**made, "masks": np.asarray(masks, np.float32)}


def compare(before: dict[str, Any], after: dict[str, Any], **tolerance: Any) -> Comparison:
    return compare_detections(before, after, Tolerance(**tolerance))


def moved(box: Box, by: float) -> Box:
    return (box[0], box[1], box[2] + by, box[3])


# how far partners may differ


@pytest.mark.parametrize(
    ("kind", "after"),
    [
        ("box_px", run((moved(A, 0.25), 0.5, 1), masks=[[[0.5]]])),
        ("score", run((A, 0.75, 1), masks=[[[0.5]]])),
        ("mask", run((A, 0.5, 1), masks=[[[0.75]]])),
    ],
)
def test_partners_may_differ_by_the_tolerance_and_no_more(kind: str, after: dict[str, Any]) -> None:
    before = run((A, 0.5, 1), masks=[[[0.5]]])

    for one, other in ((before, after), (after, before)):
        assert compare(one, other, **{kind: 0.25}).ok
        assert not compare(one, other, **{kind: 0.249}).ok
        assert not compare(one, other).ok


def test_partners_must_overlap_as_far_as_is_asked() -> None:
    before, after = run((A, 0.5, 1)), run((moved(A, -2.0), 0.5, 1))

    assert compare(before, after, box_px=2.0, min_iou=0.75).ok
    refused = compare(before, after, box_px=2.0, min_iou=0.751)
    assert (refused.ok, refused.min_iou) == (False, 0.75)
    assert refused.summary == "1 detections matched: boxes overlap only by 0.7500"


def test_a_box_that_moves_by_one_pixel_does_not_overlap_wholly() -> None:
    assert compare(run((A, 0.5, 1)), run((moved(A, 1.0), 0.5, 1)), box_px=1.0).min_iou == 8 / 9


def test_nothing_is_added_to_what_is_measured() -> None:
    before = run((A, 0.5, 1), (B, 0.25, 0), masks=[[[0.5]], [[0.5]]])

    found = compare(before, before)

    assert found == Comparison(True, "2 detections matched: within 0 px, score 0, mask 0", matched=2)
    assert asdict(found) == {
        "ok": True, "summary": found.summary, "matched": 2, "max_box_error_px": 0.0, "max_score_error": 0.0,
        "min_iou": 1.0, "max_mask_error": 0.0, "max_any_mask_error": 0.0, "unmatched_before": 0,
        "unmatched_after": 0, "excused": 0,
    }  # fmt: skip


def test_every_complaint_is_named() -> None:
    before = run((A, 0.75, 1), (B, 0.5, 1), masks=[[[0.5]]] * 2)
    after = run((moved(A, 0.25), 0.5, 1), masks=[[[0.25]]] * 2, empty=1)

    assert compare(before, after, min_iou=1.0).summary == (
        "1 detections matched: boxes differ by 0.25 px; scores differ by 0.25; boxes overlap only by 0.9697; "
        "masks differ by 0.25; 1 lost, 0 new"
    )


# who are partners


@pytest.mark.parametrize(("width", "partners"), [(16.0, True), (16.01, False)])
def test_boxes_that_overlap_by_half_are_partners(width: float, partners: bool) -> None:
    found = compare(run((A, 0.5, 1), empty=1), run(((0, 0, width, 8), 0.5, 1), empty=1))

    assert (found.matched, found.unmatched_before) == ((1, 0) if partners else (0, 1))


@pytest.mark.parametrize(("tolerance", "partners"), [(16.0, True), (15.99, False), (np.inf, False)])
def test_boxes_within_the_tolerance_are_partners_without_an_overlap(tolerance: float, partners: bool) -> None:
    before, after = run((A, 0.5, 1), empty=1), run(((16, 0, 24, 8), 0.5, 1), empty=1)

    assert compare(before, after, box_px=tolerance).matched == partners


def test_boxes_of_another_label_are_no_partners() -> None:
    found = compare(run((A, 0.5, 1), empty=1), run((A, 0.5, 2), empty=1))

    assert (found.matched, found.unmatched_before, found.unmatched_after, found.min_iou) == (0, 1, 1, 1.0)


def test_of_equal_boxes_those_of_the_nearest_scores_are_partners() -> None:
    before = run((A, 0.875, 1), (A, 0.5, 1))

    assert compare(before, run((A, 0.5, 1), (A, 0.875, 1))).ok


def test_of_equal_scores_the_boxes_that_overlap_most_are_partners() -> None:
    wide = moved(A, 1.0)

    assert compare(run((A, 0.5, 1), (wide, 0.5, 1)), run((wide, 0.5, 1), (A, 0.5, 1))).ok


def test_where_scores_are_far_apart_boxes_decide() -> None:
    wide = moved(A, 1.0)

    found = compare(run((A, 1.0, 1), (wide, 6.0, 1)), run((A, 7.5, 1), (wide, 2.5, 1)), score=9.0)

    assert (found.ok, found.max_score_error) == (True, 6.5)


def test_where_scores_are_further_apart_than_boxes_scores_decide() -> None:
    wide = moved(A, 1.0)

    found = compare(run((A, 0.875, 1), (wide, 0.125, 1)), run((A, 0.125, 1), (wide, 0.875, 1)), box_px=1.0)

    assert (found.ok, found.max_score_error, found.max_box_error_px) == (True, 0.0, 1.0)


def test_as_many_as_possible_find_a_partner() -> None:
    """The second box has not moved, but if it keeps to itself, nobody is left for the first."""
    first, second, third = (0, 0, 8, 8), (9, 0, 17, 8), (18, 0, 26, 8)
    before, after = run((first, 0.5, 1), (second, 0.5, 1)), run((second, 0.5, 1), (third, 0.5, 1))

    found = compare(before, after, box_px=9.0)

    assert (found.ok, found.matched, found.max_box_error_px) == (True, 2, 9.0)


def test_many_find_their_partners_among_many() -> None:
    boxes = [((100.0 * place, 0.0, 100.0 * place + 8, 8.0), 0.5, 1) for place in range(12)]

    assert compare(run(*boxes), run(*boxes[::-1])).matched == 12
    assert compare(run(*boxes), run(*boxes[:5])).matched == 5


# who may be missing


@pytest.mark.parametrize(("lost", "allowed"), [(1, True), (2, False)])
def test_so_many_may_be_without_a_partner(lost: int, allowed: bool) -> None:
    before = run((A, 0.5, 1), (B, 0.75, 1), (C, 0.75, 1))
    after = run((A, 0.5, 1), *[(B, 0.75, 1)] * (2 - lost), empty=lost)

    for one, other in ((before, after), (after, before)):
        assert compare(one, other, unmatched=1).ok == allowed
    assert not compare(before, after).ok


def test_a_lost_and_a_new_one_are_two() -> None:
    before, after = run((A, 0.5, 1), (B, 0.5, 1), empty=1), run((A, 0.5, 1), (C, 0.5, 1), empty=1)

    assert compare(before, after, unmatched=2).ok
    assert not compare(before, after, unmatched=1).ok


@pytest.mark.parametrize(("score", "excused"), [(0.5, 1), (0.625, 1), (0.6251, 0)])
def test_what_scores_no_more_than_the_tolerance_above_the_end_of_a_full_list_may_be_missing_from_it(
    score: float, excused: int
) -> None:
    before, after = run((A, 0.75, 1), (B, score, 1), empty=1), run((A, 0.75, 1), (C, 0.5, 1))

    found = compare(before, after, score=0.125, unmatched=2)

    assert (found.excused, found.unmatched_before, found.unmatched_after) == (excused, 1 - excused, 1)


def test_the_end_of_a_full_list_of_one_is_an_end() -> None:
    found = compare(run((A, 0.5, 1), empty=1), run((B, 0.5, 1)))

    assert (found.excused, found.unmatched_before, found.unmatched_after) == (1, 0, 1)


def test_the_end_of_the_list_counts_where_it_is_above_the_threshold() -> None:
    before, after = run((A, 0.75, 1), (B, 0.5, 1)), run((A, 0.75, 1), (C, 0.5, 1))

    assert compare(before, after, score_threshold=0.25).ok


@pytest.mark.parametrize(("threshold", "excused"), [(0.375, 1), (0.374, 0), (0.25, 0)])
def test_what_is_the_tolerance_above_the_threshold_may_be_missing(threshold: float, excused: int) -> None:
    before, after = run((A, 0.75, 1), (B, 0.5, 1), empty=1), run((A, 0.75, 1), empty=2)

    found = compare(before, after, score=0.125, score_threshold=threshold)

    assert (found.ok, found.excused, found.unmatched_before) == (bool(excused), excused, 1 - excused)
    assert ("1 exchanged at the end of the list" in found.summary) == bool(excused)


def test_two_runs_without_detections_are_equal() -> None:
    for before, after in ((run(), run()), (run(empty=2), run()), (run(empty=1), run(empty=2))):
        assert compare(before, after) == Comparison(
            True, "0 detections matched: within 0 px, score 0, mask 0"
        )


def test_a_score_of_zero_or_less_is_an_empty_slot() -> None:
    for score in (0.0, -1.0):
        assert compare(run((A, 0.5, 1), (B, score, 1)), run((A, 0.5, 1))).ok
    assert compare(run((A, 0.5, 1), (B, 1e-9, 1)), run((A, 0.5, 1), empty=1)).unmatched_before == 1


# masks


def test_the_mask_of_the_label_is_told_from_those_of_other_classes() -> None:
    before = run((A, 0.5, 1), masks=[[[[0.0]], [[0.5]]]])
    label, other = [[[[0.0]], [[0.75]]]], [[[[0.5]], [[0.5]]]]

    for masks, errors in ((label, (0.25, 0.25)), (other, (0.0, 0.5))):
        found = compare(before, {**before, "masks": np.array(masks, np.float32)}, mask=0.25)
        assert (found.max_mask_error, found.max_any_mask_error) == errors
        assert found.ok == (max(errors) <= 0.25)


def test_each_detection_is_compared_with_the_mask_of_its_partner() -> None:
    before = run((A, 0.75, 1), (B, 0.5, 0), masks=[[[0.25]], [[0.5]]])
    after = run((B, 0.5, 0), (A, 0.75, 1), masks=[[[0.5]], [[0.25]]])

    assert compare(before, after).ok
    assert compare(before, {**after, "masks": before["masks"]}).max_mask_error == 0.25


def test_masks_for_every_class_do_not_hold_those_of_one_to_account_for_the_others() -> None:
    before = run((A, 0.5, 1), masks=[[[[0.0]], [[0.5]]]])
    after = run((A, 0.5, 1), masks=[[[0.5]]])

    assert compare(before, after).ok
    assert compare(after, before).ok


def test_masks_without_pixels_do_not_differ() -> None:
    before = run((A, 0.5, 0), masks=np.zeros((1, 2, 0, 0)))

    assert compare(before, before).ok


def test_empty_slots_may_have_any_mask_and_label() -> None:
    before = run((A, 0.5, 1), empty=1, masks=np.zeros((2, 2, 1, 1)))
    after = {**before, "masks": np.array([[[[0]]] * 2, [[[9]]] * 2], np.float32), "labels": np.array([1, 7])}

    assert compare(before, after).ok
    assert compare(run(empty=1, masks=np.zeros((1, 2, 1, 1))), run(masks=np.zeros((0, 2, 1, 1)))).ok


@pytest.mark.parametrize(
    ("label", "known"), [(-1, False), (0, True), (1, True), (2, False)],
)  # fmt: skip
def test_masks_for_every_class_need_labels_that_they_have(label: int, known: bool) -> None:
    given = run((A, 0.5, label), masks=np.zeros((1, 2, 3, 3)))

    found = compare(given, given)

    assert (found.ok, found.matched) == (known, int(known))
    assert known or found.summary == f"before: labels {label}..{label}, but masks of 2 classes"


@pytest.mark.parametrize("shape", [(1, 1, 2, 2), (1, 2, 2)])
def test_masks_of_one_class_fit_every_label(shape: tuple[int, ...]) -> None:
    given = run((A, 0.5, 7), masks=np.zeros(shape))

    assert compare(given, given).ok


def test_masks_on_one_side_alone_are_refused() -> None:
    without, having = run((A, 0.5, 1)), run((A, 0.5, 1), masks=[[[0.5]]])

    for before, after in ((without, having), (having, without)):
        assert compare(before, after) == Comparison(False, "one run has masks, the other has none")


# what is no detection


@pytest.mark.parametrize("masks", [None, np.zeros((1, 2, 2, 3, 3))])
def test_a_batch_of_one_is_its_image(masks: Any) -> None:
    alone = run((A, 0.5, 1), (B, 0.25, 0), masks=None if masks is None else masks[0])
    batch = {name: value[None] for name, value in alone.items()}

    found = compare(batch, alone)

    assert (found.ok, found.matched) == (True, 2)


GOOD = run((A, 0.5, 1), (B, 0.25, 0), masks=np.zeros((2, 2, 3, 3)))


@pytest.mark.parametrize(
    ("role", "value", "why"),
    [
        ("dets", np.ones(5), "dets (5,) and labels (2,) are not (N, 5) and (N,)"),
        ("dets", np.ones((2, 4)), "dets (2, 4) and labels (2,) are not (N, 5) and (N,)"),
        ("dets", np.ones((2, 6)), "dets (2, 6) and labels (2,) are not (N, 5) and (N,)"),
        ("dets", np.ones((2, 2, 5)), "dets (2, 2, 5) and labels (2,) are not (N, 5) and (N,)"),
        ("dets", np.ones((1, 2, 5)), "dets (1, 2, 5) and labels (2,) are not (N, 5) and (N,)"),
        ("labels", np.ones((1, 2)), "dets (2, 5) and labels (1, 2) are not (N, 5) and (N,)"),
        ("labels", np.ones(3), "dets (2, 5) and labels (3,) are not (N, 5) and (N,)"),
        ("dets", [[*A, np.nan], [*B, 0.5]], "a detection has a coordinate or a score that is not finite"),
        ("dets", [[*A, 0.5], [0, 0, np.inf, 1, 0.5]], "a detection has a coordinate or a score that is not finite"),
        ("masks", np.ones((2, 3)), "masks (2, 3) are not (2, C, h, w) or (2, h, w)"),
        ("masks", np.ones((2, 2, 3, 3, 3)), "masks (2, 2, 3, 3, 3) are not (2, C, h, w) or (2, h, w)"),
        ("masks", np.ones((3, 2, 3, 3)), "masks (3, 2, 3, 3) are not (2, C, h, w) or (2, h, w)"),
        ("masks", np.ones((1, 3, 3)), "masks (1, 3, 3) are not (2, C, h, w) or (2, h, w)"),
    ],
)  # fmt: skip
def test_what_is_no_detection_is_refused_with_the_reason(role: str, value: Any, why: str) -> None:
    wrong = {**GOOD, role: np.asarray(value, np.float32)}

    for before, after, when in ((wrong, GOOD, "before"), (GOOD, wrong, "after")):
        assert asdict(compare(before, after)) == {
            "ok": False, "summary": f"{when}: {why}", "matched": 0, "max_box_error_px": 0.0,
            "max_score_error": 0.0, "min_iou": 1.0, "max_mask_error": 0.0, "max_any_mask_error": 0.0,
            "unmatched_before": 0, "unmatched_after": 0, "excused": 0,
        }  # fmt: skip


def test_masks_of_another_size_differ_without_end() -> None:
    after = {**GOOD, "masks": np.zeros((2, 2, 4, 4), np.float32)}

    assert compare(GOOD, after, mask=1e9).summary.endswith("masks differ by inf")


@pytest.mark.parametrize(
    ("roles", "missing"), [(["dets"], "labels"), (["labels"], "dets"), (["masks"], "dets or labels")]
)
def test_a_role_that_no_output_has_is_named(roles: list[str], missing: str) -> None:
    some = {role: GOOD[role] for role in roles}

    assert compare(some, GOOD).summary == f"before: no output has the role {missing}"
    assert compare(GOOD, some).summary == f"after: no output has the role {missing}"
