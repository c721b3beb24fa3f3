"""The experiment: what a graph computes of random boxes and scores, against the operator."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from convertkit_passes.heads.nms import probes
from convertkit_passes.heads.nms.candidates import site, sources
from convertkit_passes.heads.nms.experiment import downstream
from convertkit_passes.heads.nms.experiment.readings import Reading
from convertkit_passes.heads.nms.experiment.run import MOST_SLOTS, Experiment

from convertkit.api import heads
from convertkit.api.graphs import Bounds
from convertkit.api.heads import Refused
from tests.passes.heads.nms.opened import DETECTIONS, named, opened

heads.DOMAIN.register_schemas()


def experiment(
    text: str = DETECTIONS, threshold: float = 0.25, **more
) -> tuple[Experiment, downstream.Downstream]:
    graph = opened(text)
    (node,) = graph.find("NonMaxSuppression")
    place = site.read(graph, node)
    (found,) = sources.candidates(graph, place, None)
    below = downstream.follow(graph, place.selection, found.borders)
    return Experiment(graph, place, found, threshold, **more), below


def test_what_can_be_read_off_for_the_number_of_slots():
    trial, below = experiment()
    names = named(trial.graph, "found", "best", "kind", "num")

    (padded,), (plain,) = (trial.explained(below, pad=pad) for pad in (True, False))

    assert [padded.readings[id(item)].kind for item in names] == ["boxes", "scores", "classes", "num"]
    assert (padded.total, plain.total) == (6, 6)
    assert {id(item) for item in names[:3]} <= padded.symbolic == plain.symbolic
    assert not plain.readings or all(not item.symbolic for item in plain.readings.values())


def test_each_number_of_slots_has_readings_of_its_own():
    text = DETECTIONS.replace(
        "found = Gather (flat, box)", "found = Gather (flat, box) few = Slice (best, zero, first)"
    )
    text = text.replace("int64[1] total = {6}", "int64[1] total = {6}, int64[1] first = {3}")
    trial, below = experiment(text.replace("int64[1] num)", "float[d] few)"))

    more, less = trial.explained(below, pad=True)

    assert (more.total, less.total) == (6, 3)
    assert {item.total for item in more.readings.values()} == {6}
    assert {item.total for item in less.readings.values()} == {3}
    assert id(named(trial.graph, "few")[0]) in less.readings


def test_the_picture_of_each_detection_is_read_too():
    box = "found = Gather (flat, box)"
    text = DETECTIONS.replace(box, f"{box} image = Gather <axis = 1> (rows, none)")
    text = text.replace("int64[1] total = {6}", "int64[1] total = {6}, int64 none = {0}")
    trial, below = experiment(text.replace("int64[1] num)", "int64[d] image)"))

    (padded,) = trial.explained(below, pad=True)

    assert padded.readings[id(named(trial.graph, "image")[0])].kind == "batch"


def test_where_nothing_may_be_detections_nothing_is_explained():
    trial, below = experiment()

    assert trial.explained(replace(below, tensors=()), pad=True) == []


@pytest.mark.parametrize(
    ("together", "limit", "slots"), [(False, 5, 5), (False, 3, 3), (True, 3, 3), (True, 5, 5)]
)
def test_the_answer_is_that_of_the_operator(together, limit, slots):
    trial, _ = experiment()
    trial = replace(
        trial, site=replace(trial.site, limit=limit), sources=replace(trial.sources, together=together)
    )
    apart = trial.cases()[0]

    answer = trial.answer(apart)

    assert answer.scores.shape == (1, MOST_SLOTS)
    assert MOST_SLOTS == 1000
    assert answer.num.tolist() == [slots if together else 2 * slots]
    used = answer.used(MOST_SLOTS)
    assert (answer.scores[used] > 0.25).all()
    flat = np.sort(apart.scores.reshape(-1))[::-1]
    if together:
        assert answer.scores[used] == pytest.approx(flat[:slots])
    assert set(np.unique(answer.classes)) <= {0, 1}


def test_more_slots_than_the_operator_has_are_as_many_as_it_has():
    trial, _ = experiment()
    far = replace(trial, site=replace(trial.site, limit=2**62))

    assert far.answer(far.cases()[0]).num.tolist() == [24]


def test_boxes_that_overlap_more_than_the_threshold_are_dropped():
    trial, _ = experiment()
    boxes = np.zeros((1, 12, 1, 4), np.float32)
    boxes[0, :, 0] = [0, 0, 10, 10]
    boxes[0, 1, 0] = [0, 0, 10, 4]
    scores = np.zeros((1, 12, 2), np.float32)
    scores[0, :3, 0] = [0.9, 0.8, 0.7]
    scores[0, 3, 0] = 0.25

    answer = trial.answer(probes.Case("", boxes, scores))

    assert answer.num.tolist() == [2]
    assert answer.scores[0, :2].tolist() == pytest.approx([0.9, 0.8])


def test_cases_are_in_the_range_of_the_graph():
    trial, _ = experiment(every=True)
    ranges = trial._ranges()

    assert ranges == probes.Ranges(Bounds(0, 64), 1.0, 0.25, every=True)
    assert experiment(threshold=1.0)[0]._ranges().top == 2, "no score of the graph is above the threshold"
    trial, _ = experiment()
    logits = SimpleNamespace(tensor=named(trial.graph, "logits")[0])
    free = replace(trial, sources=replace(trial.sources, scores=logits))
    assert free._ranges().top == 1.25


@pytest.mark.parametrize(
    ("classes", "kind", "dtype", "says"),
    [
        (1, "classes", np.float32, False),
        (1, "classes", np.int64, True),
        (2, "classes", np.float32, True),
        (1, "boxes", np.float32, True),
    ],
)
def test_zeros_are_labels_of_one_class_only_as_integers(classes, kind, dtype, says):
    trial, _ = experiment()
    trial = replace(trial, sources=SimpleNamespace(classes=classes))

    assert trial._says(Reading(SimpleNamespace(dtype=dtype), kind, 4, (4,))) is says


FAILING = DETECTIONS.replace("places = TopK (values, num)", "places = TopK (values, total)")


def test_a_graph_may_fail_on_an_optional_case_only():
    trial, _ = experiment(FAILING)
    tensors = named(trial.graph, "best", "found")
    cases = {case.name: case for case in trial.cases()}

    assert trial.run_on(tensors, cases["none"]) is None
    best, boxes = trial.run_on(tensors, cases["apart"])
    assert (best.shape, boxes.shape) == ((6,), (6, 4))
    with pytest.raises(Refused, match="it cannot be run on its own") as error:
        trial.run_on(tensors, replace(cases["none"], optional=False))
    assert error.value.tensor == "clipped"


@pytest.mark.parametrize("told", [True, False])
def test_the_size_of_a_padded_tensor_is_a_number_of_its_own_where_it_is_told(told):
    """Behind a padded tensor its size no longer counts detections."""
    text = DETECTIONS.replace("found = Gather (flat, box)", "found = Gather (flat, box) n = Shape (best)")
    trial, below = experiment(text.replace("int64[1] num)", "int64[1] n)") if told else text)

    (padded,) = trial.explained(below, pad=True)

    (n,) = named(trial.graph, "n")
    assert (id(n) in padded.readings) is told
