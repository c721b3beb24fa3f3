"""``restore-rpn-levels``: one class per pyramid level, and the proposals that gives."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from convertkit_passes.restore_rpn_levels import RestoreRpnLevels

from convertkit.api import heads
from convertkit.api.graphs import open_session
from convertkit.api.passes import Finding, LightModel
from convertkit.graph.graph import open_graph
from tests.graphtext import apply, as_exported, parse, show, text

heads.DOMAIN.register_schemas()

PROPOSALS = """
    (float[1,3,4] b0, float[1,2,4] b1, float[1,3,1] s0, float[1,2,1] s1, float[1,2,8,8] map, int64[4] zeros)
        => (float[4,2,7,7] pooled, float[1,4,4] nmsed_boxes, float[1,4] nmsed_scores)
    <int64[4] wide = {1, 5, 1, 4}, int64[2] flat = {-1, 4}>
    {
        boxes = Concat <axis = 1> (b0, b1)
        scores = Concat <axis = 1> (s0, s1)
        shared = Reshape (boxes, wide)
        nmsed_boxes, nmsed_scores, nmsed_classes, nmsed_num = convertkit.heads.MulticlassNms <
            iou_threshold: float = 0.5, max_size_per_class: int = 4, max_total_size: int = 4,
            score_threshold: float = 0.0> (shared, scores)
        rois = Reshape (nmsed_boxes, flat)
        pooled = RoiAlign <output_height: int = 7, output_width: int = 7, sampling_ratio: int = 2>
            (map, rois, zeros)
    }
"""


def proposals(old: str = "", new: str = "") -> LightModel:
    assert old in PROPOSALS
    return as_exported(parse(PROPOSALS.replace(old, new) if old else PROPOSALS, domains=[heads.HEADS]))


def explain(model: LightModel) -> tuple[Finding, ...]:
    return RestoreRpnLevels().explain(open_graph(model))


def test_a_level_of_open_size_is_refused_by_name() -> None:
    """What the levels come together in may have a fixed size all the same: the graph says so of its output."""
    model = proposals("float[1,3,4] b0", "float[1,N,4] b0")
    model.proto.graph.output.append(onnx.helper.make_tensor_value_info("boxes", 1, [1, 5, 4]))

    (finding,) = explain(model)

    assert (finding.status, finding.tensor) == ("refused", "b0")
    assert finding.why.startswith("b0 has no fixed size")


def test_levels_become_classes_and_short_ones_are_padded() -> None:
    after = apply(RestoreRpnLevels(), proposals())

    assert show(after) == text(
        """
        (float[1,3,4] b0, float[1,2,4] b1, float[1,3,1] s0, float[1,2,1] s1, float[1,2,8,8] map, int64[4] zeros) => """
        """(float[4,2,7,7] pooled, float[1,4,4] nmsed_boxes, float[1,4] nmsed_scores)
        <int64[2] flat = {-1, 4}, int64[8] pads = {0, 0, 0, 0, 0, 1, 0, 0}, int64[6] pads_1 = {0, 0, 0, 0, 1, 0}, """
        """int64[4] shape = {1, 3, 1, 4}, int64[4] shape_1 = {1, 2, 1, 4}>
        {
            Reshape_output = Reshape (b0, shape)
            Reshape_1_output = Reshape (b1, shape_1)
            Pad_1_output = Pad (s1, pads_1)
            Pad_output = Pad (Reshape_1_output, pads)
            Concat_1_output = Concat <axis = 2> (s0, Pad_1_output)
            Concat_output = Concat <axis = 2> (Reshape_output, Pad_output)
            nmsed_boxes, nmsed_scores, nmsed_classes, nmsed_num = convertkit.heads.MulticlassNms """
        """<iou_threshold = 0.5, max_size_per_class = 3, max_total_size = 4, score_threshold = 0.0> """
        """(Concat_output, Concat_1_output)
            rois = Reshape (nmsed_boxes, flat)
            pooled = RoiAlign <output_height = 7, output_width = 7, sampling_ratio = 2> (map, rois, zeros)
        }
        """
    )


def test_a_box_is_kept_beside_the_same_box_of_another_level() -> None:
    before = proposals()
    same, other = [0, 0, 4, 4], [5, 5, 8, 8]
    inputs = {
        "b0": np.array([[same, same, other]], np.float32),
        "b1": np.array([[same, other]], np.float32),
        "s0": np.array([[[0.9], [0.8], [0.4]]], np.float32),
        "s1": np.array([[[0.7], [0.6]]], np.float32),
        "map": np.zeros((1, 2, 8, 8), np.float32),
        "zeros": np.zeros(4, np.int64),
    }

    merged, apart = (
        open_session(heads.lower(item)).run(inputs) for item in (before, apply(RestoreRpnLevels(), before))
    )

    np.testing.assert_allclose(merged["nmsed_scores"], [[0.9, 0.6, 0, 0]])
    np.testing.assert_allclose(apart["nmsed_scores"], [[0.9, 0.7, 0.6, 0.4]])
    np.testing.assert_array_equal(apart["nmsed_boxes"], [[same, same, other, other]])


def test_the_finding_names_the_levels() -> None:
    (finding,) = explain(proposals())

    assert (finding.status, finding.why) == ("matched", "2 levels of 3, 2 boxes become classes of 3")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (
            "boxes = Concat <axis = 1> (b0, b1)",
            "all = Concat <axis = 1> (b0, b1) boxes = Relu (all)",
            "shared is not a concatenation of levels",
        ),
        (
            "scores = Concat <axis = 1> (s0, s1)",
            "scores = Concat <axis = 1> (s1, s0)",
            "(3, 2), its scores of (2, 3)",
        ),
    ],
)
def test_what_is_refused(old: str, new: str, why: str) -> None:
    before = proposals(old, new)

    (finding,) = explain(before)

    assert finding.status == "refused"
    assert why in finding.why
    assert apply(RestoreRpnLevels(), before) is before


JOINED = "boxes = Concat <axis = 1> (b0, b1)"
PARTS = "c0 = Reshape (b0, rows) c1 = Reshape (b1, rows) boxes = Concat <axis = AXIS> (c0, c1)"
SIZES = "<int64[4] wide = {1, 5, 1, 4}"


@pytest.mark.parametrize(
    ("sizes", "joined"),
    [
        ("", "boxes = Concat <axis = -2> (b0, b1)"),
        ("int64[2] rows = {-1, 4}", PARTS.replace("AXIS", "0")),
        ("int64[2] rows = {1, -1}", PARTS.replace("AXIS", "1")),
        ("int64[3] rows = {1, 5, 4}", "all = Concat <axis = 1> (b0, b1) c = Reshape (all, rows) boxes = Identity (c)"),
    ],
)  # fmt: skip
def test_levels_are_joined_in_the_order_of_boxes(sizes: str, joined: str) -> None:
    text = PROPOSALS.replace(JOINED, joined).replace(SIZES, f"{SIZES}, {sizes}" if sizes else SIZES)

    (finding,) = explain(as_exported(parse(text, domains=[heads.HEADS])))

    assert (finding.status, finding.why) == ("matched", "2 levels of 3, 2 boxes become classes of 3")
    assert finding.tensor == "shared"


@pytest.mark.parametrize(
    ("sizes", "joined"),
    [
        ("int64[3] rows = {1, -1, 2}", PARTS.replace("AXIS", "1")),
        ("int64[2] rows = {4, -1}", PARTS.replace("AXIS", "1")),
        ("int64[3] rows = {1, 5, 4}", "all = Concat <axis = 1> (b0, b1) boxes = Neg (all)"),
        ("int64[3] rows = {1, 5, 4}", "all = Concat <axis = 1> (b0, b1) boxes = Concat <axis = 1> (all)"),
    ],
)  # fmt: skip
def test_what_is_joined_another_way_is_refused(sizes: str, joined: str) -> None:
    text = PROPOSALS.replace(JOINED, joined).replace(SIZES, f"{SIZES}, {sizes}")

    (finding,) = explain(as_exported(parse(text, domains=[heads.HEADS])))

    assert (finding.status, finding.why) == ("refused", "shared is not a concatenation of levels")


def test_levels_that_come_together_in_an_open_size_are_refused() -> None:
    (finding,) = explain(proposals("float[1,3,4] b0", "float[1,N,4] b0"))

    assert (finding.status, finding.why) == ("refused", "shared is not a concatenation of levels")


def test_boxes_that_are_an_input_are_refused() -> None:
    text = (
        PROPOSALS.replace(JOINED, "")
        .replace("float[1,3,4] b0", "float[1,5,4] boxes")
        .replace("float[1,2,4] b1, ", "")
    )

    (finding,) = explain(as_exported(parse(text, domains=[heads.HEADS])))

    assert (finding.why, finding.tensor) == ("shared is not a concatenation of levels", "boxes")


def test_levels_of_one_size_need_no_padding_and_of_a_batch_keep_it() -> None:
    after = apply(
        RestoreRpnLevels(),
        as_exported(
            parse(
                """
    (float[2,3,4] b0, float[2,3,4] b1, float[2,3] s0, float[2,3] s1, float[1,2,8,8] map, int64[8] zeros)
        => (float[8,2,1,1] pooled)
    <int64[4] wide = {2, 6, 1, 4}, int64[2] flat = {-1, 4}, int64[3] tall = {2, 6, 1}>
    {
        boxes = Concat <axis = 1> (b0, b1)
        all = Concat <axis = 1> (s0, s1)
        scores = Reshape (all, tall)
        shared = Reshape (boxes, wide)
        kept, nmsed_scores, nmsed_classes, nmsed_num = convertkit.heads.MulticlassNms <
            iou_threshold: float = 0.5, max_size_per_class: int = 2, max_total_size: int = 4,
            score_threshold: float = 0.0> (shared, scores)
        rois = Reshape (kept, flat)
        pooled = RoiAlign (map, rois, zeros)
    }""",
                domains=[heads.HEADS],
            )
        ),
    )

    graph = open_graph(after)
    (nms,) = graph.find("MulticlassNms", domain=heads.HEADS)
    assert not list(graph.find("Pad"))
    assert [(item.dtype, item.shape) for item in nms.inputs] == [
        (np.float32, [2, 3, 2, 4]),
        (np.float32, [2, 3, 2]),
    ]
    assert nms.attrs["max_size_per_class"] == 2


READ = "rois = Reshape (nmsed_boxes, flat)"


@pytest.mark.parametrize(
    ("between", "looked_at"),
    [
        ("more = Neg (nmsed_boxes) rois = Reshape (more, flat)", True),
        ("spare = Neg (nmsed_boxes) rois = Reshape (nmsed_boxes, flat)", True),
        ("other = Neg (nmsed_boxes) rois = Reshape (b0, flat)", False),
        ("c = Reshape (nmsed_scores, tall) rois = Concat <axis = 1> (c, c, c, c)", False),
        ("other = Reshape (nmsed_boxes, maps) rois = Reshape (corners, flat)", False),  # are the features
    ],
)
def test_only_an_nms_whose_boxes_become_rois_is_looked_at(between: str, looked_at: bool) -> None:
    text = PROPOSALS.replace(READ, between).replace(
        "<int64[4] wide", "<int64[2] tall = {4, 1}, int64[4] maps = {1, 2, 2, 4}, int64[4] wide"
    )
    if "b0" in between:
        text = text.replace("float[1,3,4] b0", "float[1,4,4] b0").replace("{1, 5, 1, 4}", "{1, 6, 1, 4}")
        text = text.replace("float[1,3,1] s0", "float[1,4,1] s0")
    if "other = Neg" in between:
        text = text.replace("nmsed_scores)", "nmsed_scores, float[1,4,4] other)", 1)
    if "maps" in between:
        text = text.replace("(map, rois, zeros)", "(other, rois, zeros)")
    before = parse(text, domains=[heads.HEADS])
    before.proto.graph.initializer.append(
        onnx.numpy_helper.from_array(np.zeros((4, 4), np.float32), "corners")
    )

    assert bool(explain(before)) is looked_at


@pytest.mark.parametrize(
    ("old", "new"),
    [("float[1,3,1] s0, float[1,2,1] s1", "float[1,3,2] s0, float[1,2,2] s1")],
)
def test_an_nms_of_several_classes_is_not_looked_at(old: str, new: str) -> None:
    assert explain(proposals(old, new)) == ()


def test_a_graph_that_parts_and_meets_is_walked_once() -> None:
    chain = "n0 = Add (nmsed_boxes, nmsed_boxes) "
    chain += " ".join(f"n{place + 1} = Add (n{place}, n{place})" for place in range(40))
    before = parse(
        PROPOSALS.replace(READ, f"{chain} rois = Reshape (corners, flat)").replace(
            "nmsed_scores)", "nmsed_scores, float[1,4,4] n40)", 1
        ),
        domains=[heads.HEADS],
    )
    before.proto.graph.initializer.append(
        onnx.numpy_helper.from_array(np.zeros((4, 4), np.float32), "corners")
    )

    assert explain(before) == ()


def test_a_multilevel_extractor_reads_rois_last() -> None:
    text = PROPOSALS.replace("<int64[4] wide", "<float[4,1] images = {0, 0, 0, 0}, int64[4] wide")
    a, b = text.index("pooled = RoiAlign"), text.rindex("}")
    text = (
        text[:a]
        + """five = Concat <axis = 1> (images, rois)
        pooled = convertkit.heads.MultilevelRoiAlign <finest_scale = 8, spatial_scale = [0.5, 0.25],
            output_height = 7, output_width = 7> (map, map, five)
    """
        + text[b:]
    )

    (finding,) = explain(as_exported(parse(text, domains=[heads.HEADS])))

    assert finding.status == "matched"


def test_an_nms_whose_boxes_are_no_rois_is_not_looked_at() -> None:
    before = proposals("rois = Reshape (nmsed_boxes, flat)", "rois = Reshape (corners, flat)")
    corners = onnx.numpy_helper.from_array(np.zeros((4, 4), np.float32), "corners")
    before.proto.graph.initializer.append(corners)

    assert explain(before) == ()
    assert apply(RestoreRpnLevels(), before) is before
