from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from convertkit.errors import GraphError
from convertkit.graph.graph import close_graph, open_graph
from convertkit.graph.io import load, save
from convertkit.graph.light import LightModel, attach, detach, weights_as_inputs
from convertkit.graph.session import open_session
from convertkit.graph.validate import validate
from tests.tiny import tiny_model

IMAGE = np.random.default_rng(1).standard_normal((1, 3, 8, 8)).astype(np.float32)


def test_large_weights_are_detached_and_small_ones_stay() -> None:
    model = detach(tiny_model())

    assert [tensor.name for tensor in model.detached()] == ["weights"]
    assert {tensor.name for tensor in model.proto.graph.initializer} == {"weights", "zero", "rest"}
    assert model.proto.ByteSize() < 1500


def test_attach_gives_back_the_same_tensors() -> None:
    back = attach(detach(tiny_model()))

    expected = {t.name: numpy_helper.to_array(t) for t in tiny_model().graph.initializer}
    assert all(np.array_equal(numpy_helper.to_array(t), expected[t.name]) for t in back.graph.initializer)
    onnx.checker.check_model(back, full_check=True)


def test_the_digest_covers_the_weights() -> None:
    assert detach(tiny_model(0)).digest() == detach(tiny_model(0)).digest()
    assert detach(tiny_model(0)).digest() != detach(tiny_model(1)).digest()


def test_typed_tensor_data_is_detached_too() -> None:
    typed = tiny_model()
    values = numpy_helper.to_array(typed.graph.initializer[0])
    typed.graph.initializer[0].CopyFrom(
        onnx.helper.make_tensor("weights", onnx.TensorProto.FLOAT, values.shape, values.ravel().tolist())
    )

    model = detach(typed)

    assert np.array_equal(model.array(next(model.detached())), values)


def test_a_light_model_runs_as_the_whole_one() -> None:
    model = detach(tiny_model())

    light = open_session(model, optimize=False).run({"image": IMAGE})["features"]
    whole = open_session(detach(attach(model)), optimize=False).run({"image": IMAGE})["features"]

    assert np.array_equal(light, whole)
    validate(model)


def test_weights_as_inputs_keeps_types_and_shapes() -> None:
    proto = weights_as_inputs(detach(tiny_model()))

    assert [value.name for value in proto.graph.input] == ["image", "weights"]
    assert [dim.dim_value for dim in proto.graph.input[1].type.tensor_type.shape.dim] == [16, 3, 4, 4]
    assert {tensor.name for tensor in proto.graph.initializer} == {"zero", "rest"}


def test_editing_leaves_weights_detached_and_the_original_alone() -> None:
    model = detach(tiny_model())
    before = model.digest()

    graph = open_graph(model)
    graph.bypass(next(graph.find("Relu")))
    graph.tidy()
    edited = close_graph(graph, model)

    assert model.digest() == before
    assert [tensor.name for tensor in edited.detached()] == ["weights"]
    assert [node.op_type for node in edited.proto.graph.node].count("Relu") == 0
    validate(edited)


def test_a_pass_can_read_and_replace_detached_weights() -> None:
    model = detach(tiny_model())

    graph = open_graph(model)
    conv = next(graph.find("Conv"))
    conv.inputs[1] = graph.constant(conv.inputs[1].values * 2, name="doubled")
    graph.tidy()
    edited = close_graph(graph, model)

    plain = open_session(model, optimize=False).run({"image": IMAGE})["features"]
    double = open_session(edited, optimize=False).run({"image": IMAGE})["features"]
    assert np.allclose(double, plain * 2)
    assert [tensor.name for tensor in edited.detached()] == ["doubled"]


BODIES = {
    "one body": "u = Add (x, w)",
    "a body and the graph": "u = Add (x, w)",
    "a body in a body": """u = If (c) <
        then_branch = n () => (float[400] p) { p = Add (x, w) },
        else_branch = m () => (float[400] q) { q = Sub (x, w) }>""",
    "a loop": """
        once = Constant <value_int = 1> ()
        u = Loop (once, c, x) <body = l (int64 i, bool go, float[400] h) => (bool on, float[400] k) {
            on = Identity (go)
            k = Add (h, w)
        }>""",
}


@pytest.mark.parametrize("place", BODIES)
def test_a_large_weight_that_bodies_read_stays_where_it_was(place: str) -> None:
    model = _branches(BODIES[place], "Mul (y, w)" if "graph" in place else "Neg (y)")
    inputs = {"x": np.arange(400, dtype=np.float32), "c": np.asarray(True)}

    graph = open_graph(model)
    next(graph.find(("Mul", "Neg"))).name = "edited"
    graph.tidy()
    edited = close_graph(graph, model)

    assert [tensor.name for tensor in edited.detached()] == ["w"]
    validate(edited)
    before, after = (open_session(each, optimize=False).run(inputs)["z"] for each in (model, edited))
    assert np.array_equal(before, after)
    assert len(attach(edited).SerializeToString()) < 3500  # the weight once, of 1,600 bytes


def test_a_pass_can_read_a_large_weight_that_only_a_body_reads() -> None:
    graph = open_graph(_branches(BODIES["one body"], "Neg (y)"))

    (node,) = (
        node for part in graph.surgeon.subgraphs(recursive=True) for node in part.nodes if node.op == "Add"
    )

    assert node.inputs[1].values.tolist() == [2.0] * 400


def _branches(then: str, last: str) -> LightModel:
    """An If whose ``then`` reads a weight ``w`` of 1,600 bytes, all 2; its result goes into ``last``."""
    proto = onnx.parser.parse_model(f"""<ir_version: 8, opset_import: ["" : 16]>
        agraph (float[400] x, bool c) => (float[400] z) {{
            y = If (c) <then_branch = t () => (float[400] u) {{ {then} }},
                        else_branch = e () => (float[400] v) {{ v = Sub (x, w) }}>
            z = {last}
        }}""")
    proto.graph.initializer.append(numpy_helper.from_array(np.full(400, 2, np.float32), "w"))
    return detach(proto)


def test_bypassing_the_producer_of_an_output_keeps_its_name() -> None:
    model = detach(tiny_model())

    graph = open_graph(model)
    graph.bypass(next(graph.find("Reshape")))
    graph.tidy()
    edited = close_graph(graph, model)

    assert [output.name for output in edited.proto.graph.output] == ["features"]


def test_save_and_load_round_trip(tmp_path: Path) -> None:
    model = detach(tiny_model())

    save(model, tmp_path / "a.onnx")
    again = load(tmp_path / "a.onnx")

    assert again.digest() == model.digest()


@pytest.mark.parametrize("content", [b"", b"hello, this is not protobuf", b"\x00" * 64])
def test_what_is_no_model_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)

    with pytest.raises(GraphError) as caught:
        load(path)

    assert "bad.onnx" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_external_data_outside_the_directory_is_refused(tmp_path: Path) -> None:
    proto = tiny_model()
    (tmp_path / "secret").write_bytes(bytes(4096))
    inner = tmp_path / "inner"
    inner.mkdir()
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../secret"
    (inner / "model.onnx").write_bytes(proto.SerializeToString())

    with pytest.raises(GraphError, match="external data cannot be read"):
        load(inner / "model.onnx")
