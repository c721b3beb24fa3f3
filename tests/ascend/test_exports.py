"""Other exporters' graphs through the passes to what the chip's parser takes, or a refusal that names the node."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from tests.conftest import Cli
from tests.exports import torchvision

pytestmark = pytest.mark.slow

PASSES = (
    "simplify,fold-constants,resolve-if,simplify,absorb-score-filters,cast-int64-to-int32,"
    "fuse-multilevel-roialign{square=true},fuse-multiclass-nms{pad_detections=true},"
    "set-opset-window,cast-fp16-operators,legalize-ascend"
)

LOOPS = {"mask_rcnn": "Loop_1889", "keypoint_rcnn": "Loop_1782"}
"""What pastes masks and reads key points, image by image."""

ENDS = {"mask_rcnn": [12, 1, 8, 8], "keypoint_rcnn": [12, 3, 16, 16]}
"""Masks, and heat maps of key points, of each detection."""


@pytest.mark.parametrize("name", sorted({*torchvision.NAMES} - {*LOOPS}))
def test_a_detector_of_torchvision_becomes_legal(name: str, cli: Cli, tmp_path: Path) -> None:
    made = cli("opt", torchvision.file(name), "-p", PASSES, "-o", tmp_path / "legal.onnx")
    # the vendor's operators get the vendor's domain in the file that a build makes for ATC
    linted = cli("lint", tmp_path / "legal.onnx", "--target", "ascend310p3", "--allow", "domain-private")

    assert (made.code, linted.code) == (0, 0)
    assert "0 errors" in linted.out


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_behind_the_heads_is_named(name: str, cli: Cli, tmp_path: Path) -> None:
    made = cli("opt", torchvision.file(name), "-p", PASSES, "-o", tmp_path / "legal.onnx")

    assert made.code == 4
    assert (
        f"first: {LOOPS[name]}: it holds a subgraph [subgraph] (export without control flow; cut-loops"
        in made.err
    )
    assert not (tmp_path / "legal.onnx").exists()


@pytest.mark.parametrize("name", LOOPS)
def test_the_remedy_for_a_loop_makes_it_legal(name: str, cli: Cli, tmp_path: Path) -> None:
    legal, passes = tmp_path / "legal.onnx", PASSES.replace("set-opset", "cut-loops,set-opset")

    made = cli("opt", torchvision.file(name), "-p", passes, "-o", legal)
    linted = cli("lint", legal, "--target", "ascend310p3", "--allow", "domain-private")

    assert (made.code, linted.code) == (0, 0)
    assert "0 errors" in linted.out
    maps = onnx.load(legal).graph.output[3].type.tensor_type
    assert [dim.dim_value for dim in maps.shape.dim] == ENDS[name]
