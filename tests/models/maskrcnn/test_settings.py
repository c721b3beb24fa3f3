"""What a configuration says of classes and of the test: taken over, or refused by name."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("reader")

MODEL: dict[str, Any] = {
    "rpn_head": {"type": "RPNHead"},
    "roi_head": {
        "bbox_head": [{"num_classes": 80}, {"num_classes": 80}],
        "mask_head": {"num_classes": 80},
        "semantic_head": {"num_classes": 183},
    },
    "test_cfg": {
        "rpn": {"nms_pre": 1000, "max_per_img": 1000, "nms": {"type": "nms", "iou_threshold": 0.7}, "min_bbox_size": 0},
        "rcnn": {
            "score_thr": 0.05, "nms": {"type": "nms", "iou_threshold": 0.5}, "max_per_img": 100,
            "mask_thr_binary": 0.5,
        },
    },
}  # fmt: skip
DENSE: dict[str, Any] = {
    "bbox_head": {"num_classes": 80},
    "test_cfg": {
        "nms_pre": 1000, "min_bbox_size": 0, "score_thr": 0.05, "nms": {"type": "nms", "iou_threshold": 0.5},
        "max_per_img": 100,
    },
}  # fmt: skip


def changed(model: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    found = deepcopy(model)
    *way, last = place.split(".")
    part = found
    for key in way:
        part = part[key]
    part[last] = value
    return found


def test_every_classifying_head_gets_the_number_of_classes() -> None:
    from export.settings import set_classes

    model = deepcopy(MODEL)

    set_classes(model, 3, {})

    assert model["roi_head"] == {
        "bbox_head": [{"num_classes": 3}, {"num_classes": 3}],
        "mask_head": {"num_classes": 3},
        "semantic_head": {"num_classes": 183},
    }
    assert model["rpn_head"] == {"type": "RPNHead"}


def test_without_a_list_nothing_is_changed() -> None:
    from export.settings import set_classes

    model = deepcopy(MODEL)
    set_classes(model, None, {})

    assert model == MODEL


def test_what_a_person_wrote_has_to_agree() -> None:
    from export.errors import JobError
    from export.settings import set_classes

    set_classes(deepcopy(DENSE), 3, {"bbox_head": {"num_classes": 3}})
    with pytest.raises(
        JobError, match=r"model\.bbox_head has num_classes 80, the specification lists 3 classes"
    ):
        set_classes(deepcopy(DENSE), 3, DENSE)
    with pytest.raises(JobError, match=r"model.roi_head.bbox_head\[1\] has num_classes 4"):
        own = {"roi_head": {"bbox_head": [{}, {"num_classes": 4}]}}
        set_classes(deepcopy(MODEL), 3, own)


@pytest.mark.parametrize(
    "model", [MODEL, DENSE, {}, {"test_cfg": None}, {"test_cfg": {"rpn": None, "rcnn": {}}}]
)
def test_usual_configurations_are_fine(model: dict[str, Any]) -> None:
    from export.settings import check_test_cfg

    check_test_cfg(model)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("rpn.nms_pre", 2000), ("rpn.max_per_img", 300), ("rpn.min_bbox_size", 0), ("rpn.min_bbox_size", -1),
        ("rpn.nms_across_levels", False), ("rcnn.score_thr", 0.001), ("rcnn.max_per_img", 300),
        ("rcnn.nms.iou_threshold", 0.6), ("rcnn.nms.max_output_boxes_per_class", 50),
        ("rcnn.nms.class_agnostic", False), ("rcnn.nms.split_thr", 10000),
    ],
)  # fmt: skip
def test_keys_that_reach_the_graph_or_do_nothing(place: str, value: Any) -> None:
    from export.settings import check_test_cfg

    check_test_cfg(changed(MODEL, f"test_cfg.{place}", value))


@pytest.mark.parametrize(
    ("model", "place", "value", "why"),
    [
        (MODEL, "rcnn.nms.type", "soft_nms", "test_cfg.rcnn.nms.type is 'soft_nms', and ONNX has only the plain one"),
        (MODEL, "rpn.nms.type", "matrix", "test_cfg.rpn.nms.type is 'matrix'"),
        (MODEL, "rcnn.nms.class_agnostic", True, "test_cfg.rcnn.nms.class_agnostic True does not reach the graph"),
        (MODEL, "rcnn.nms.min_score", 0.1, "test_cfg.rcnn.nms.min_score 0.1 does not reach"),
        (MODEL, "rpn.min_bbox_size", 1, "test_cfg.rpn.min_bbox_size 1 does not reach"),
        (MODEL, "rpn.nms_across_levels", True, "test_cfg.rpn.nms_across_levels True does not reach"),
        (MODEL, "rpn.nms_thr", 0.7, "test_cfg.rpn.nms_thr 0.7 does not reach"),
        (MODEL, "rcnn.max_num", 100, "test_cfg.rcnn.max_num 100 does not reach"),
        (DENSE, "nms.type", "soft_nms", "test_cfg.nms.type is 'soft_nms'"),
        (DENSE, "min_bbox_size", 4, "test_cfg.min_bbox_size 4 does not reach"),
        (DENSE, "with_nms", False, "test_cfg.with_nms False does not reach"),
    ],
)  # fmt: skip
def test_keys_that_would_be_lost_are_refused(model: dict[str, Any], place: str, value: Any, why: str) -> None:
    from export.errors import JobError
    from export.settings import check_test_cfg

    with pytest.raises(JobError) as raised:
        check_test_cfg(changed(model, f"test_cfg.{place}", value))

    assert why in str(raised.value)


def test_the_nearest_key_is_named() -> None:
    from export.errors import JobError
    from export.settings import check_test_cfg

    with pytest.raises(JobError) as raised:
        check_test_cfg(changed(MODEL, "test_cfg.rcnn.max_per_image", 100))

    assert raised.value.hint.startswith("did you mean max_per_img? mmdet's export reads score_thr, ")


EXPECTED = {"score_threshold": 0.05, "mask_threshold": 0.5}


@pytest.mark.parametrize(
    ("model", "place", "value", "lines"),
    [
        (MODEL, "rcnn.score_thr", 0.05, []),
        (MODEL, "rcnn.score_thr", 0.3, []),
        (MODEL, "rcnn.score_thr", 0.01,
         ["test_cfg has score_thr 0.01, the specification postprocess.score_threshold 0.05"]),
        (MODEL, "rcnn.mask_thr_binary", 0.4,
         ["test_cfg has mask_thr_binary 0.4, the specification postprocess.mask_threshold 0.5"]),
        (DENSE, "score_thr", 0.01, ["test_cfg has score_thr 0.01, the specification postprocess.score_threshold 0.05"]),
    ],
)  # fmt: skip
def test_thresholds_that_postprocessing_does_not_share(
    model: dict[str, Any], place: str, value: Any, lines: list[str]
) -> None:
    from export.settings import remarks

    assert remarks(changed(model, f"test_cfg.{place}", value), EXPECTED) == lines


def test_an_early_mmdet_is_told_of_proposals_in_its_own_words() -> None:
    from export.settings import check_test_cfg, early_keys

    model = deepcopy(MODEL)

    early_keys(model["test_cfg"])

    assert model["test_cfg"]["rpn"] == {"nms_pre": 1000, "nms_post": 1000, "nms_thr": 0.7, "min_bbox_size": 0}
    check_test_cfg(model, early=True)


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("nms_post", 300, "test_cfg.rpn has both max_per_img and nms_post"),
        ("deploy_nms_pre", 300, "test_cfg.rpn.deploy_nms_pre 300 does not reach the graph"),
        ("nms.type", "soft_nms", "test_cfg.rpn.nms.type is 'soft_nms'"),
    ],
)
def test_what_an_early_mmdet_would_lose_is_refused(key: str, value: Any, why: str) -> None:
    from export.errors import JobError
    from export.settings import check_test_cfg, early_keys

    model = changed(MODEL, f"test_cfg.rpn.{key}", value)

    with pytest.raises(JobError) as raised:
        early_keys(model["test_cfg"])
        check_test_cfg(model, early=True)

    assert why in str(raised.value)
