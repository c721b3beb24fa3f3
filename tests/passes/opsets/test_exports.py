"""Detectors as exporters write them: the dynamo exporter (torch 2.13.0, onnxscript 0.7.2) at opset 18 and 20 down,
torchvision 0.19.1 at opset 11 up.

The files are made by ``tests/exporters/``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from convertkit.graph.io import load
from tests.conftest import Cli
from tests.passes.opsets.test_convert_opset import assert_same

HERE = Path(__file__).parents[2] / "exports"
FILES = {18: HERE / "torch-2.13.0" / "dynamo-18.onnx", 20: HERE / "torch-2.13.0" / "dynamo-20.onnx"}


@pytest.mark.parametrize("opset", FILES)
@pytest.mark.parametrize("to", [11, 13, 16, 22])
def test_the_exporters_own_detector_computes_the_same(opset: int, to: int) -> None:
    model = load(FILES[opset])
    exporter = {item.key: item.value for item in model.proto.metadata_props}["exporter"]

    assert exporter == "torch.onnx.export(dynamo=True), torch 2.13.0+cpu, onnxscript 0.7.2"
    assert_same(model, to, absolute=2e-5)


def test_what_the_exporter_writes_is_refused_with_the_remedy(cli: Cli) -> None:
    refused = cli("lint", FILES[20], "--target", "ascend310p3")

    assert refused.code == 1
    assert "opset 20 is outside 11 to 18 [opset-window] (convert-opset{to=18} in front of" in refused.err


@pytest.mark.slow
@pytest.mark.parametrize("opset", FILES)
def test_the_remedy_leads_to_a_legal_graph(cli: Cli, opset: int) -> None:
    passes = "convert-opset{to=16},simplify,fold-constants,cast-int64-to-int32,set-opset-window"

    done = cli("opt", FILES[opset], "-p", passes, "-o", "legal.onnx")
    legal = cli("lint", "legal.onnx", "--target", "ascend310p3")

    assert done.code == 0, done.err
    assert "legal.onnx for ascend310p3: 0 errors, 0 warnings" in legal.out


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fcos", "mask_rcnn"])
def test_torchvisions_detectors_go_up_with_the_bodies_of_if(cli: Cli, name: str) -> None:
    graph = HERE / "torchvision-0.19.1" / f"{name}.onnx"

    done = cli("opt", graph, "-p", "convert-opset{to=16}", "-o", "up.onnx")

    assert done.code == 0, done.err
    assert "rounding: bit for bit equal" in done.err
