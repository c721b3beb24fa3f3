"""A model that mmdet 3.3.0 has trained and saved, through the default environment, which has mmdet 2.28.2.

``tests/exporters/of_mmdet3.py`` says how the files came about, and what stands in for mmcv's operators there.
"""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copy
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from convertkit.conversion.events import silent
from convertkit.conversion.framework import run_job
from convertkit.conversion.request import Asked, BuildRequest, make_request
from convertkit.plugins.loading import open_plugins
from tests.conftest import MASKRCNN, Cli
from tests.models.maskrcnn.checkpoints import read

FILES = Path(__file__).parents[2] / "exports" / "mmdet-3.3.0"
CLASSES = ("Signal (lit)", "Obst", "toy-kite")
PIXELS = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "to_rgb": True}
VARIANT = f"""\
size: [128, 128]
config: {{file: work.py}}
weights: {{path: {FILES}/epoch_1.pth}}
classes: checkpoint
"""


@pytest.fixture
def variant(tmp_path: Path) -> Path:
    copy(FILES / "config.txt", tmp_path / "work.py")
    path = tmp_path / "mine.yaml"
    path.write_text(VARIANT)
    return path


def request(variant: Path, python: Path | None = None) -> BuildRequest:
    return make_request(Asked(MASKRCNN, variant=str(variant), python=python), open_plugins())


@pytest.mark.usefixtures("reader")
def test_the_checkpoint_says_what_mmdet_3_says() -> None:
    found = read(FILES / "epoch_1.pth").report

    assert found["framework"].startswith("mmengine 0.10.7")
    assert tuple(found["classes"]) == CLASSES
    assert {key: found[key] for key in PIXELS} == PIXELS
    assert "mmengine.logging.history_buffer.HistoryBuffer" in found["skipped"]


def test_classes_are_those_of_its_dataset(variant: Path) -> None:
    assert request(variant).package.spec.classes == CLASSES


@pytest.mark.parametrize(
    ("own", "line"),
    [
        (
            "mean: [103.53, 116.28, 123.675]",
            "trained with mean [123.675, 116.28, 103.53], the specification has [103.53,",
        ),
        ("std: [1, 1, 1]", "trained with std [58.395, 57.12, 57.375], the specification has [1"),
        ("to_rgb: false", "trained with to_rgb True, the specification has False"),
    ],
)
def test_other_pixels_are_refused_by_name(cli: Cli, variant: Path, own: str, line: str) -> None:
    key = own.partition(":")[0]
    pixels = {**PIXELS, "to_rgb": "true"} | {key: own.partition(": ")[2]}
    said = ", ".join(f"{name}: {value}" for name, value in pixels.items())
    variant.write_text(f"{VARIANT}preprocess: {{{said}}}\n")

    done = cli("export", MASKRCNN, "-V", variant, "-o", "stock.onnx")

    assert done.code == 2
    assert line in done.err.splitlines()[-1]
    assert (
        "preprocess: {mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375], to_rgb: true}"
        in done.err
    )


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize(
    ("found", "line"),
    [
        ({}, "data_preprocessor has mean [0.0, 0.0, 0.0], the specification preprocess.mean [123.675"),
        (
            {**PIXELS, "bgr_to_rgb": False},
            "data_preprocessor has to_rgb False, the specification preprocess.to_rgb True",
        ),
        ({**PIXELS, "bgr_to_rgb": True, "std": [1, 1, 1]}, "data_preprocessor has std [1, 1, 1], the"),
        ({**PIXELS, "bgr_to_rgb": True, "mean": [123.675, 116.28, 103.532]}, "data_preprocessor has mean"),
        ({**PIXELS, "bgr_to_rgb": True, "mean": [123.675, 116.28, 103.5305]}, ""),
        ({**PIXELS, "bgr_to_rgb": True}, ""),
    ],
)
def test_a_preprocessor_of_a_configuration_is_that_of_the_specification(
    found: dict[str, Any], line: str
) -> None:
    from export.errors import JobError
    from export.settings import take_preprocessor

    model = {"type": "MaskRCNN", "data_preprocessor": found}

    if line:
        with pytest.raises(JobError) as caught:
            take_preprocessor(model, PIXELS)
        assert line in str(caught.value)
    else:
        take_preprocessor(model, PIXELS)
        assert model == {"type": "MaskRCNN"}


@pytest.mark.slow
@pytest.mark.export
def test_mmdet_2_detects_what_mmdet_3_detects(variant: Path, export_python: Path, tmp_path: Path) -> None:
    expected = json.loads((FILES / "detections.json").read_text())
    cells = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "photo.png"), cells.repeat(16, 0).repeat(16, 1))
    asked = request(variant, export_python)
    pipeline = msgspec.structs.asdict(asked.package.preprocess_spec(asked.variant))
    job = {
        "task": "predict",
        "pipeline": pipeline,
        "images": [{"id": 0, "path": str(tmp_path / "photo.png")}],
    }
    results: list[dict[str, Any]] = []

    run_job(asked, job, silent, on_result=results.append)

    (found,) = results
    assert found["labels"] == expected["labels"]
    np.testing.assert_allclose(found["scores"], expected["scores"], atol=1e-5)
    np.testing.assert_allclose(found["boxes"], expected["boxes"], atol=1e-3)
    areas = [int(coco_mask.area(mask)) for mask in found["masks"]]
    np.testing.assert_allclose(areas, expected["areas"], atol=1)


@pytest.mark.slow
@pytest.mark.export
def test_its_graph_gets_the_vendors_operators(cli: Cli, variant: Path, export_python: Path) -> None:
    asked = ["-V", variant, "--target", "ascend310p3", "--python", export_python, "-o", "out", "--json"]

    done = cli("build", MASKRCNN, *asked)

    assert done.code == 0, done.err
    said = {record["text"].partition("{")[0]: record for record in done.json["passes"]}
    assert said["fuse-multilevel-roialign"]["nodes_after"] < said["fuse-multilevel-roialign"]["nodes_before"]
    assert all(record["check"]["structure"] for record in done.json["passes"])


@pytest.mark.slow
@pytest.mark.export
def test_a_configuration_of_its_newer_form_says_what_to_give(
    cli: Cli, variant: Path, export_python: Path
) -> None:
    Path("lazy.py").write_text(
        "from mmengine.config import read_base\nwith read_base():\n    from .x import *\n"
    )
    variant.write_text(VARIANT.replace("work.py", str(Path("lazy.py").resolve())))

    done = cli("export", MASKRCNN, "-V", variant, "-o", "stock.onnx", "--python", export_python)

    assert done.code == 2
    assert "lazy.py imports its bases (read_base), as mmdet 3 may" in done.err.splitlines()[-1]
