"""The search on the smallest extractor there is, and on graphs that are nearly one."""

from __future__ import annotations

from typing import Any

import pytest
from convertkit_passes.heads.roi.search import search

from convertkit.graph.graph import open_graph
from tests import graphtext

HEAD = """
    (float[1,1,8,8] fine, float[1,1,4,4] coarse, float[K,4] boxes) => (float[N,1,1,1] y)
    <int64 zero = {0}, int64 one = {1}, int64 two = {2}, int64 three = {3}, float bound = {16},
     int64[4] rank = {-1, 1, 1, 1}, int64[1] flat = {-1}>
    {
        x1 = Gather <axis = 1> (boxes, zero)
        y1 = Gather <axis = 1> (boxes, one)
        x2 = Gather <axis = 1> (boxes, two)
        y2 = Gather <axis = 1> (boxes, three)
        width = Sub (x2, x1)
        height = Sub (y2, y1)
        area = Mul (width, height)
        scale = Sqrt (area)
        is_small = Less (scale, bound)
        mask = Reshape (is_small, rank)
        nothing = Sub (x1, x1)
        images = Cast <to = 7> (nothing)
        a = RoiAlign <spatial_scale = 0.25, sampling_ratio = 2> (fine, boxes, images)
        b = RoiAlign <spatial_scale = 0.125, sampling_ratio = 2> (coarse, boxes, images)
        y = Where (mask, a, b)
    }"""


def searched(*changes: tuple[str, str]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    text = HEAD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return search(open_graph(graphtext.parse(text)), square=False)


@pytest.mark.parametrize(
    ("boxes", "rows"), [("[K,4]", "K"), ("[3,4]", 3), ("[K,W]", "K"), ("[3,W]", 3), ("[300,W]", 300)]
)
def test_an_extractor_is_found(boxes: str, rows: int | str) -> None:
    """Where the columns are not stated it runs with four, not with five."""
    ((match,), (finding,)) = searched(("[K,4]", boxes))

    assert [item.name for item in match.features] == ["fine", "coarse"]
    assert (match.entry.name, match.exit.name, match.shape) == ("boxes", "y", (rows, 1, 1, 1))
    assert (match.source.tensor, match.source.image) == (None, 0)
    assert match.verdict.attributes["finest_scale"] == 8
    assert (finding.status, finding.where, finding.tensor) == ("matched", "a, b", "y")
    assert finding.why.startswith(
        "MultilevelRoiAlign of 2 levels: finest_scale=8, spatial_scale=[0.25, 0.125], "
    )
    assert "at_bound" not in finding.why and "clamp=" not in finding.why
    assert finding.why.endswith("RoIs below one feature pixel (and unused slots) are clamped to one")


@pytest.mark.parametrize(("rois", "rows"), [("[K,W]", "K"), ("[3,W]", 3)])
def test_columns_that_are_not_stated_are_five_where_it_runs_with_five(rois: str, rows: int | str) -> None:
    text = HEAD.replace("float[K,4] boxes", f"float{rois} rois").replace("x1, x1)", "x1, x1)")
    lines = "front = Slice (rois, i0, i1, i1) column = Reshape (front, flat) boxes = Slice (rois, i1, i5, i1)"
    text = text.replace("x1 = Gather", f"{lines} images = Cast <to = 7> (column) x1 = Gather")
    text = text.replace("images = Cast <to = 7> (nothing)\n", "\n").replace("nothing = Sub (x1, x1)", "")
    text = text.replace("<int64 zero", "<int64[1] i0 = {0}, int64[1] i1 = {1}, int64[1] i5 = {5}, int64 zero")

    ((match,), _) = search(open_graph(graphtext.parse(text)), square=False)

    assert (match.entry.name, match.source.tensor.name, match.source.image) == ("rois", "rois", None)
    assert match.shape == (rows, 1, 1, 1)


@pytest.mark.parametrize(
    ("changes", "why", "tensor"),
    [
        ((("[K,4]", "[0,4]"),), "there are no RoIs", "boxes"),
        (
            (
                ("y = Where (mask, a, b)", "c = Reshape (a, flat) d = Reshape (b, flat) y = Add (c, d)"),
                ("[N,1,1,1]", "[N]"),
            ),
            "the levels come together as ['N'], not (K, 1, 1, 1)", "y",
        ),
        ((("y = Where (mask, a, b)", "c = Add (b, b) y = Where (mask, a, c)"),), "RoIs differ", "y"),
        ((("bound = {16}", "bound = {17}"),), "levels change at 17 px, not at 2, 4, 8, ", ""),
        (
            (("nothing = Sub (x1, x1)", "nothing = Sub (given, given)"), ("boxes) =>", "boxes, float[N] given) =>")),
            "the result also depends on given, which is neither features nor boxes", "y",
        ),
    ],
)  # fmt: skip
def test_what_is_nearly_one_is_refused(changes: tuple[tuple[str, str], ...], why: str, tensor: str) -> None:
    matches, (finding,) = searched(*changes)

    assert matches == ()
    assert (finding.status, finding.where, finding.tensor) == ("refused", "a, b", tensor)
    assert why in finding.why


def test_nodes_that_are_in_no_match_are_told_one_by_one() -> None:
    matches, findings = searched(
        ("y = Where", "c = RoiAlign (coarse, boxes, images) d = RoiAlign (other, boxes, images) y = Where"),
        ("boxes) =>", "boxes, float[1,1,4,4] other) =>"),
        ("y)\n", "y, float[N,1,1,1] c, float[N,1,1,1] d)\n"),
    )

    assert [match.exit.name for match in matches] == ["y"]
    alone = "no other RoiAlign pools the same RoIs into the same tensor: there is one level only"
    assert [(item.status, item.where) for item in findings] == [
        ("matched", "a, b"),
        ("refused", "c"),
        ("refused", "d"),
    ]
    assert [(item.why, item.tensor) for item in findings[1:]] == [(alone, "c"), (alone, "d")]


def test_what_the_graph_does_not_state_is_inferred() -> None:
    ((match,), _) = searched(
        ("a = RoiAlign", "deep = Relu (fine) a = RoiAlign"), ("(fine, boxes", "(deep, boxes")
    )

    assert [item.name for item in match.features] == ["deep", "coarse"]


def test_a_refusal_is_of_the_most_nodes_and_the_others_are_told_beside_it() -> None:
    _, findings = searched(
        ("bound = {16}", "bound = {17}"),
        ("y = Where", "c = RoiAlign (coarse, boxes, images) y = Where"),
        ("y)\n", "y, float[N,1,1,1] c)\n"),
    )

    assert [(item.status, item.where) for item in findings] == [("refused", "a, b"), ("refused", "c")]
    assert findings[0].why.startswith("levels change at 17 px")


@pytest.mark.parametrize(("opset", "fits"), [(10, False), (11, True), (17, False)])
def test_opsets_whose_roi_align_is_known(opset: int, fits: bool) -> None:
    matches, (finding,) = search(open_graph(graphtext.parse(HEAD, opset=opset)), square=False)

    assert bool(matches) is fits
    assert fits or finding.why.startswith(f"opset must be 11 to 16, it is {opset}: ")
