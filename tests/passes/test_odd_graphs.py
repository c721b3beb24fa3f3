"""Graphs that a file may hold although no exporter writes them: a right result or one line, never a crash."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.conftest import Cli

Nodes = list[onnx.NodeProto]
node = helper.make_node


def value(name: str, shape: tuple[int | str, ...] = (2, 3)) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))


def constant(name: str, data: object) -> TensorProto:
    return numpy_helper.from_array(np.asarray(data), name)


def packed(kind: int, data: bytes, count: int) -> TensorProto:
    return TensorProto(name="w", data_type=kind, dims=[count], raw_data=data)


def write(
    path: Path, nodes: Nodes, constants: Sequence[TensorProto] = (), shape: tuple[int | str, ...] = (2, 3)
) -> Path:
    """``x`` of a shape in, ``y`` out, opset 21."""
    graph = helper.make_graph(nodes, "odd", [value("x", shape)], [value("y", ("A", "B"))], list(constants))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("step", ["fold-constants", "cast-int64-to-int32", "rename-io{names={x: data}}"])
@pytest.mark.parametrize(
    "nodes",
    [
        [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Neg", ["b"], ["y"])],
        [node("Add", ["x", "y"], ["y"])],
    ],
)
def test_a_cycle_is_one_line(cli: Cli, tmp_path: Path, step: str, nodes: Nodes) -> None:
    done = cli("opt", write(tmp_path / "a.onnx", nodes), "-p", step, "--json")

    assert (done.code, done.json["error"]["kind"], done.err.count("\n")) == (2, "graph", 1)
    assert "a.onnx is not a valid graph" in done.err


@pytest.mark.parametrize(
    "weight",
    [
        packed(TensorProto.FLOAT8E4M3FN, b"\x38" * 2048, 2048),
        packed(TensorProto.BFLOAT16, b"\x80\x3f" * 1024, 1024),
        packed(TensorProto.INT4, b"\x21" * 2048, 4096),
    ],
)
def test_types_that_numpy_does_not_have_are_folded(cli: Cli, tmp_path: Path, weight: TensorProto) -> None:
    nodes = [
        node("Cast", ["w"], ["f"], to=TensorProto.FLOAT),
        node("ReduceSum", ["f"], ["sum"], keepdims=0),
        node("Add", ["x", "sum"], ["y"]),
    ]

    done = cli("opt", write(tmp_path / "a.onnx", nodes, [weight]), "-p", "fold-constants", "-o", "b.onnx")

    assert done.code == 0
    assert "exact: bit for bit equal" in done.err
    assert [item.op_type for item in onnx.load("b.onnx").graph.node] == ["Add"]


@pytest.mark.parametrize("limit", [np.inf, np.nan, 1e30])
def test_a_range_without_end_is_not_folded(cli: Cli, tmp_path: Path, limit: float) -> None:
    bounds = [constant(name, np.float32(number)) for name, number in (("a", 0), ("b", limit), ("c", 1))]
    nodes = [node("Range", ["a", "b", "c"], ["r"]), node("ReduceMax", ["r"], ["m"], keepdims=0)]
    nodes.append(node("Add", ["x", "m"], ["y"]))

    done = cli("opt", write(tmp_path / "a.onnx", nodes, bounds), "-p", "fold-constants", "--no-check")

    assert (done.code, "defect" in done.err) == (0, False)


def test_a_sparse_initializer_is_no_obstacle(cli: Cli, tmp_path: Path) -> None:
    path = write(tmp_path / "a.onnx", [node("Add", ["x", "w"], ["y"])])
    model = onnx.load(path)
    sparse = model.graph.sparse_initializer.add(dims=[2, 3])
    sparse.values.CopyFrom(constant("w", np.ones(2, np.float32)))
    sparse.indices.CopyFrom(constant("", np.array([0, 4])))
    onnx.save(model, path)

    done = cli("opt", path, "-p", "fold-constants")

    assert (done.code, "defect" in done.err) == (0, False)


def test_a_broken_graph_is_not_blamed_on_the_pass(cli: Cli, tmp_path: Path) -> None:
    nodes = [node("Shape", ["x"], ["s"]), node("Gather", ["s", "nine"], ["g"], axis=0)]
    nodes += [node("Cast", ["g"], ["f"], to=TensorProto.FLOAT), node("Add", ["x", "f"], ["y"])]
    nodes.append(node("Constant", [], ["nine"], value=constant("", np.int64(9))))

    done = cli("opt", write(tmp_path / "a.onnx", nodes[-1:] + nodes[:-1]), "-p", "fold-constants")

    assert done.code == 4
    assert done.err.startswith("error: pass fold-constants: it was given a graph that does not hold: ")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(("shape", "code"), [((-1, 3), 0), ((1 << 40, 1 << 40), 2), ((1 << 20, 1 << 15), 2)])
def test_inputs_of_absurd_sizes(cli: Cli, tmp_path: Path, shape: tuple[int, ...], code: int) -> None:
    path = write(tmp_path / "a.onnx", [node("Relu", ["x"], ["y"])], shape=shape)

    done = cli("opt", path, "-p", "fold-constants")

    assert done.code == code
    assert done.err.count("\n") == (1 if code else 2)  # the size that was guessed, and the pass
    assert code == 0 or "values, too many to try (give sample inputs with --inputs FILE.npz" in done.err
