"""The export worker in its own environment, asked through the command line: real torch, mmcv-full and mmdet."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

from convertkit.errors import ConvertkitError
from convertkit.exporting.worker import run_worker
from tests.conftest import MASKRCNN, Cli

pytestmark = [pytest.mark.slow, pytest.mark.export]


@pytest.fixture
def words(tmp_path: Path, export_python: Path) -> list[str]:
    """A variant of mini's architecture at a small size, without a stock graph of its own."""
    variant = tmp_path / "small.yaml"
    variant.write_text(f"size: [96, 128]\nconfig: {{file: {MASKRCNN}/mini/config.json}}\n")
    return [str(MASKRCNN), "--variant", str(variant), "--python", str(export_python)]


def structure(path: str) -> Counter[str]:
    """Operators without Identity: the exporter lets equal weights share one initializer through them."""
    return Counter(node.op_type for node in onnx.load(path).graph.node if node.op_type != "Identity")


def test_the_stock_graph_is_the_frameworks_own_and_always_the_same_bytes(
    cli: Cli, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = cli("export", *words, "--weights", "random:0", "-o", "first.onnx")
    monkeypatch.setenv("CONVERTKIT_HOME", str(tmp_path / "another home"))
    second = cli("export", *words, "--weights", "random:0", "-o", "second.onnx")

    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert Path("first.onnx").read_bytes() == Path("second.onnx").read_bytes()
    operators = structure("first.onnx")
    assert (operators["RoiAlign"], operators["NonMaxSuppression"]) == (8, 2)
    assert operators.total() > 2000
    assert structure(str(MASKRCNN / "mini" / "mini.onnx")) == operators  # the same at another size


def test_another_seed_gives_other_weights(cli: Cli, words: list[str]) -> None:
    digests = {
        cli("export", *words, "--weights", f"random:{seed}", "-o", f"{seed}.onnx", "--json").json["digest"]
        for seed in (0, 1)
    }

    assert len(digests) == 2


class Payload:
    """Unpickling it writes a file."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return (open, (str(self.victim), "w"))


def test_a_checkpoint_that_wants_to_run_code_is_refused(cli: Cli, words: list[str], tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    (tmp_path / "evil.pth").write_bytes(pickle.dumps({"state_dict": Payload(victim)}, protocol=2))

    done = cli("export", *words, "--weights", "evil.pth", "-o", "out.onnx")

    assert done.code == 2
    line = done.err.splitlines()[-1]
    assert "evil.pth" in line
    assert "Traceback" not in done.err
    assert not victim.exists()
    assert not Path("out.onnx").exists()


def test_a_checkpoint_of_another_model_names_what_differs(cli: Cli, words: list[str], tmp_path: Path) -> None:
    wider = tmp_path / "small.yaml"
    wider.write_text(
        "size: [96, 128]\nconfig: {base: _base_/models/mask_rcnn_r50_fpn.py,"
        " overrides: {model: {backbone: {init_cfg: null}}}}\n"
    )

    done = cli("export", *words, "--weights", MASKRCNN / "mini" / "mini.pth", "-o", "out.onnx")

    assert done.code == 2
    assert "shapes differ" in done.err.splitlines()[-1]


def test_a_config_outside_the_framework_is_refused(cli: Cli, words: list[str], tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text("size: [96, 128]\nconfig: {base: ../../evil.py}\n")

    done = cli("export", *words, "--weights", "random:0", "-o", "out.onnx")

    assert done.code == 2
    assert "evil.py" in done.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("base", "culprit"),
    [
        ("solo/solo_r50_fpn_1x_coco.py", "mmdet's SOLO brings none"),
        # Inherits an export that would decode its boxes as RetinaNet's.
        ("gfl/gfl_r50_fpn_1x_coco.py", "mmdet's GFLHead detects with its own _get_bboxes_single"),
        ("ms_rcnn/ms_rcnn_r50_caffe_fpn_1x_coco.py", "mmdet's MaskScoringRoIHead detects with its own"),
        ("fast_rcnn/fast_rcnn_r50_fpn_1x_coco.py", "it takes its proposals as an input"),
    ],
)
def test_a_detector_without_an_export_of_its_own_is_refused(
    cli: Cli, words: list[str], tmp_path: Path, base: str, culprit: str
) -> None:
    (tmp_path / "small.yaml").write_text(f"size: [96, 128]\nconfig: {{base: {base}}}\n")

    done = cli("export", *words, "--weights", "random:0", "-o", "out.onnx")

    assert done.code == 2
    assert done.err.splitlines()[-1].startswith(f"error: config '{base}' has no ONNX export: {culprit}")
    assert not Path("out.onnx").exists()


def test_operators_that_onnx_does_not_have_are_named(cli: Cli, words: list[str], tmp_path: Path) -> None:
    base = "dcn/faster_rcnn_r50_fpn_dconv_c3-c5_1x_coco.py"
    (tmp_path / "small.yaml").write_text(f"size: [96, 128]\nconfig: {{base: {base}}}\n")

    done = cli("export", *words, "--weights", "random:0", "-o", "out.onnx")

    assert done.code == 2
    assert f"config '{base}' needs operators that ONNX does not have: mmcv." in done.err.splitlines()[-1]


def test_a_photo_that_mmdet_makes_too_large_is_named(export_python: Path, tmp_path: Path) -> None:
    portrait = tmp_path / "portrait.png"
    cv2.imwrite(str(portrait), np.zeros((60, 40, 3), np.uint8))
    job = {
        "task": "predict",
        "config": json.loads((MASKRCNN / "mini" / "config.json").read_text()),
        "weights": {"random": 0},
        "size": [96, 128],
        "pipeline": {"mean": [0, 0, 0], "std": [1, 1, 1], "to_rgb": True},
        "images": [{"id": 1, "path": str(portrait)}],
    }

    with pytest.raises(ConvertkitError, match=r"portrait.png becomes 128 x 85 pixels, more than .* 96 x 128"):
        run_worker(export_python, MASKRCNN / "export" / "worker.py", job, workdir=tmp_path / "job")
