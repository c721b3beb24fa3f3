"""Raw outputs compared as sets: order means nothing, and what may be exchanged is said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from convertkit.detection.compare import Tolerance, compare_detections


def outputs(count, slots=None, seed=0, classes=3, masks=True):
    """``count`` detections that hardly overlap, in the first of ``slots``; the rest is empty."""
    rng = np.random.default_rng(seed)
    slots = count if slots is None else slots
    dets = np.zeros((slots, 5), np.float32)
    place = rng.permutation(400)[:count]
    dets[:count, 0], dets[:count, 1] = place % 20 * 20, place // 20 * 20
    dets[:count, 2:4] = dets[:count, :2] + rng.uniform(5, 19, (count, 2)).astype(np.float32)
    dets[:count, 4] = np.sort(rng.uniform(0.1, 1, count))[::-1]
    made = {"dets": dets, "labels": rng.integers(0, classes, slots)}
    if masks:
        made["masks"] = rng.random((slots, classes, 4, 4), np.float32)
    return made


def shuffled(made, seed=1):
    order = np.random.default_rng(seed).permutation(len(made["dets"]))
    return {name: array[order] for name, array in made.items()}


def copied(made):
    return {name: array.copy() for name, array in made.items()}


@given(st.integers(0, 30), st.integers(0, 10), st.integers(0, 1000))
@settings(deadline=None)
def test_order_and_empty_slots_mean_nothing(count, empty, seed):
    before = outputs(count, count + empty, seed)

    found = compare_detections(before, shuffled(before, seed), Tolerance())

    assert found.ok, found.summary
    assert (found.matched, found.unmatched_before, found.unmatched_after) == (count, 0, 0)


@given(st.sampled_from(["box_px", "score", "mask"]), st.floats(1e-4, 1e-2), st.integers(0, 1000))
@example("box_px", 1.084e-4, 0)  # of which float32 makes 1.22e-4, at a coordinate of several hundred
@settings(deadline=None)
def test_each_error_is_measured_and_judged_by_its_own_tolerance(kind, size, seed):
    before = outputs(5, seed=seed)
    after = copied(before)
    target = {
        "box_px": after["dets"][2, 1:2],
        "score": after["dets"][2, 4:],
        "mask": after["masks"][2, 0, 0, :1],
    }
    unchanged = target[kind].copy()
    target[kind] -= size
    size = float(np.abs(unchanged - target[kind]).max())  # what float32 keeps of it
    after = shuffled(after)

    strict = compare_detections(before, after, Tolerance())
    loose = compare_detections(before, after, Tolerance(**{kind: 1.1 * size}))

    measured = {
        "box_px": strict.max_box_error_px,
        "score": strict.max_score_error,
        "mask": strict.max_any_mask_error,
    }
    assert measured.pop(kind) == pytest.approx(size, rel=1e-3)
    assert set(measured.values()) == {0.0}
    assert not strict.ok
    assert loose.ok, loose.summary


def test_a_lost_and_a_new_detection_are_counted():
    before = outputs(6)
    after = copied(before)
    after["labels"][1] = (after["labels"][1] + 1) % 3

    found = compare_detections(before, after, Tolerance())

    assert not found.ok
    assert (found.unmatched_before, found.unmatched_after) == (1, 1)
    assert "1 lost, 1 new" in found.summary


def test_the_end_of_a_full_list_may_be_exchanged():
    before = outputs(6)
    after = copied(before)
    after["dets"][5, :4] += 300
    after["dets"][5, 4] = before["dets"][5, 4] + 1e-6

    found = compare_detections(before, after, Tolerance(score=1e-5))

    assert found.ok, found.summary
    assert found.excused == 2
    assert "2 exchanged" in found.summary


def test_the_end_of_a_list_with_room_may_not():
    before = outputs(6, slots=8)
    after = copied(before)
    after["dets"][5, :4] += 300

    found = compare_detections(before, after, Tolerance(score=1e-5))

    assert not found.ok
    assert found.excused == 0


def test_the_score_threshold_excuses_what_lies_next_to_it():
    before = outputs(6, slots=8)
    after = copied(before)
    after["dets"][5] = 0
    limit = float(before["dets"][5, 4])

    near = compare_detections(before, after, Tolerance(score=1e-3, score_threshold=limit - 5e-4))
    far = compare_detections(before, after, Tolerance(score=1e-3, score_threshold=limit - 5e-3))

    assert near.ok and near.excused == 1
    assert not far.ok


def test_a_list_of_nothing_but_excuses_was_not_compared():
    before = outputs(4, masks=False)
    before["dets"][:, 4] = 0.5
    after = copied(before)
    after["dets"][:, :4] += 1000

    found = compare_detections(before, after, Tolerance())

    assert not found.ok
    assert "none comparable" in found.summary


def test_ties_may_come_in_any_order():
    before = outputs(10)
    before["dets"][:, 4] = 0.5

    assert compare_detections(before, shuffled(before), Tolerance()).ok


def test_near_duplicates_find_the_partner_they_came_from():
    before = {"dets": np.zeros((40, 5), np.float32), "labels": np.zeros(40, np.int64)}
    before["dets"][:, :4] = [10, 10, 60, 60]
    before["dets"][:, 0] += np.arange(40) * 0.5
    before["dets"][:, 4] = np.linspace(0.9, 0.5, 40)

    found = compare_detections(before, shuffled(before), Tolerance())

    assert found.ok, found.summary


def test_a_box_without_area_is_equal_to_itself():
    before = {"dets": np.array([[5, 5, 5, 5, 0.9]], np.float32), "labels": np.array([1])}

    assert compare_detections(before, before, Tolerance(min_iou=0.9)).ok


def test_masks_may_be_reduced_to_the_predicted_class():
    before = outputs(5)
    after = copied(before)
    after["masks"] = before["masks"][np.arange(5), before["labels"]]

    same = compare_detections(before, shuffled(after), Tolerance())
    after["masks"][3, 1, 1] += 0.25
    other = compare_detections(before, shuffled(after), Tolerance())

    assert same.ok, same.summary
    assert not other.ok
    assert other.max_mask_error == pytest.approx(0.25, rel=1e-4)


def test_masks_without_classes_may_lose_their_axis():
    before = outputs(5)
    before["masks"] = before["masks"][:, :1]
    after = {**copied(before), "masks": before["masks"][:, 0].copy()}

    same = compare_detections(before, shuffled(after), Tolerance())
    after["masks"][3, 1, 1] += 0.25
    other = compare_detections(before, shuffled(after), Tolerance())

    assert before["labels"].max() > 0
    assert same.ok, same.summary
    assert not other.ok
    assert other.max_mask_error == pytest.approx(0.25, rel=1e-4)


def test_masks_of_another_class_are_not_the_masks_of_the_label():
    before = outputs(5)
    after = copied(before)
    after["masks"] = before["masks"][np.arange(5), (before["labels"] + 1) % 3]

    assert not compare_detections(before, shuffled(after), Tolerance(mask=1e-3)).ok


def test_a_mask_value_that_is_no_number_is_never_within_a_tolerance():
    before, after = outputs(3), outputs(3)
    after["masks"][1, 2, 0, 0] = np.nan

    assert not compare_detections(before, after, Tolerance(mask=1e9)).ok


@pytest.mark.parametrize(
    ("role", "value", "complaint"),
    [
        ("dets", np.zeros((3, 4), np.float32), "not (N, 5)"),
        ("dets", np.full((3, 5), np.nan, np.float32), "not finite"),
        ("labels", np.full(3, 7), "labels 7..7"),
        ("masks", np.zeros((2, 3, 4, 4), np.float32), "masks (2, 3, 4, 4)"),
        ("masks", np.zeros((3, 3, 5, 5), np.float32), "masks differ by inf"),
    ],
)
def test_outputs_that_are_no_detections_fail_with_a_reason(role, value, complaint):
    before = outputs(3)

    found = compare_detections(before, {**before, role: value}, Tolerance())

    assert not found.ok
    assert complaint in found.summary


def test_a_missing_role_is_named():
    before = outputs(3, masks=False)

    assert "labels" in compare_detections(before, {"dets": before["dets"]}, Tolerance()).summary
    assert "masks" in compare_detections(before, outputs(3), Tolerance()).summary
