"""Inputs that have a default: a caller may override them, so no pass may treat the default as a constant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from convertkit.graph.light import detach
from convertkit.passes.check import Checker
from convertkit.passes.pipeline import run_step
from convertkit.passes.state import GraphState
from tests.conftest import Cli

X = np.ones((1, 4), np.float32)


def model(*, ir: int = 8, kind: int = TensorProto.FLOAT, size: int = 1) -> onnx.ModelProto:
    """``y = x > 2 * threshold``, threshold being 0.5 unless a caller says otherwise; large when ``size`` is."""
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("Mul", ["threshold", "two"], ["twice"], "double"),
        helper.make_node("ReduceMax", ["twice"], ["most"], "most", keepdims=1),
        helper.make_node("Greater", ["x", "most"], ["above"], "compare"),
        helper.make_node("Cast", ["above"], ["y"], "cast", to=TensorProto.FLOAT),
    ]
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    initializers = [
        numpy_helper.from_array(np.full(size, 1, dtype), "threshold"),
        numpy_helper.from_array(np.array([2], dtype), "two"),
    ]
    listed = [value("threshold", kind, [size]), *([value("two", kind, [1])] if ir < 4 else [])]
    inputs = [value("x", kind, [1, 4]), *listed]
    graph = helper.make_graph(nodes, "g", inputs, [value("y", TensorProto.FLOAT, [1, 4])], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=ir)


def overridden(path: Path, value: float, *, kind: Any = np.float32, size: int = 1) -> list[Any]:
    session = onnxruntime.InferenceSession(path)
    feeds = {"x": X.astype(kind), "threshold": np.full(size, value, kind)}
    return session.run(None, feeds)[0].tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("size", [1, 600])
@pytest.mark.parametrize(
    "passes",
    ["fold-constants", "simplify", "simplify,fold-constants,cast-int64-to-int32", "legalize-ascend",
     "rename-io{names={y: z}}"],
)  # fmt: skip
def test_a_default_stays_one_through_every_pass(cli: Cli, tmp_path: Path, passes: str, size: int) -> None:
    onnx.save(model(size=size), tmp_path / "default.onnx")

    outcome = cli("opt", "default.onnx", "-p", passes, "-o", "out.onnx")

    assert outcome.code == 0, outcome.err
    for name in ("default.onnx", "out.onnx"):
        assert overridden(tmp_path / name, 0.1, size=size) == [[1.0] * 4]
        assert overridden(tmp_path / name, 0.6, size=size) == [[0.0] * 4]


def test_what_stays_for_it_is_said_with_the_way_out(cli: Cli, tmp_path: Path) -> None:
    onnx.save(model(), tmp_path / "default.onnx")

    kept = cli("opt", "default.onnx", "-p", "fold-constants", "-o", "out.onnx")
    frozen = cli("opt", "default.onnx", "-p", "freeze-defaults,fold-constants", "-o", "frozen.onnx")

    assert "1 input with a default ('threshold' first) may be overridden and stay" in kept.err
    assert "freeze-defaults" in kept.err
    assert frozen.code == 0
    graph = onnx.load(tmp_path / "frozen.onnx").graph
    assert [value.name for value in graph.input] == ["x"]
    assert [node.op_type for node in graph.node] == ["Greater", "Cast"]


def test_below_ir_version_4_every_initializer_is_an_input_and_constant(cli: Cli, tmp_path: Path) -> None:
    onnx.save(model(ir=3), tmp_path / "old.onnx")

    outcome = cli("opt", "old.onnx", "-p", "fold-constants", "-o", "out.onnx")

    assert outcome.code == 0, outcome.err
    assert [node.op_type for node in onnx.load(tmp_path / "out.onnx").graph.node] == ["Greater", "Cast"]


def test_a_retyped_default_has_the_type_of_its_input(cli: Cli, tmp_path: Path) -> None:
    onnx.save(model(kind=TensorProto.INT64), tmp_path / "default.onnx")
    step = "cast-int64-to-int32{inputs=true, ranges={threshold: [0, 9], x: [0, 9]}}"

    outcome = cli("opt", "default.onnx", "-p", step, "-o", "out.onnx")

    assert outcome.code == 0, outcome.err
    graph = onnx.load(tmp_path / "out.onnx").graph
    assert {value.name: value.type.tensor_type.elem_type for value in graph.input} == {"x": 6, "threshold": 6}
    assert {item.name: item.data_type for item in graph.initializer}["threshold"] == TensorProto.INT32
    assert overridden(tmp_path / "out.onnx", 0, kind=np.int32) == [[1.0] * 4]


def test_a_pass_that_folds_a_default_all_the_same_is_told() -> None:
    from convertkit_passes.freeze_defaults import FreezeDefaults

    class Freezes(FreezeDefaults):
        """Say that it changes nothing."""

        effect = "exact"

    with pytest.raises(Exception, match="input 'threshold', which has a default, can no longer be given"):
        run_step(GraphState(detach(model())), Freezes(), checker=Checker([{"x": X}]))
