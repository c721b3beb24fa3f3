"""A model of one's own training: mmdet's configuration in Python, classes and thresholds that nobody else has."""

from __future__ import annotations

from pathlib import Path

import pytest

from convertkit.graph.io import load
from tests.conftest import MASKRCNN, Cli

pytestmark = [pytest.mark.slow, pytest.mark.export]

CONFIG = """
_base_ = '../mask_rcnn/mask_rcnn_r50_fpn_1x_coco.py'
classes = ('cat', 'dog', 'bird')
model = dict(
    backbone=dict(depth=18, init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet18')),
    neck=dict(in_channels=[64, 128, 256, 512]),
    roi_head=dict(bbox_head=dict(num_classes=3), mask_head=dict(num_classes=3)),
    test_cfg=dict(rcnn=dict(score_thr=0.01, max_per_img=20, nms=dict(type='nms')), rpn=dict(nms_pre=200)))
"""
VARIANT = "size: [128, 160]\nconfig: {file: my_config.py}\nclasses: [cat, dog, bird]\n"


def written(config: str = CONFIG, variant: str = VARIANT) -> Path:
    Path("my_config.py").write_text(config)
    Path("mine.yaml").write_text(variant)
    return Path("mine.yaml")


def build(cli: Cli, variant: Path, python: Path, *words: object):
    return cli("build", MASKRCNN, "-V", variant, "-w", "random:0", "--python", python, "-o", "out", *words)


def test_a_configuration_of_ones_own_reaches_the_graph(cli: Cli, export_python: Path) -> None:
    done = build(cli, written(), export_python, "-p", "simplify", "--no-check")

    assert done.code == 0, done.err
    note = "config: test_cfg has score_thr 0.01, the specification postprocess.score_threshold 0.05"
    assert f"note: {note}" in done.err
    outputs = {
        value.name: value.type.tensor_type.shape for value in load(Path("out/model.onnx")).proto.graph.output
    }
    assert [dim.dim_value for dim in outputs["dets"].dim] == [20, 5]
    assert outputs["masks"].dim[1].dim_value == 3


def test_the_number_of_classes_is_that_of_the_list(cli: Cli, export_python: Path) -> None:
    variant = written(
        variant="size: [128, 160]\nconfig: {base: _base_/models/mask_rcnn_r50_fpn.py}\nclasses: [cat, dog]\n"
    )

    done = build(cli, variant, export_python, "-p", "simplify", "--no-check")

    assert done.code == 0, done.err
    (masks,) = [value for value in load(Path("out/model.onnx")).proto.graph.output if value.name == "masks"]
    assert masks.type.tensor_type.shape.dim[1].dim_value == 2


@pytest.mark.parametrize(
    ("config", "variant", "line"),
    [
        (CONFIG.replace("type='nms'", "type='soft_nms'"), VARIANT, "test_cfg.rcnn.nms.type is 'soft_nms'"),
        (
            CONFIG,
            VARIANT.replace(", bird", ""),
            "bbox_head has num_classes 3, the specification lists 2",
        ),
        (
            CONFIG.replace("mask_rcnn_r50_fpn_1x", "my_base"),
            VARIANT,
            "is neither beside it nor among mmdet's configs",
        ),
        (CONFIG.replace("depth=18", "depth=1 / 0"), VARIANT, "ZeroDivisionError: division by zero"),
    ],
)
def test_what_cannot_be_is_one_line(
    cli: Cli, export_python: Path, config: str, variant: str, line: str
) -> None:
    done = build(cli, written(config, variant), export_python)

    assert done.code == 2
    assert line in done.err.splitlines()[-1]
    assert not Path("out").exists()
