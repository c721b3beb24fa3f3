"""Exports at their real size: the environment and the files are made once, in a directory that the user names."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from bench.exported import REPOSITORY, Export, Feeds
from convertkit.api import graphs
from convertkit.conversion.engine import stock_graph
from convertkit.conversion.request import Asked, make_request
from convertkit.graph.light import LightModel
from convertkit.plugins.loading import open_plugins

SCRIPT = REPOSITORY / "tests" / "exporters" / "of_torchvision_full.py"
REQUIREMENTS = ("torch==2.4.1", "torchvision==0.19.1", "onnx<1.17", "numpy<2.3")
"""5 GB once installed: PyPI has torch for Linux with CUDA only."""

NAMES = (
    "fasterrcnn_resnet50_fpn", "retinanet_resnet50_fpn", "fcos_resnet50_fpn", "ssd300_vgg16",
    "ssdlite320_mobilenet_v3_large", "maskrcnn_resnet50_fpn",
)  # fmt: skip
BRIGHTNESS = (1.0, 0.2, 0.0)


def exports(directory: Path) -> Iterator[Export]:
    """torchvision's detectors, then mmdet's r50 by the export environment of ``make env``."""
    directory = directory.absolute()
    python = _environment(directory)
    files = directory / "torchvision"
    for name in NAMES:
        file = files / f"{name}.onnx"
        if not file.exists():
            done = {**os.environ, "OMP_NUM_THREADS": "1"}
            subprocess.run([python, SCRIPT, files, name], check=True, env=done)
        yield Export("torchvision 0.19.1", name, partial(graphs.load, file), _pictures)
    yield Export("mmdet 2.28.2", "mask_rcnn_r50_fpn_1x, 1216 x 1216", _r50, _pictures)


def _environment(directory: Path) -> Path:
    """The interpreter of an environment that has the exporter; what is there is not made again."""
    python, ready = directory / "env" / "bin" / "python", directory / "env" / ".ready"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", directory / "env"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *REQUIREMENTS], check=True)
        ready.touch()
    return python


def _r50() -> LightModel:
    asked = Asked(REPOSITORY / "models" / "maskrcnn", variant="r50-fpn-1x", weights="random:0")
    return stock_graph(make_request(asked, open_plugins()))


def _pictures(model: LightModel) -> Sequence[Feeds]:
    """Noise of several brightness in the only input that is no weight."""
    weights = {tensor.name for tensor in model.proto.graph.initializer}
    (image,) = (value for value in model.proto.graph.input if value.name not in weights)
    shape = [dim.dim_value for dim in image.type.tensor_type.shape.dim]
    noise = np.random.default_rng(0).random(shape, np.float32)
    return [{image.name: noise * np.float32(by)} for by in BRIGHTNESS]
