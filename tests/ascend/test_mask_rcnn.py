"""Real Mask R-CNN graphs, from the framework's export to vendor operators that the chip takes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import onnx
import pytest
from convertkit_ascend.linter.examination import judge

from bench.mini48 import write_variant
from convertkit.api.graphs import annotate, static_shape
from convertkit.api.passes import Graph
from convertkit.conversion.engine import graph_after
from convertkit.conversion.request import Asked, BuildRequest, make_request
from convertkit.graph.graph import open_graph
from convertkit.graph.light import LightModel
from convertkit.graph.validate import validate
from convertkit.plugins.loading import open_plugins
from tests.conftest import MASKRCNN, Cli
from tests.shared import SHARED, needs_shared

pytestmark = pytest.mark.slow

GONE = {"RoiAlign", "NonMaxSuppression", "NonZero", "ScatterND"}


def request(variant: str, **options) -> BuildRequest:
    return make_request(Asked(MASKRCNN, variant=variant, target="ascend310p3", **options), open_plugins())


def target_graph(asked: BuildRequest) -> LightModel:
    return graph_after(asked, len(asked.pipeline.steps))


def assert_ready_for_the_chip(model: LightModel) -> None:
    counts = Counter(node.op_type for node in model.proto.graph.node)
    assert (counts["RoiExtractor"], counts["BatchMultiClassNMS"]) == (2, 2)
    assert not GONE & set(counts)
    validate(model)
    graph = open_graph(model)
    annotate(graph)
    tensors = [*graph.inputs, *(tensor for node in graph.nodes for tensor in node.outputs if tensor.name)]
    assert [tensor.name for tensor in tensors if static_shape(tensor) is None] == []
    assert [item for item in judge(model, "ascend310p3") if item.severity == "error"] == []
    assert int64_without_leave(graph) == []


def int64_without_leave(graph: Graph) -> list[str]:
    """int64 may only be what TopK has to return, and goes into the Cast behind it."""
    wide = [tensor for node in graph.nodes for tensor in node.outputs if tensor.dtype == "int64"]
    behind = {tensor.name: {consumer.op for consumer in tensor.outputs} for tensor in wide}
    return [tensor.name for tensor in wide if tensor.inputs[0].op != "TopK" or behind[tensor.name] - {"Cast"}]


def test_mini_becomes_a_graph_the_chip_takes() -> None:
    assert_ready_for_the_chip(target_graph(request("mini")))


@pytest.mark.export
def test_r50_at_1216_becomes_a_graph_the_chip_takes(export_python: Path) -> None:
    asked = request("r50-fpn-1x", weights="random:0", python=export_python)

    assert_ready_for_the_chip(target_graph(asked))


@pytest.fixture
def mini48(tmp_path: Path) -> Path:
    return write_variant(tmp_path, SHARED / "data")


@pytest.mark.export
@needs_shared
def test_mini48_becomes_a_graph_the_chip_takes(mini48: Path, export_python: Path) -> None:
    assert_ready_for_the_chip(target_graph(request(str(mini48), python=export_python)))


@pytest.mark.export
@needs_shared
def test_the_ladder_of_mini48(cli: Cli, mini48: Path, export_python: Path) -> None:
    rungs = ["framework", "stock", "after:fuse-multiclass-nms", "twin:framework", "twin", "device-numerics"]
    words = [
        str(MASKRCNN),
        "--variant",
        str(mini48),
        "--target",
        "ascend310p3",
        "--python",
        str(export_python),
    ]

    done = cli("verify", *words, *(word for rung in rungs for word in ("--runtime", rung)), "--json")

    assert done.code == 0, done.err
    ap = {
        rung["name"]: {task: rung["scores"][task]["AP"] for task in ("bbox", "segm")}
        for rung in done.json["rungs"]
    }
    assert ap["framework"] == pytest.approx({"bbox": 0.7144, "segm": 0.6148}, abs=0.0005)
    assert ap["after:fuse-multiclass-nms"] == pytest.approx(ap["stock"], abs=0.001)
    assert ap["twin:framework"] == pytest.approx(ap["framework"], abs=0.002)
    assert ap["twin"] == pytest.approx(ap["framework"], abs=0.002)
    assert ap["device-numerics"] == pytest.approx(ap["framework"], abs=0.01)


def test_the_twin_is_one_file_for_bare_onnxruntime(cli: Cli, tmp_path: Path) -> None:
    done = cli("build", MASKRCNN, "--target", "ascend310p3", "--output", tmp_path / "artifact")

    assert done.code == 0, done.err
    twin = onnx.load(tmp_path / "artifact" / "twin.onnx")
    assert [entry.domain for entry in twin.opset_import] == [""]
    assert {value.name for value in twin.graph.input} == {"input", "picture"}
    onnx.checker.check_model(twin, full_check=True)
