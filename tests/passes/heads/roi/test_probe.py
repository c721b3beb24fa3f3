"""A region asked for more or fewer RoIs than it was written for: what it is run with, and what is made of that."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from convertkit_passes.heads.roi.pooling import Pooling
from convertkit_passes.heads.roi.probe import Probe

from convertkit.api.heads import Refused
from convertkit.errors import GraphError

POOLING = Pooling((), ((1, 2, 8, 8), (1, 2, 4, 4)), (0.25, 0.125), (1, 3), 0)


class Region:
    """Gives back, for every RoI, its first column in all values."""

    def __init__(self, *, channels: int = 2, fails: bool = False) -> None:
        self.outputs = [SimpleNamespace(name="result")]
        self.channels, self.fails, self.runs = channels, fails, list[Any]()

    def run(self, fine: np.ndarray, coarse: np.ndarray, rois: np.ndarray) -> tuple[np.ndarray]:
        if self.fails:
            raise GraphError("it does not run")
        self.runs.append(rois)
        return (np.broadcast_to(rois[:, :1, None, None], (len(rois), self.channels, 1, 3)),)


def probe(region: Region, columns: int = 5, count: int | None = 4) -> Probe:
    return Probe(region, POOLING, columns, count)  # type: ignore[arg-type]


def rois(count: int) -> np.ndarray:
    return np.arange(1, count * 5 + 1, dtype=np.float32).reshape(count, 5)


FEATURES = [np.zeros(shape, np.float32) for shape in POOLING.shapes]


@pytest.mark.parametrize(
    ("count", "questions"),
    [
        (None, 256),
        (1, 64),
        (3, 66),
        (5, 65),
        (63, 126),
        (64, 64),
        (65, 65),
        (255, 255),
        (257, 256),
        (1000, 256),
    ],
)
def test_a_whole_number_of_runs_is_asked_at_a_time(count: int | None, questions: int) -> None:
    assert probe(Region(), count=count).questions == questions


@pytest.mark.parametrize("asked", [0, 1, 7])
def test_a_graph_of_any_number_is_run_once(asked: int) -> None:
    region = Region()

    found = probe(region, count=None).ask(FEATURES, rois(asked))

    (run,) = region.runs
    np.testing.assert_array_equal(run, rois(asked))
    assert found.shape == (asked, 2, 1, 3) and found.dtype == np.float32
    np.testing.assert_array_equal(found[:, 1, 0, 2], rois(asked)[:, 0])


@pytest.mark.parametrize(
    ("asked", "slots"),
    [(1, [[0]]), (2, [[0, 3]]), (3, [[0, 1, 3]]), (4, [[0, 1, 2, 3]]), (6, [[0, 1, 2, 3], [0, 3]])],
)
def test_rois_are_spread_over_the_slots_the_others_are_unused(asked: int, slots: list[list[int]]) -> None:
    region = Region()

    found = probe(region).ask(FEATURES, rois(asked))

    assert [np.flatnonzero(run.any(axis=1)).tolist() for run in region.runs] == slots
    assert {run.shape for run in region.runs} == {(4, 5)}
    np.testing.assert_array_equal(found[:, 0, 0, 0], rois(asked)[:, 0])


def test_boxes_are_put_in_without_the_number_of_the_image() -> None:
    region = Region()

    probe(region, columns=4).ask(FEATURES, rois(4))

    np.testing.assert_array_equal(region.runs[0], rois(4)[:, 1:])


@pytest.mark.parametrize(
    ("region", "why"),
    [
        (Region(fails=True), "the candidate cannot be run: it does not run"),
        (Region(channels=1), "the result is (4, 1, 1, 3), not (4, 2, 1, 3)"),
    ],
)
def test_refused(region: Region, why: str) -> None:
    with pytest.raises(Refused) as refused:
        probe(region).ask(FEATURES, rois(4))

    assert (refused.value.why, refused.value.tensor) == (why, "result")
