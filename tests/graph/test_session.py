"""Running a graph on the host: what does not fit is said in one line of ours."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from convertkit.errors import GraphError
from convertkit.graph import session
from convertkit.graph.light import LightModel, detach
from convertkit.graph.session import open_session
from tests.conftest import Cli
from tests.graphtext import parse


@pytest.mark.parametrize(
    ("shape", "line"),
    [
        ((2, 3), "input 'x': it is float32 2x3, the graph takes 1x3"),
        ((3,), "input 'x': it is float32 3, the graph takes 1x3"),
        ((), "input 'x': it is float32 without axes, the graph takes 1x3"),
    ],
)
def test_an_input_of_another_shape_is_told_with_both_shapes(shape: tuple[int, ...], line: str) -> None:
    session = open_session(parse("(float[1,3] x) => (float[1,3] y) { y = Neg (x) }"))

    with pytest.raises(GraphError) as caught:
        session.run({"x": np.zeros(shape, np.float32)})

    assert str(caught.value) == line


def test_the_memory_of_a_run_grows_with_what_it_is_run_on(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[tuple[object, ...]] = []
    monkeypatch.setattr(session, "step", lambda *told: steps.append(told) or contextlib.nullcontext())
    opened = session.open_session(parse("(float[n,4] x, int64[n] k) => (float[n,4] y) { y = Relu (x) }"))

    opened.run({"x": np.zeros((5, 4), np.float32), "k": np.zeros(5, np.int64)})

    assert steps[-1] == ("onnxruntime, running the graph", opened.size, 5 * 4 * 4 + 5 * 8)


def test_an_open_size_takes_any() -> None:
    session = open_session(parse("(float[N,3] x) => (float[N,3] y) { y = Neg (x) }"))

    assert session.run({"x": np.zeros((2, 3), np.float32)})["y"].shape == (2, 3)
    with pytest.raises(GraphError, match="it is float32 2x4, the graph takes Nx3"):
        session.run({"x": np.zeros((2, 4), np.float32)})


IDLE = {
    "read by nothing": "agraph (float[400] x, bool c) => (float[400] y) { y = Neg (x) }",
    "brought by a branch itself": """agraph (float[400] x, bool c) => (float[400] y) {
        y = If (c) <then_branch = t () => (float[400] u) <float[1] w = {3}> { u = Add (x, w) },
                    else_branch = e () => (float[400] v) { v = Neg (x) }> }""",
}


@pytest.mark.parametrize(
    ("form", "version"), [("read by nothing", 3), ("read by nothing", 8), ("brought by a branch itself", 8)]
)
def test_large_weights_that_nothing_reads_do_not_matter(form: str, version: int) -> None:
    model = _with_weight(IDLE[form], version, listed=version < 4)
    assert list(model.detached())

    session = open_session(model)

    inputs = {"x": np.ones(400, np.float32), "c": np.asarray(False)}
    assert session.inputs == ("x", "c")
    assert session.run(inputs)["y"].tolist() == [-1.0] * 400


def test_a_large_default_that_nothing_reads_does_not_have_to_be_given() -> None:
    session = open_session(_with_weight(IDLE["read by nothing"], 8, listed=True))

    assert session.inputs == ("x", "c")


def test_a_large_weight_that_only_a_branch_reads_arrives() -> None:
    branch = IDLE["brought by a branch itself"].replace("<float[1] w = {3}>", "")
    session = open_session(_with_weight(branch, 8, listed=False))

    inputs = {"x": np.ones(400, np.float32), "c": np.asarray(True)}
    assert session.run(inputs)["y"].tolist() == [3.0] * 400


def _with_weight(text: str, version: int, *, listed: bool) -> LightModel:
    """The graph, and a weight ``w`` of 1,600 bytes, all 2; ``listed`` among the inputs as well."""
    head = f'<ir_version: {version}, opset_import: ["" : 16]>'
    proto = onnx.parser.parse_model(head + text)
    proto.graph.initializer.append(numpy_helper.from_array(np.full(400, 2, np.float32), "w"))
    if listed:
        proto.graph.input.append(onnx.helper.make_tensor_value_info("w", onnx.TensorProto.FLOAT, [400]))
    return detach(proto)


def test_large_weights_of_one_name_are_refused_in_one_line(cli: Cli, tmp_path: Path) -> None:
    """Such a graph is run before the checker sees it where an output has no shape."""
    model = parse("(float[1,2048] x) => (float[1,2048] y) { y = Add (x, w) }").proto
    weight = numpy_helper.from_array(np.ones((1, 2048), np.float32), "w")
    model.graph.initializer.extend([weight, weight])
    model.graph.output[0].type.tensor_type.ClearField("shape")
    onnx.save(model, tmp_path / "twice.onnx")

    with pytest.raises(GraphError, match=r"onnxruntime refuses the graph: .*already been added: w"):
        open_session(detach(model))
    outcome = cli("opt", tmp_path / "twice.onnx", "-p", "fold-constants", "-o", tmp_path / "out.onnx")

    assert outcome.code == 2
    assert outcome.err.startswith(f"error: {tmp_path / 'twice.onnx'} is not a valid graph: ")
    assert not (tmp_path / "out.onnx").exists()
