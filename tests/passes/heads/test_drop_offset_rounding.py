"""``drop-offset-rounding``: what class offsets left in the boxes goes; any other arithmetic stays."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_passes.drop_offset_rounding import DropOffsetRounding

from convertkit.api import heads
from convertkit.api.graphs import open_session
from convertkit.api.passes import LightModel
from convertkit.graph.graph import open_graph
from tests.graphtext import apply, as_exported, parse, show, text

heads.DOMAIN.register_schemas()

MOVED = """
    (float[1,6,3,4] boxes, float[1,6,3] scores) => (float[1,4,4] found)
    <float[3,4] class_offsets = {1, 1, 1, 1, 65, 65, 65, 65, 129, 129, 129, 129},
     float[3,4] others = {1, 1, 1, 1, 65, 65, 65, 65, 129, 129, 129, 128}>
    {
        moved = Add (boxes, class_offsets)
        back = Sub (moved, class_offsets)
        found, kept, classes, num = convertkit.heads.MulticlassNms <iou_threshold: float = 0.5,
            max_size_per_class: int = 4, max_total_size: int = 4, score_threshold: float = 0.25> (back, scores)
    }
"""


def moved(old: str = "", new: str = "") -> LightModel:
    assert old in MOVED
    return read(MOVED.replace(old, new) if old else MOVED)


def read(graph: str) -> LightModel:
    return as_exported(parse(graph, domains=[heads.HEADS]))


def test_boxes_are_read_where_they_were_before() -> None:
    after = apply(DropOffsetRounding(), moved())

    assert show(after) == text(
        """
        (float[1,6,3,4] boxes, float[1,6,3] scores) => (float[1,4,4] found)
        {
            found, kept, classes, num = convertkit.heads.MulticlassNms """
        """<iou_threshold = 0.5, max_size_per_class = 4, max_total_size = 4, score_threshold = 0.25> (boxes, scores)
        }
        """
    )


def test_the_boxes_change_by_the_rounding_and_nothing_else_does() -> None:
    random = np.random.default_rng(0)
    low = random.uniform(0, 32, (1, 6, 3, 2)).astype(np.float32)
    boxes = np.concatenate([low, low + random.uniform(1, 32, low.shape).astype(np.float32)], -1)
    inputs = {"boxes": boxes, "scores": random.uniform(0.3, 1, (1, 6, 3)).astype(np.float32)}

    before, after = (
        open_session(heads.lower(model), optimize=False).run(inputs)["found"]
        for model in (moved(), apply(DropOffsetRounding(), moved()))
    )

    gap = np.abs(after - before)
    assert 0 < gap.max() <= np.spacing(np.float32(129 + 64)) / 2
    assert np.isin(after, boxes).all()


def test_it_says_how_far_boxes_were_moved() -> None:
    (finding,) = DropOffsetRounding().explain(open_graph(moved()))

    assert (finding.status, finding.tensor) == ("matched", "boxes")
    assert finding.why == "boxes were moved by up to 129 and back"


@pytest.mark.parametrize("shape", ["1,1,3,4", "6,3,4", "1,6,1,4"])
def test_offsets_that_also_shape_the_boxes_stay(shape: str) -> None:
    wide = MOVED.replace("float[3,4] class_offsets", "float[1,6,3,4] class_offsets")
    wide = wide.replace("{1, 1, 1, 1, 65, 65, 65, 65, 129, 129, 129, 129}", f"{{{', '.join(72 * ['65'])}}}")
    model = read(wide.replace("float[1,6,3,4] boxes", f"float[{shape}] boxes"))

    assert apply(DropOffsetRounding(), model) is model


@pytest.mark.parametrize("value", ["inf", "nan"])
def test_offsets_that_are_no_numbers_stay(value: str) -> None:
    model = moved("{1, 1, 1, 1, 65", "{1, 1, 1, 1, " + value)

    assert apply(DropOffsetRounding(), model) is model


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Sub (moved, class_offsets)", "Sub (moved, others)"),
        ("Sub (moved, class_offsets)", "Mul (moved, class_offsets)"),
        ("Add (boxes, class_offsets)", "Sub (boxes, class_offsets)"),
        ("back = Sub (moved, class_offsets)", "back = Identity (moved)"),
    ],
)
def test_other_arithmetic_stays(old: str, new: str) -> None:
    model = moved(old, new)

    assert apply(DropOffsetRounding(), model) is model
    assert DropOffsetRounding().explain(open_graph(model)) == ()
