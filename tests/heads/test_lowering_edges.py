"""Lowering heads at its edges: open sizes, far bounds, limits of attributes, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from convertkit.api import heads
from convertkit.api.graphs import open_session
from convertkit.errors import GraphError, UnavailableError, UsageError
from convertkit.graph.domains import lowered
from convertkit.graph.light import LightModel
from convertkit.heads.lowering.levels import area_bounds
from convertkit.heads.lowering.lower import lower
from convertkit.plugins.loading import open_plugins
from tests import graphtext

ROI: dict[str, Any] = {
    "finest_scale": 8,
    "spatial_scale": [0.25, 0.125],
    "output_height": 2,
    "output_width": 3,
}
NMS: dict[str, Any] = {
    "score_threshold": 0.1,
    "iou_threshold": 0.5,
    "max_size_per_class": 4,
    "max_total_size": 5,
}


@pytest.fixture(autouse=True)
def known() -> None:
    open_plugins()


def parsed(text: str) -> LightModel:
    return graphtext.parse(text, domains=[heads.HEADS])


def extraction(
    rois: str = "float[k,5]",
    first: str = "float[1,2,16,16]",
    op: str = "MultilevelRoiAlign",
    second: str = "float[1,2,8,8]",
) -> LightModel:
    attributes = "finest_scale=8, spatial_scale=[0.25, 0.125], output_height=2, output_width=3"
    return parsed(f"""({first} p, {second} q, {rois} r) => (float[k,2,2,3] y) {{
        y = {heads.HEADS}.{op}<{attributes}>(p, q, r)
    }}""")


@pytest.mark.parametrize("count", [0, 1, 7])
def test_an_open_number_of_rois(count: int) -> None:
    random = np.random.default_rng(count)
    corners = np.sort(random.uniform(0, 60, (count, 2, 2)).astype(np.float32), axis=1).reshape(count, 4)
    inputs = {
        "p": random.standard_normal((1, 2, 16, 16)).astype(np.float32),
        "q": random.standard_normal((1, 2, 8, 8)).astype(np.float32),
        "r": np.column_stack([np.zeros(count, np.float32), corners]),
    }

    (found,) = open_session(lowered(extraction())).run(inputs).values()

    (wanted,) = heads.MULTILEVEL_ROI_ALIGN.compute(list(inputs.values()), ROI)
    assert found.shape == (count, 2, 2, 3)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize("images", [1, 2])
def test_open_sizes_of_features(images: int) -> None:
    """A RoI of a picture that is not there gets zeros, whatever number of pictures comes."""
    random = np.random.default_rng(images)
    corners = np.array([[0, 0, 20, 20], [4, 4, 60, 60], [0, 0, 9, 9]], np.float32)
    inputs = {
        "p": random.standard_normal((images, 2, 16, 16)).astype(np.float32),
        "q": random.standard_normal((images, 2, 8, 8)).astype(np.float32),
        "r": np.column_stack([np.array([0, images - 1, images], np.float32), corners]),
    }
    model = extraction(first="float[n,2,h,w]", second="float[n,2,i,j]")

    (found,) = open_session(lowered(model)).run(inputs).values()

    (wanted,) = heads.MULTILEVEL_ROI_ALIGN.compute(list(inputs.values()), ROI)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)
    assert not found[2].any()


def test_features_of_open_channels_are_refused() -> None:
    with pytest.raises(UnavailableError, match=r"input 0 has shape .*; lowering needs static shapes"):
        lower(extraction(first="float[1,c,16,16]", second="float[1,c,8,8]"))


@pytest.mark.parametrize("at_bound", ["up", "down"])
def test_a_bound_beyond_all_areas_is_the_largest_float(at_bound: str) -> None:
    bounds = area_bounds(at_bound, 1.5 * 2.0**62, 3)

    assert bounds[0] < bounds[1] == np.finfo(np.float32).max


def test_a_graph_without_heads_is_left_as_it_is() -> None:
    model = parsed("(float[3] x) => (float[3] y) { y = Relu(x) }")

    assert lower(model) is model


def test_an_unknown_head_is_named_with_those_that_are_known() -> None:
    model = parsed(f"(float[3] x) => (float[3] y) {{ y = {heads.HEADS}.Nms3(x) }}")

    with pytest.raises(
        UnavailableError, match=r"^Nms3 '.*': heads are MulticlassNms and MultilevelRoiAlign$"
    ):
        lower(model)


def test_a_head_without_a_name_names_its_nodes_after_what_it_is() -> None:
    model = extraction("float[4,5]")
    model.proto.graph.node[0].name = ""

    assert any("MultilevelRoiAlign" in node.name for node in lower(model).proto.graph.node)


def test_nothing_of_the_head_is_left() -> None:
    after = lower(extraction("float[4,5]"))

    assert {node.domain for node in after.proto.graph.node} == {""}
    assert [entry.domain for entry in after.proto.opset_import] == [""]


def test_a_wrong_attribute_is_named() -> None:
    model = extraction("float[4,5]")
    model.proto.graph.node[0].attribute[0].i = 0

    with pytest.raises(GraphError, match="MultilevelRoiAlign: finest_scale must be 1 or more"):
        lower(model)


def test_an_attribute_that_the_operator_has_not_is_named() -> None:
    model = extraction("float[4,5]")
    model.proto.graph.node[0].attribute.append(onnx.helper.make_attribute("pool_mode", "max"))

    with pytest.raises(GraphError, match=r"^MultilevelRoiAlign '.*': pool_mode is not an attribute$"):
        lower(model)


def test_inputs_of_several_types_are_refused() -> None:
    with pytest.raises(GraphError, match="MultilevelRoiAlign: its floating inputs have different types"):
        lower(extraction("float[4,5]", "float16[1,2,16,16]"))


@pytest.mark.parametrize("given", [(None, 0), (0, None), ()])
def test_nms_without_boxes_or_scores_is_refused(given: tuple[int | None, ...]) -> None:
    arrays = [None if one is None else np.zeros((1, 2, 1, 4), np.float32) for one in given]

    with pytest.raises(UsageError, match="boxes and scores are needed"):
        heads.MULTICLASS_NMS.compute(arrays, NMS)


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("score_threshold", 0.0, -0.001), ("iou_threshold", 0.0, -0.001), ("iou_threshold", 1.0, 1.001),
        ("max_size_per_class", 1, 0), ("max_total_size", 1, 0), ("drop_empty", 0, -1), ("drop_empty", 1, 2),
        ("smallest_union", 0.0, -0.001), ("smallest_union", 0.5, -1.0),
    ],
)  # fmt: skip
def test_limits_of_nms_just_inside_and_just_outside(name: str, inside: float, outside: float) -> None:
    assert heads.MULTICLASS_NMS.wrong({**NMS, name: inside}) == []
    assert [line.partition(" must be")[0] for line in heads.MULTICLASS_NMS.wrong({**NMS, name: outside})] == [
        name
    ]


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("finest_scale", 1, 0), ("output_height", 1, 0), ("output_width", 1, 0), ("aligned", 0, -1), ("aligned", 1, 2),
        ("clamp", 0, -1), ("clamp", 1, 2), ("at_bound", "up", "sideways"), ("spatial_scale", [0.0], [-0.001]),
    ],
)  # fmt: skip
def test_limits_of_roi_align_just_inside_and_just_outside(name: str, inside: Any, outside: Any) -> None:
    assert heads.MULTILEVEL_ROI_ALIGN.wrong({**ROI, name: inside}) == []
    wrong = heads.MULTILEVEL_ROI_ALIGN.wrong({**ROI, name: outside})
    assert [line.partition(" must be")[0] for line in wrong] == [name]
