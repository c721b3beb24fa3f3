"""Small graphs of exporters, and inputs for them: files, what the export environment gives, forms written by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convertkit.api import graphs
from convertkit.conversion.request import Asked, make_request
from convertkit.graph.light import LightModel
from convertkit.plugins.loading import open_plugins
from tests.detectors.graphs import BOX_DETECTORS, OTHER_DETECTORS, detector_inputs, request_for
from tests.exports import paddle, torchvision
from tests.passes.heads import nms_forms, roi_forms
from tests.passes.heads.nms_forms import Form

REPOSITORY = Path(__file__).parents[1]
FILES = REPOSITORY / "tests" / "exports"
MINI = REPOSITORY / "models" / "maskrcnn" / "mini" / "mini.onnx"

Feeds = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Export:
    """A graph, who wrote it, and inputs for it.

    Attributes:
        shape: of the inputs whose sizes the file leaves open, as ``set-input-shape`` takes it.
        box_range: what a user has to say where nothing in the graph bounds the boxes, ``[LOW,HIGH]``.
    """

    writer: str
    name: str
    load: Callable[[], LightModel]
    inputs: Callable[[LightModel], Sequence[Feeds]]
    shape: str = ""
    box_range: str = ""


def small() -> Iterator[Export]:
    yield Export("mmdet 2.28.2", "mask_rcnn (mini)", partial(graphs.load, MINI), _scenes)
    for name in (*BOX_DETECTORS, *OTHER_DETECTORS):
        inputs = partial(_photos, name)
        yield Export("mmdet 2.28.2", name, partial(_of_mmdet, name), inputs)
    for name in torchvision.NAMES:
        yield Export("torchvision 0.19.1", name, partial(graphs.load, torchvision.file(name)), _pictures)
    for opset in (18, 20):
        file = FILES / "torch-2.13.0" / f"dynamo-{opset}.onnx"
        yield Export(
            f"torch 2.13.0, dynamo, opset {opset}", "one-stage head", partial(graphs.load, file), _noise
        )
    functions = FILES / "torch-2.4.1" / "functions.onnx"
    yield Export("torch 2.4.1, functions", "two blocks", partial(graphs.load, functions), _noise)
    for file in sorted((FILES / "mmdeploy-1.3.1").glob("*.onnx")):
        yield Export("mmdeploy 1.3.1", f"multiclass_nms, {file.stem}", partial(graphs.load, file), _random)
    for file in sorted((FILES / "paddle2onnx-1.3.1").glob("*.onnx")):
        yield Export(
            "paddle2onnx 1.3.1", f"multiclass_nms3, {file.stem}", partial(graphs.load, file), _scattered
        )
    for file in sorted((FILES / "torch-2.4.1-nms").glob("*.onnx")):
        yield Export("by hand, torch 2.4.1", file.stem, partial(graphs.load, file), _random)
    for name, model in _forms():
        yield Export("by hand", name, lambda model=model: model, _random)


def _forms() -> Iterator[tuple[str, LightModel]]:
    yield "yolov7's form", nms_forms.best_class(Form(count=24, limit=12))
    first = Form(count=40, limit=12, total=12, offset=7680.0)
    yield "best boxes first, moved by class", nms_forms.best_first(first, before=30)
    yield "centres and sizes", nms_forms.centred(Form(count=40, total=30, limit=30))
    extraction = roi_forms.Extraction(samples=2, aligned=False, count=16)
    yield "mmdet 2.8's RoI extraction", roi_forms.scatter_nd(extraction)


def _of_mmdet(name: str) -> LightModel:
    from convertkit.conversion.engine import stock_graph

    return stock_graph(request_for(name))


def _photos(name: str, _: LightModel) -> list[Feeds]:
    return [*detector_inputs(name)]


def _scenes(_: LightModel) -> list[Feeds]:
    request = make_request(Asked(REPOSITORY / "models" / "maskrcnn"), open_plugins())
    spec, size = request.package.preprocess_spec(request.variant), request.variant.spec.size
    model = request.package.model
    return [model.preprocess(image, size, spec)[0] for image in model.sample_images()]


def _pictures(model: LightModel) -> list[Feeds]:
    (image,) = model.proto.graph.input
    return [{image.name: picture} for picture in torchvision.pictures()]


def _random(model: LightModel) -> list[Feeds]:
    """Boxes and scores, in one of three cases none above a threshold; noise elsewhere."""
    if not {"boxes", "scores"} <= {value.name for value in model.proto.graph.input}:
        return _noise(model)
    found = [nms_forms.random_inputs(model, seed) for seed in range(3)]
    found[2]["scores"] = found[2]["scores"] * np.float32(0.01)
    return found


def _scattered(_: LightModel) -> list[Feeds]:
    return [paddle.scattered(seed, scale) for seed, scale in enumerate((1, 1, 0.01))]


def _noise(model: LightModel) -> list[Feeds]:
    """Three draws; RoIs are boxes of the first image."""
    found: list[Feeds] = []
    for seed in range(3):
        random, feeds = np.random.default_rng(seed), {}
        for value in model.proto.graph.input:
            shape = [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim]
            feeds[value.name] = random.normal(size=shape).astype(np.float32)
            if value.name == "rois":
                low, side = random.uniform(0, 40, (shape[0], 2)), random.uniform(1, 50, (shape[0], 2))
                feeds[value.name] = np.hstack([np.zeros((shape[0], 1)), low, low + side]).astype(np.float32)
        found.append(feeds)
    return found
