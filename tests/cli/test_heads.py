"""Heads on the command line: found without a target, run and checked on every one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from convertkit_cpu.target import CpuTarget
from convertkit_passes.fuse_multiclass_nms import FuseMulticlassNms

from convertkit.api.graphs import open_session, save
from tests.conftest import Cli
from tests.graphtext import apply
from tests.passes.heads import nms_forms


@pytest.mark.slow
def test_a_head_is_found_and_checked_without_a_target(cli: Cli, tmp_path: Path) -> None:
    save(nms_forms.mmdet(nms_forms.Form()), tmp_path / "head.onnx")

    done = cli("opt", "head.onnx", "-p", "simplify,fuse-multiclass-nms", "-o", "fused.onnx", "--json")

    assert done.code == 0, done.err
    record = done.json["passes"][-1]
    assert (record["changed"], record["missed"]) == (True, "")
    assert record["check"]["samples"] > 0
    assert record["check"]["unchecked"] == ""
    nodes = {(node.op_type, node.domain) for node in onnx.load("fused.onnx").graph.node}
    assert ("MulticlassNms", "convertkit.heads") in nodes
    assert "NonMaxSuppression" not in {op for op, _ in nodes}


@pytest.mark.slow
def test_what_was_found_goes_on_in_the_next_command(cli: Cli, tmp_path: Path) -> None:
    save(nms_forms.mmdet(nms_forms.Form()), tmp_path / "head.onnx")
    cli("opt", "head.onnx", "-p", "simplify,fuse-multiclass-nms", "-o", "fused.onnx")

    for words in (
        ("opt", "fused.onnx", "-p", "fold-constants,cast-int64-to-int32", "-o", "next.onnx"),
        ("estimate", "fused.onnx", "-t", "ascend310p3"),
        ("opt", "fused.onnx", "-p", "drop-offset-rounding", "--done", "fuse-multiclass-nms"),
    ):
        done = cli(*words)
        assert done.code == 0, done.err
        assert "has no costs" not in done.out + done.err


def test_the_target_of_this_machine_runs_heads(tmp_path: Path) -> None:
    stock = nms_forms.mmdet(nms_forms.Form())
    save(apply(FuseMulticlassNms(), stock), tmp_path / "model.onnx")
    inputs = nms_forms.random_inputs(stock, 0)

    found = CpuTarget("cpu").open(tmp_path).run(inputs)

    wanted = open_session(stock).run(inputs)
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, atol=1e-4)
