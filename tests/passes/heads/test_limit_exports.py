"""``limit-proposals`` and ``limit-detections`` on what exporters wrote: the heads run on the best proposals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from convertkit_passes.limit_detections import LimitDetections
from convertkit_passes.limit_proposals import LimitProposals
from numpy.typing import NDArray

from convertkit.api import heads
from convertkit.api.graphs import load, open_session
from convertkit.api.passes import LightModel, Pass
from convertkit.conversion.engine import graph_after
from convertkit.conversion.request import Asked, make_request
from convertkit.graph.graph import open_graph
from convertkit.passes.pipeline import Pipeline
from convertkit.plugins.loading import open_plugins
from tests.conftest import MASKRCNN
from tests.exports import torchvision

pytestmark = pytest.mark.slow

FUSED = ("resolve-if", "simplify", "absorb-score-filters", "fuse-multilevel-roialign",
         "fuse-multiclass-nms{pad_detections=true}")  # fmt: skip


def fused(path: Path, *first: str) -> LightModel:
    return Pipeline.parse([*first, *FUSED], open_plugins().passes).run(load(path))[0]


def seen(model: LightModel, inputs: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """What the graph gives; and in front of it the RoIs of the first head, boxes and scores of the second NMS."""
    graph = open_graph(model)
    nodes = list(graph.find(domain=heads.HEADS))
    first = next(node for node in nodes if node.op == "MultilevelRoiAlign")
    last = [node for node in nodes if node.op == "MulticlassNms"][-1]
    for tensor in (last.inputs[1], last.inputs[0], first.inputs[-1]):
        tensor.dtype = np.float32
        graph.outputs.insert(0, tensor)
    return list(open_session(heads.lower(graph.model()), optimize=False).run(inputs).values())


def check(before: LightModel, inputs: dict[str, NDArray[Any]], batch: int, count: int, kept: int) -> None:
    """Holds the graph with fewer rows against the one before; 1e-4 is for products of fewer rows."""
    step: Pass = LimitProposals(count=count)
    fewer = Pipeline((step,)).run(before)[0]
    old, new = seen(before, inputs), seen(fewer, inputs)

    rois, boxes, scores = old[:3]
    first = rois.reshape(batch, -1, 5)[:, :count]
    np.testing.assert_array_equal(new[0].reshape(first.shape), first)
    np.testing.assert_allclose(new[1], boxes[:, :count], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(new[2], scores[:, :count], rtol=1e-4, atol=1e-5)

    less = Pipeline((LimitDetections(count=kept),)).run(fewer)[0]
    for many, few in zip(new[3:], seen(less, inputs)[3:], strict=True):
        rows = many.reshape(batch, -1, *many.shape[1:]) if len(many) != batch else many
        wanted = rows[:, :kept].reshape(few.shape)
        np.testing.assert_allclose(few, wanted, rtol=1e-4, atol=1e-4)


def photo(batch: int) -> dict[str, NDArray[Any]]:
    random = np.random.default_rng(0)
    coarse = random.normal(size=(batch, 3, 20, 20)).astype(np.float32)
    return {"input": np.kron(coarse, np.ones((16, 16), np.float32))}


def test_of_mmdet() -> None:
    before = fused(MASKRCNN / "mini" / "mini.onnx", "simplify", "fold-constants", "cast-int64-to-int32")

    check(before, photo(1), 1, 200, 30)


@pytest.mark.export
def test_of_mmdet_of_four_pictures(export_python: Path) -> None:
    asked = Asked(MASKRCNN, target="ascend310p3", batch=4, python=export_python, check=False)
    request = make_request(asked, open_plugins())
    place = [step.name for step in request.pipeline.steps].index("fuse-multiclass-nms") + 1

    check(graph_after(request, place), photo(4), 4, 200, 30)


def test_of_torchvision() -> None:
    before = fused(torchvision.file("faster_rcnn"), "simplify")
    (name,) = (value.name for value in before.proto.graph.input)

    check(before, {name: torchvision.pictures()[0]}, 1, 10, 5)


def test_where_nothing_stays_open_all_shapes_are_known() -> None:
    before = fused(torchvision.file("mask_rcnn"), "simplify")

    after = Pipeline((LimitProposals(count=10),)).run(before)[0]

    onnx.shape_inference.infer_shapes(after.proto, strict_mode=True)
    assert [node.op_type for node in after.proto.graph.node].count("MulticlassNms") == 2
