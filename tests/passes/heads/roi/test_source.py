"""Where the RoIs with the image's number come from, on graphs that compute no more than that."""

from __future__ import annotations

from typing import Any

import pytest
from convertkit_passes.heads.roi.pooling import Pooling
from convertkit_passes.heads.roi.probe import Probe
from convertkit_passes.heads.roi.source import Source, rois_source

from convertkit.api import graphs
from convertkit.api.heads import Refused
from convertkit.graph.graph import open_graph
from tests import graphtext

POOLED = """
    a = RoiAlign (f, kept, images)
    b = RoiAlign (g, kept, images)
    y = Add (a, b)
"""


def source(text: str, *, columns: int = 4, rows: int | None = 3, images: int = 2) -> Source:
    graph = open_graph(graphtext.parse(text))
    graphs.annotate(graph)
    nodes = list(graph.find("RoiAlign"))
    tensors = graph.surgeon.tensors()
    region = graphs.cut(graph, [tensors["y"]], [tensors["f"], tensors["g"], tensors["boxes"]])
    pooling = Pooling((), ((images, 3, 8, 8), (images, 3, 4, 4)), (1.0, 1.0), (1, 1), 0)
    return rois_source(graph, Probe(region, pooling, columns, rows), tensors["boxes"], nodes)


def name(item: Source) -> Any:
    return item.tensor and item.tensor.name


def numbered(number: str, rest: str = "") -> str:
    """Boxes with a number in front, of which the RoIs are taken."""
    return f"""
    (float[2,3,8,8] f, float[2,3,4,4] g, float[3,4] boxes) => (float[3,3,1,1] y)
    <float[3,1] image = {{{number}}}, int64[1] zero = {{0}}, int64[1] one = {{1}}, int64[1] five = {{5}},
     int64[1] flat = {{-1}}, float half = {{0.5}}>
    {{
        {rest or "rois = Concat <axis = 1> (image, boxes)"}
        front = Slice (rois, zero, one, one)
        column = Reshape (front, flat)
        images = Cast <to = 7> (column)
        kept = Slice (rois, one, five, one)
        {POOLED}
    }}"""


def test_rois_of_five_columns_are_the_source() -> None:
    text = (
        numbered("0, 0, 0")
        .replace("float[3,4] boxes", "float[3,5] boxes")
        .replace("(image, boxes)", "(boxes)")
    )

    found = source(text, columns=5)

    assert (name(found), found.image) == ("boxes", None)


@pytest.mark.parametrize("number", [0, 1])
def test_boxes_behind_the_number_of_one_image(number: int) -> None:
    found = source(numbered(", ".join([str(number)] * 3)))

    assert (name(found), found.image) == ("rois", number)


@pytest.mark.parametrize(
    ("number", "rest"),
    [
        ("2, 2, 2", ""),  # there is no such image
        ("-1, -1, -1", ""),
        ("0.5, 0.5, 0.5", ""),
        ("0, 0, 0", "more = Concat <axis = 1> (image, boxes) rois = Mul (more, half)"),
    ],
)
def test_what_is_not_the_boxes_behind_an_image_is_no_source(number: str, rest: str) -> None:
    text = numbered(number, rest)
    if rest:  # the first five columns are the boxes behind a number, but nobody reads them as RoIs
        text = text.replace("Slice (rois, one, five, one)", "Slice (more, one, five, one)")
        assert name(source(text)) == "more"
        return
    found = source(text)

    assert (name(found), found.image) == (None, int(float(number.split(",")[0])))


@pytest.mark.parametrize("rows", [3, None])
def test_an_image_that_is_stated_is_put_in_front(rows: int | None) -> None:
    kept = "K" if rows is None else "3"
    found = source(
        f"""
        (float[2,3,8,8] f, float[2,3,4,4] g, float[{kept},4] boxes) => (float[{kept},3,1,1] y)
        <float half = {{0.5}}, int64[1] zero = {{0}}, int64[1] one = {{1}}, int64 again = {{1}}>
        {{
            kept = Mul (boxes, half)
            shape = Shape (boxes)
            count = Slice (shape, zero, one)
            images = Expand (again, count)
            {POOLED}
        }}""",
        rows=rows,
    )

    assert (name(found), found.image) == (None, 1)


def stated(first: str, second: str) -> str:
    return f"""
        (float[2,3,8,8] f, float[2,3,4,4] g, float[3,4] boxes, int64[3] given) => (float[3,3,1,1] y)
        <int64[3] images = {{{first}}}, int64[3] others = {{{second}}}>
        {{
            kept = Relu (boxes)
            {POOLED.replace("(g, kept, images)", "(g, kept, others)")}
        }}"""


def test_images_that_are_constants() -> None:
    found = source(stated("1, 1, 1", "1, 1, 1"))

    assert (name(found), found.image) == (None, 1)


@pytest.mark.parametrize(("first", "second"), [("0, 1, 1", "1, 1, 1"), ("0, 0, 0", "1, 1, 1")])
def test_boxes_of_several_images_are_refused(first: str, second: str) -> None:
    with pytest.raises(Refused, match=r"^boxes of several images: \[0, 1\]$") as refused:
        source(stated(first, second))

    assert refused.value.tensor == "boxes"


def test_images_that_depend_on_more_than_the_boxes_are_refused() -> None:
    text = stated("0, 0, 0", "0, 0, 0").replace("(f, kept, images)", "(f, kept, given)")
    graph = open_graph(graphtext.parse(text))
    tensors = graph.surgeon.tensors()
    region = graphs.cut(graph, [tensors["y"]], [tensors[item] for item in ("f", "g", "boxes", "given")])
    pooling = Pooling((), ((2, 3, 8, 8), (2, 3, 4, 4)), (1.0, 1.0), (1, 1), 0)

    with pytest.raises(
        Refused, match=r"^the numbers of the images depend on more than the boxes$"
    ) as refused:
        rois_source(graph, Probe(region, pooling, 4, 3), tensors["boxes"], list(graph.find("RoiAlign")))

    assert refused.value.tensor == "given"


def test_corners_are_in_order() -> None:
    """What puts the far corner behind the near one changes nothing."""
    found = source(
        numbered(
            "1, 1, 1",
            """near = Slice (boxes, zero, two, one) far = Slice (boxes, two, four, one)
            low = Min (near, far) high = Max (near, far)
            rois = Concat <axis = 1> (image, low, high)""",
        ).replace("int64[1] five", "int64[1] two = {2}, int64[1] four = {4}, int64[1] five")
    )

    assert (name(found), found.image) == ("rois", 1)


def test_boxes_that_reach_no_level_are_of_the_first_image() -> None:
    text = (
        stated("1, 1, 1", "1, 1, 1")
        .replace(
            "kept = Relu (boxes)",
            """
            kept = Slice (boxes, zero, zero)
            none = Slice (images, zero, zero)""",
        )
        .replace("kept, images", "kept, none")
        .replace("kept, others", "kept, none")
    )

    assert (
        source(
            text.replace("<int64[3]", "<int64[1] zero = {0}, int64[3]").replace(
                "float[3,3,1,1]", "float[0,3,1,1]"
            )
        ).image
        == 0
    )
