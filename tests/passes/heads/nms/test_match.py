"""What an NMS is replaced by: which readings are taken, with which attributes, and why not."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from convertkit_passes.heads.nms import match
from convertkit_passes.heads.nms.experiment import downstream
from convertkit_passes.heads.nms.experiment.readings import Reading
from convertkit_passes.heads.nms.experiment.run import Explained
from convertkit_passes.heads.nms.match import Match

from convertkit.api.heads import Refused
from tests.passes.heads.nms.opened import DETECTIONS, named, opened


def fake(**attributes):
    return SimpleNamespace(**attributes)


def reading(kind, total=4, tensor=None, **more) -> Reading:
    return Reading(tensor or fake(name=f"the_{kind}"), kind, total, (1, total), **more)


def found(**more) -> Match:
    sources = fake(
        boxes=fake(shape=(1, 6, 3, 4)),
        scores=fake(shape=(1, 6, 1)),
        classes=3,
        by_class=more.pop("by_class", False),
    )
    readings = (reading("boxes"), reading("num"))
    return Match(
        fake(),
        sources,
        {"iou_threshold": 0.5, "max_total_size": 4},
        readings,
        more.pop("rounding", None),
        **more,
    )


def test_a_match_says_what_it_reads_and_gives():
    read = "boxes (1, 6, 3, 4) and scores (1, 6, 3); iou_threshold=0.5, max_total_size=4"
    gives = "gives the_boxes (boxes), the_num (num)"

    assert found().why == f"{read}; {gives}"
    moved = np.float32([[0] * 4, [64] * 4])
    assert found(rounding=moved).why == f"{read}; {gives}; boxes carry the rounding of offsets to 64"
    assert found(sides=np.float32([2, 3])).why == f"{read}; boxes must be larger than 2 x 3; {gives}"


def test_ties_go_by_class_where_candidates_are_listed_by_class():
    assert found(by_class=True).ties == "class"
    assert found(by_class=False).ties == "box"


@pytest.mark.parametrize(
    ("limit", "together", "most"), [(3, False, 3), (9, False, 4), (4, True, 4), (9, True, 4)]
)
def test_the_attributes_of_the_operator(limit, together, most):
    site = fake(limit=limit, iou_threshold=0.3)

    attributes = match._attributes(site, fake(together=together), 0.1, [reading("boxes")])

    assert attributes == {
        "score_threshold": float(np.float32(0.1)),
        "iou_threshold": float(np.float32(0.3)),
        "max_size_per_class": most,
        "max_total_size": 4,
    }


def test_refused_where_fewer_of_all_classes_are_kept_than_there_are_slots():
    with pytest.raises(
        Refused, match="it keeps 3 boxes of all classes together, its detections have 4 slots"
    ) as error:
        match._attributes(fake(limit=3, iou_threshold=0.3), fake(together=True), 0.1, [reading("boxes")])
    assert error.value.tensor == "the_boxes"


@pytest.mark.parametrize("kind", ["scores", "dets", "num"])
def test_what_unused_slots_hold_does_not_matter_where_they_are_told(kind):
    chosen = [reading("classes", loose=True), reading(kind, loose=kind == "dets")]

    assert match._tells(chosen)


def test_unused_slots_that_change_have_to_be_told():
    assert not match._tells([reading("boxes"), reading("classes", loose=True)])
    assert match._tells([reading("boxes"), reading("classes")])


GRAPH = """
    (float[6,4] boxes, float[6] scores) => (float[a,4] dets, OUT)
    {
        selected = NonZero (scores)
        rows = Transpose <perm = [1, 0]> (selected)
        dets = GatherND (boxes, rows)
        best = GatherND (scores, rows)
        EXTRA
    }
"""


def graph_of(out="float[b] best", extra=""):
    return opened(GRAPH.replace("OUT", out).replace("EXTRA", extra))


def below_of(graph):
    selected, *sources = named(graph, "selected", "boxes", "scores")
    return fake(selection=selected), downstream.follow(graph, selected, sources)


def explained(graph, total=4, symbolic=(), **kinds) -> Explained:
    tensors = dict(zip(kinds, named(graph, *kinds), strict=True))
    readings = {id(item): reading(kinds[name], total, item) for name, item in tensors.items()}
    return Explained(total, readings, frozenset(id(item) for item in named(graph, *symbolic)))


def test_the_first_number_of_slots_that_is_all_the_graph_needs():
    graph = graph_of()
    site, below = below_of(graph)
    attempts = [
        explained(graph, 9, dets="boxes"),
        explained(graph, 8, dets="boxes", best="scores"),
        explained(graph, 7, dets="boxes", best="scores"),
    ]

    chosen = match._chosen(graph, site, below, attempts)

    assert [(item.tensor.name, item.kind, item.total) for item in chosen] == [
        ("dets", "boxes", 8),
        ("best", "scores", 8),
    ]


def test_where_nothing_is_needed_nothing_is_read():
    graph = graph_of("float[6] z", "z = Neg (scores)")
    del graph.outputs[0]
    site, below = below_of(graph)

    with pytest.raises(
        Refused, match="a graph output is none of the operator's outputs, which are the best 1000"
    ):
        match._chosen(graph, site, below, [explained(graph)])


@pytest.mark.parametrize(
    ("attempts", "why"),
    [
        ([], "dets is none of the operator's outputs, which are the best 1000 or fewer"),
        ([{"dets": "boxes"}], "best still needs the selection: it is none of the operator's outputs"),
        ([{}, {"dets": "boxes"}], "best still needs the selection"),
        ([{"dets": "boxes"}, {}], "best still needs the selection"),
        (
            [{"dets": "boxes", "symbolic": ["best"], "total": 7}],
            "best has as many rows as there are .* gives it 7",
        ),
        (
            [{"symbolic": ["best"]}, {"symbolic": ["dets", "best"], "total": 9}],
            "dets has as many rows .* gives it 9",
        ),
    ],
)
def test_refused_by_what_comes_nearest(attempts, why):
    graph = graph_of()
    site, below = below_of(graph)

    with pytest.raises(Refused, match=why) as error:
        match._chosen(graph, site, below, [explained(graph, **item) for item in attempts])
    assert error.value.tensor == why.split()[0]


def test_refused_where_the_length_of_a_padded_reading_is_told():
    extra = "n = Shape (dets) z = Cast <to = 1> (n)"
    graph = graph_of("float[2] z", extra)
    dets, n = named(graph, "dets", "n")
    padded = reading("boxes", 4, dets, symbolic=True)

    with pytest.raises(
        Refused, match="z depends on how many rows dets has, which are 4 once padded"
    ) as error:
        match._countless(graph, [padded])
    assert error.value.tensor == "z"
    assert match._countless(graph, [reading("boxes", 4, dets)])
    counted = [padded, reading("num", 4, n)]
    assert match._countless(graph, counted) == counted


def matched(text: str = DETECTIONS, *, pad: bool = True) -> Match:
    graph = opened(text)
    (node,) = graph.find("NonMaxSuppression")
    return match.match(graph, node, pad=pad)


def test_a_whole_graph():
    whole = matched()

    assert whole.attributes == {
        "score_threshold": 0.25,
        "iou_threshold": 0.5,
        "max_size_per_class": 5,
        "max_total_size": 6,
    }
    assert [(item.tensor.name, item.kind) for item in whole.readings] == [
        ("found", "boxes"),
        ("best", "scores"),
        ("kind", "classes"),
        ("num", "num"),
    ]
    assert (whole.rounding, whole.sides) == (None, None)


def test_a_refusal_is_raised():
    with pytest.raises(Refused, match="pad_detections=true gives it 6"):
        matched(pad=False)


FILTERED = DETECTIONS.replace("(clipped, scores, most", "(cut, few, most").replace(
    "selected =", "cut = Gather <axis = 1> (clipped, kept) few = Gather <axis = 2> (scores, kept) selected ="
)


def test_refused_where_the_selection_depends_on_something_else():
    with pytest.raises(Refused, match="the selection depends on more than boxes and scores") as error:
        matched(FILTERED.replace("float[1,2,12] logits)", "float[1,2,12] logits, int64[n] kept)"))
    assert error.value.tensor == "cut"


@pytest.mark.parametrize(("score", "threshold"), [("score", 0.25), ("low", 0)])
def test_a_threshold_of_the_node_is_the_operators(score, threshold):
    assert (
        matched(DETECTIONS.replace("iou, score)", f"iou, {score})")).attributes["score_threshold"]
        == threshold
    )


def test_refused_where_negative_scores_count():
    text = DETECTIONS.replace("Sigmoid (logits)", "Identity (logits)").replace("iou, score)", "iou)")

    with pytest.raises(Refused, match="scores may be negative"):
        matched(text)
