"""The Ascend passes, unchanged, on the exports of other detectors of mmdet 2.28.2, and on graphs nearly like them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from convertkit_ascend.linter.examination import judge

from convertkit.api.graphs import load
from convertkit.api.passes import Graph
from convertkit.graph.graph import open_graph
from convertkit.graph.light import LightModel
from convertkit.passes.check import Checker
from convertkit.passes.pipeline import Pipeline
from convertkit.passes.roles import detection_roles
from convertkit.plugins.loading import open_plugins
from tests.detectors.graphs import detector_inputs

pytestmark = [pytest.mark.slow, pytest.mark.export]

COMMON = ("simplify", "fold-constants", "cast-int64-to-int32", "set-opset-window")
ASCEND = (
    "fuse-multilevel-roialign",
    "fuse-multiclass-nms",
    "drop-offset-rounding",
    "restore-rpn-levels",
    "clip-to-picture",
    "center-nms-boxes",
    "legalize-ascend",
)
GONE = {"RoiAlign", "NonMaxSuppression", "NonZero", "ScatterND"}

Graphs = Callable[[str], Path]
Edit = Callable[[Graph], object]


def run(passes: Sequence[str], model: LightModel, checker: Checker | None = None) -> LightModel:
    return Pipeline.parse(passes, open_plugins().passes).run(model, checker=checker)[0]


def count(model: LightModel, *ops: str) -> tuple[int, ...]:
    counts = Counter(node.op_type for node in model.proto.graph.node)
    return tuple(counts[op] for op in ops)


@pytest.mark.parametrize(
    ("name", "extractors", "suppressions"),
    [
        ("faster_rcnn", 1, 2),
        ("cascade_rcnn", 3, 2),
        ("retinanet", 0, 1),
        ("fcos", 0, 1),
        ("cascade_mask_rcnn", 4, 2),
        ("atss", 0, 1),
        ("yolov3", 0, 1),
        ("yolof", 0, 1),
        ("dynamic_rcnn", 1, 2),
    ],
)
def test_every_detector_becomes_a_graph_of_vendor_operators(
    detector_graph: Graphs, name: str, extractors: int, suppressions: int
) -> None:
    stock = load(detector_graph(name))
    checker = Checker(detector_inputs(name), detection_roles(stock))

    result = run([*COMMON, *ASCEND], stock, checker)

    assert count(result, "RoiExtractor", "BatchMultiClassNMS") == (extractors, suppressions)
    assert not GONE & {node.op_type for node in result.proto.graph.node}
    assert [item for item in judge(result, "ascend310p3") if item.severity == "error"] == []


def test_rois_that_are_enlarged_behind_the_choice_of_level_are_not_the_operators(
    detector_graph: Graphs,
) -> None:
    """Double-Head R-CNN pools once more, from RoIs 1.3 times as large, on the levels of those that are not."""
    model = run(COMMON, load(detector_graph("double_head")))
    (step,) = Pipeline.parse(["fuse-multilevel-roialign"], open_plugins().passes).steps

    (refused,) = (item for item in step.explain(open_graph(model)) if item.status == "refused")
    after = run(["fuse-multilevel-roialign"], model)

    assert "RoIs differ from the operator's" in refused.why
    assert count(after, "RoiAlign") == (4,)


def pool_the_largest(graph: Graph) -> None:
    next(graph.find("RoiAlign")).attrs["mode"] = "max"


def shrink_one_level(graph: Graph) -> None:
    node = next(graph.find("RoiAlign"))
    node.attrs["spatial_scale"] = node.attrs["spatial_scale"] * 1.25


def suppress_by_other_scores(graph: Graph) -> None:
    """The best of each class is looked for by 1 - score; reported are the scores as they were."""
    for node in graph.find("NonMaxSuppression"):
        scores = node.inputs[1]
        one = graph.constant(np.ones(1, np.float32))
        node.inputs[1] = graph.add("Sub", [one, scores], dtype=np.float32, shape=scores.shape)


def choose_the_worst(graph: Graph) -> None:
    """Of what the suppression has kept."""
    kept = next(node for node in graph.find("TopK") if after_nms(node))
    kept.attrs["largest"] = 0


def after_nms(node: object) -> bool:
    waiting, seen = [node], set()
    while waiting:
        item = waiting.pop()
        if item.op == "NonMaxSuppression":
            return True
        before = [producer for tensor in item.inputs for producer in tensor.inputs]
        waiting += [producer for producer in before if id(producer) not in seen]
        seen |= {id(producer) for producer in before}
    return False


@pytest.mark.parametrize(
    ("name", "edit", "step", "op"),
    [
        ("faster_rcnn", pool_the_largest, "fuse-multilevel-roialign", "RoiAlign"),
        ("cascade_rcnn", shrink_one_level, "fuse-multilevel-roialign", "RoiAlign"),
        ("retinanet", suppress_by_other_scores, "fuse-multiclass-nms", "NonMaxSuppression"),
        ("fcos", choose_the_worst, "fuse-multiclass-nms", "NonMaxSuppression"),
    ],
)
def test_a_graph_that_only_looks_alike_is_refused_with_a_reason(
    detector_graph: Graphs, name: str, edit: Edit, step: str, op: str
) -> None:
    model = run(COMMON, load(detector_graph(name)))
    graph = open_graph(model)
    edit(graph)
    graph.tidy()
    nearly = graph.model()
    (rewrite,) = Pipeline.parse([step], open_plugins().passes).steps

    findings = rewrite.explain(open_graph(nearly))
    after = run([step], nearly)

    assert any(item.status == "refused" and item.why for item in findings)
    before, left = count(model, op)[0], count(after, op)[0]
    assert left > count(run([step], model), op)[0]  # the graph as it was would have lost them
    assert left <= before
