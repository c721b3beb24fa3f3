"""Small detectors as stock graphs, exported by the real worker in the real export environment, once.

The export goes through the product's own store in pytest's cache directory, so a second session makes none; a
changed worker, configuration or environment makes new ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from convertkit.conversion.engine import stock_graph
from convertkit.conversion.events import silent
from convertkit.conversion.framework import run_job
from convertkit.conversion.request import Asked, BuildRequest, make_request
from convertkit.graph.io import save
from convertkit.plugins.loading import open_plugins
from tests.conftest import MASKRCNN

ROOM = Path(__file__).parent
BOX_DETECTORS = ("faster_rcnn", "cascade_rcnn", "retinanet", "fcos")
"""The variants of the package beside this file; none of them has masks."""

OTHER_DETECTORS = (
    "atss", "autoassign", "detr", "double_head", "dyhead", "dynamic_rcnn", "free_anchor", "fsaf", "libra_rcnn",
    "pafpn", "pisa", "ssdlite", "vfnet", "yolof", "yolov3",
)  # fmt: skip
"""More variants of that package, for the table of ``bench.exports``."""

DETECTORS = (*BOX_DETECTORS, "cascade_mask_rcnn")
"""Everything ``detector_graph`` knows."""

WEIGHTS = "random:0"

Arrays = dict[str, NDArray[Any]]


@pytest.fixture(scope="session")
def detector_graph(
    export_python: Path, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """``detector_graph("faster_rcnn")``: the path of its stock graph, which nobody may change."""
    store = pytestconfig.cache.mkdir("detectors") if pytestconfig.cache else tmp_path_factory.mktemp("store")
    graphs = tmp_path_factory.mktemp("graphs")

    def graph(name: str) -> Path:
        path = graphs / f"{name}.onnx"
        if not path.exists():
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("CONVERTKIT_HOME", str(store))
                save(stock_graph(request_for(name, export_python)), path)
        return path

    return graph


def request_for(name: str, python: Path | None = None) -> BuildRequest:
    """The request to build a small detector with random weights."""
    if name in (*BOX_DETECTORS, *OTHER_DETECTORS):
        return make_request(
            Asked(ROOM / "package", variant=name, weights=WEIGHTS, python=python), open_plugins()
        )
    variant = str(ROOM / f"{name}.yaml")
    request = make_request(Asked(MASKRCNN, variant=variant, weights=WEIGHTS, python=python), open_plugins())
    spec = request.package.spec
    few = msgspec.structs.replace(spec, classes=spec.classes[:8])  # as many as this network has
    return replace(request, package=replace(request.package, spec=few))


def detector_photos() -> list[NDArray[np.uint8]]:
    """Two photos ``(192, 256, 3) uint8, BGR``: as large as the network input, so that nothing resizes them."""
    return list(request_for(BOX_DETECTORS[0]).package.model.sample_images())


def detector_inputs(name: str) -> list[Arrays]:
    """The photos as the detector's input: ``{"input": (1, 3, 192, 256) float32}``."""
    request = request_for(name)
    spec, size = request.package.preprocess_spec(request.variant), request.variant.spec.size
    inputs = [request.package.model.preprocess(photo, size, spec)[0] for photo in detector_photos()]
    return [{"input": tensors["input"]} for tensors in inputs]


def framework_answers(name: str, python: Path, directory: Path) -> list[dict[str, Any]]:
    """What mmdet itself detects in the photos, which are written into ``directory``, as the worker reports it:
    ``boxes`` in pixels of the photo, ``scores``, ``labels`` and ``masks``, best score first.
    """
    request = request_for(name, python)
    images = []
    for index, photo in enumerate(detector_photos()):
        path = directory / f"{index}.png"
        cv2.imwrite(str(path), photo)
        images.append({"id": index, "path": str(path)})
    pipeline = msgspec.structs.asdict(request.package.preprocess_spec(request.variant))
    results: list[dict[str, Any]] = []
    run_job(
        request, {"task": "predict", "pipeline": pipeline, "images": images}, silent, on_result=results.append
    )
    return results
