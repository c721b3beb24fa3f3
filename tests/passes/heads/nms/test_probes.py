"""What the experiment on an NMS is fed."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_passes.heads.nms import probes
from convertkit_passes.heads.nms.probes import Ranges

from convertkit.api.graphs import Bounds

RANGES = Ranges(Bounds(0.0, 64.0), 0.9, 0.25)


def named(cases: list[probes.Case]) -> dict[str, probes.Case]:
    return {case.name: case for case in cases}


@pytest.mark.parametrize(("count", "rounds"), [(1000, 4), (1001, 1)])
def test_few_scores_are_tried_several_times(count, rounds):
    cases = probes.cases((2, count, 1, 4), (2, count, 1), RANGES)

    assert [case.name for case in cases] == ["apart", "crowded", "few", "one", "none"] * rounds
    assert [case.optional for case in cases] == [False, False, False, True, True] * rounds


def test_findings_do_not_differ_from_run_to_run_and_rounds_do():
    first, again = (probes.cases((1, 6, 1, 4), (1, 6, 2), RANGES) for _ in range(2))

    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.boxes, other.boxes)
        assert np.array_equal(one.scores, other.scores)
    assert not np.array_equal(first[0].boxes, first[5].boxes)


@pytest.mark.parametrize(("count", "few"), [(3, 2), (9, 3), (117, 39), (123, 40)])
def test_so_many_scores_are_above_the_threshold(count, few):
    shape = (2, count, 1)
    cases = named(probes.cases((2, count, 1, 4), shape, RANGES))

    for name, above in {"apart": count, "crowded": count, "few": few, "one": 1, "none": 0}.items():
        scores = cases[name].scores
        assert (scores.shape, scores.dtype) == (shape, np.float32)
        assert (scores > np.float32(0.25)).sum((1, 2)).tolist() == [above, above]
        assert ((scores >= 0) & (scores < 0.9)).all()


def test_scores_count_over_classes_and_those_above_are_all_different_in_steps_to_the_top():
    scores = probes.cases((1, 4, 1, 4), (1, 4, 2), RANGES)[0].scores

    steps = np.sort(scores.reshape(-1))
    assert steps == pytest.approx(0.25 + 0.65 * np.arange(1, 9) / 9)
    assert not np.array_equal(np.argsort(scores.reshape(-1)), np.arange(8))


def test_scores_below_go_from_0_to_the_threshold_and_some_are_that():
    scores = named(probes.cases((1, 500, 1, 4), (1, 500, 1), RANGES))["none"].scores

    assert scores.min() < 0.01
    assert (scores == np.float32(0.25)).mean() == pytest.approx(1 / 6, abs=0.05)  # what is cut off of 0..1.2


def test_a_threshold_below_0_is_0_for_scores():
    scores = named(probes.cases((1, 4, 1, 4), (1, 4, 1), Ranges(Bounds(0.0, 64.0), 1.0, -1.0)))["few"].scores

    assert sorted(scores.reshape(-1)) == pytest.approx([0, 0, 1 / 3, 2 / 3])


def test_where_every_score_is_kept_there_is_none_below_and_a_heap_of_boxes():
    cases = probes.cases((1, 8, 2, 4), (1, 8, 2), Ranges(Bounds(0.0, 64.0), 1.0, 0.25, every=True))

    assert [case.name for case in cases] == ["apart", "crowded", "heap"] * 4
    assert not any(case.optional for case in cases)
    assert all((case.scores > 0.25).all() for case in cases)
    crowded, heap = cases[1].boxes, cases[2].boxes
    assert np.array_equal(heap, np.repeat(crowded[:, :1], 8, 1))
    assert not np.array_equal(heap, crowded)


@pytest.mark.parametrize(("size", "step"), [(1000.0, 1 / 8), (0.125, 1 / 8), (0.12, 1 / 16), (0.25, 1 / 8)])
def test_the_step_is_a_power_of_two_of_an_eighth_or_less(size, step):
    assert probes._step(size) == step


def on_grid(boxes, step):
    return np.array_equal(boxes / step, np.rint(boxes / step))


def test_boxes_apart_have_tiles_of_their_own_in_an_order_of_each_class():
    within, side = Bounds(-20.0, 60.0), 10
    boxes = probes.cases((2, 90, 3, 4), (2, 90, 3), Ranges(within, 1.0, 0.0))[0].boxes

    assert (boxes.shape, boxes.dtype) == ((2, 90, 3, 4), np.float32)
    low, high = (boxes[..., :2] - within.low) / 8, (boxes[..., 2:] - within.low) / 8
    tiles = np.floor(low)
    assert ((low >= tiles) & (high <= tiles + 1) & (high > low)).all()
    numbers = (tiles[..., 0] + side * tiles[..., 1]).astype(int)
    lists = {tuple(row) for row in numbers.transpose(0, 2, 1).reshape(6, 90)}
    assert len(lists) == 6
    assert all(sorted(row) == list(range(90)) for row in lists)
    inset = np.concatenate([low - tiles, tiles + 1 - high], -1)
    assert inset.max() <= 0.25 + 1 / 64
    assert np.abs(np.corrcoef(inset.reshape(-1, 4).T)[:2, 2:]).max() < 0.2, "each end has an inset of its own"
    assert inset.max(axis=(0, 1, 2)) == pytest.approx(0.25, abs=0.02)
    assert on_grid(boxes, 1 / 8)


@pytest.mark.parametrize(("extent", "step"), [(1.0, 1 / 32), (0.99, 1 / 64)])
def test_boxes_apart_lie_on_a_grid_of_an_eighth_of_a_tile(extent, step):
    boxes = probes.cases((1, 16, 4, 4), (1, 16, 4), Ranges(Bounds(0.0, extent), 1.0, 0.0))[0].boxes

    assert on_grid(boxes, step)
    assert not on_grid(boxes, 2 * step)


@pytest.mark.parametrize(("extent", "step"), [(256.0, 1 / 8), (1.0, 1 / 2048)])
def test_crowded_boxes_lie_on_a_grid_in_their_range(extent, step):
    within = Bounds(-extent / 2, extent / 2)
    boxes = probes.cases((2, 800, 1, 4), (2, 800, 2), Ranges(within, 1.0, 0.0))[1].boxes

    assert (boxes.shape, boxes.dtype) == ((2, 800, 1, 4), np.float32)
    assert on_grid(boxes, step)
    assert not on_grid(boxes, 2 * step)
    assert boxes.min() >= within.low
    assert boxes.max() <= within.high
    start, sides = boxes[..., :2] - within.low, boxes[..., 2:] - boxes[..., :2]
    assert start.max() == pytest.approx(extent * 3 / 4, rel=0.06)
    assert start.min() < extent / 16
    free = start.max(-1) < extent * 0.7  # not cut off at the end of the range
    assert extent / 8 <= sides[free].min() < 0.13 * extent
    assert 0.24 * extent < sides[free].max() < extent / 4


def test_crowded_boxes_are_around_few_places():
    """Of each picture its own, and of some classes the very places."""
    cases = [
        case.boxes
        for case in probes.cases((2, 80, 4, 4), (2, 80, 4), RANGES)
        if case.name in ("crowded", "few")
    ]

    exact = near = 0
    for boxes in cases:
        for picture in boxes:
            for kind in range(4):
                corners = picture[:, kind, :2]
                places = len(np.unique(corners, axis=0))
                exact += places <= 10
                near += places > 20
                groups = np.unique(np.floor(corners / 4), axis=0)
                assert len(groups) <= 40
    assert exact + near == len(cases) * 8
    assert min(exact, near) >= len(cases)
    assert not np.array_equal(cases[0][0], cases[0][1])


@pytest.mark.parametrize(("count", "places"), [(8, 2), (17, 2), (24, 3)])
def test_crowded_places_are_an_eighth_of_the_boxes_and_at_least_two(count, places):
    cases = probes.cases((1, count, 1, 4), (1, count, 1), Ranges(Bounds(0.0, 4096.0), 1.0, 0.0))

    found = [len(np.unique(case.boxes[0, :, 0, :2], axis=0)) for case in cases if case.name == "crowded"]
    assert min(found) <= places
    assert places in found
