"""Reading and writing around protobuf gives what protobuf gives."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from convertkit.errors import GraphError
from convertkit.graph import wire
from convertkit.graph.io import load, save
from convertkit.graph.light import LightModel, attach, detach
from tests.tiny import tiny_model

RNG = np.random.default_rng(5)


def read(data: bytes) -> LightModel:
    return wire.read(io.BytesIO(data), len(data))


def model_with(*tensors: TensorProto) -> onnx.ModelProto:
    """A model with initializers of every kind and a subgraph."""
    node = helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(np.ones(600, np.float32)))
    nodes = [node, helper.make_node("Add", ["x", "c"], ["y"])]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [600]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "g", values[:1], values[1:], list(tensors), doc_string="what it is")
    model = helper.make_model(graph, producer_name="tests", opset_imports=[helper.make_opsetid("", 11)])
    model.metadata_props.add(key="a", value="b")
    return model


KINDS = {
    "raw": numpy_helper.from_array(RNG.standard_normal((20, 30)).astype(np.float32), "w"),
    "small": numpy_helper.from_array(np.arange(3), "w"),
    "typed": helper.make_tensor("w", TensorProto.FLOAT, [400], RNG.standard_normal(400).tolist()),
    "int64": helper.make_tensor("w", TensorProto.INT64, [200], list(range(200))),
    "text": numpy_helper.from_array(np.array(["words"] * 300, dtype=object), "w"),
    "half": numpy_helper.from_array(np.ones(1000, np.float16), "w"),
    "empty": numpy_helper.from_array(np.zeros((0, 4), np.float32), "w"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_reading_equals_parsing_and_detaching(kind: str) -> None:
    described = TensorProto()
    described.CopyFrom(KINDS[kind])
    described.doc_string, described.name = "the same again", "again"
    whole = model_with(KINDS[kind], described)

    model = read(whole.SerializeToString())

    expected = detach(onnx.ModelProto.FromString(whole.SerializeToString()))
    assert model.digest() == expected.digest()
    assert dict(model.weights) == dict(expected.weights)


@pytest.mark.parametrize("kind", KINDS)
def test_writing_equals_serialising(kind: str) -> None:
    model = detach(model_with(KINDS[kind]))

    assert b"".join(wire.write(model)) == attach(model).SerializeToString(deterministic=True)


def test_a_file_survives_the_round_trip(tmp_path: Path) -> None:
    model = detach(tiny_model())

    save(model, tmp_path / "a.onnx")

    assert load(tmp_path / "a.onnx").digest() == model.digest()
    onnx.checker.check_model(tmp_path / "a.onnx", full_check=True)


def test_a_model_in_two_parts_is_merged_as_protobuf_merges_it() -> None:
    data = tiny_model().SerializeToString()
    more = onnx.ModelProto()
    more.graph.doc_string = "added later"

    model = read(data + more.SerializeToString())

    assert model.digest() == detach(onnx.ModelProto.FromString(data + more.SerializeToString())).digest()


def test_external_data_is_left_to_the_library(tmp_path: Path) -> None:
    whole = model_with(KINDS["raw"])
    onnx.save(
        onnx.ModelProto.FromString(whole.SerializeToString()), tmp_path / "a.onnx", save_as_external_data=True
    )

    with pytest.raises(wire.UnusualFileError):
        read((tmp_path / "a.onnx").read_bytes())
    assert load(tmp_path / "a.onnx").digest() == detach(whole).digest()


def test_a_file_that_refers_to_the_weight_table_is_refused(tmp_path: Path) -> None:
    model = detach(model_with(KINDS["raw"]))
    (tmp_path / "a.onnx").write_bytes(model.proto.SerializeToString())

    with pytest.raises(GraphError, match="external data cannot be read"):
        load(tmp_path / "a.onnx")


@pytest.mark.parametrize("name", [b"features", b"small", b"tests"])
def test_names_that_are_no_text_are_refused(tmp_path: Path, name: bytes) -> None:
    data = model_with(numpy_helper.from_array(np.arange(3), "small")).SerializeToString()
    data += tiny_model().SerializeToString()
    (tmp_path / "a.onnx").write_bytes(data.replace(name, b"\xff" + name[1:]))

    with pytest.raises(GraphError, match=r"a\.onnx: damaged: .* is not UTF-8"):
        load(tmp_path / "a.onnx")


@pytest.mark.parametrize("dims", [[3], [-1, 400], [1 << 62, 1 << 62], [0]])
@pytest.mark.parametrize("kind", ["raw", "small", "typed"])
def test_an_initializer_that_does_not_fill_its_shape_is_refused(
    tmp_path: Path, kind: str, dims: list[int]
) -> None:
    tensor = TensorProto()
    tensor.CopyFrom(KINDS[kind])
    tensor.dims[:] = [5, *dims]
    (tmp_path / "a.onnx").write_bytes(model_with(tensor).SerializeToString())

    with pytest.raises(GraphError, match=r"a\.onnx: damaged: .*initializer"):
        load(tmp_path / "a.onnx")


@pytest.mark.parametrize("kind", [TensorProto.INT4, TensorProto.UINT2, TensorProto.FLOAT4E2M1])
def test_values_that_share_a_byte_are_read(tmp_path: Path, kind: int) -> None:
    per_byte = 4 if kind == TensorProto.UINT2 else 2
    packed = TensorProto(name="w", data_type=kind, dims=[2000 * per_byte - 1], raw_data=bytes(2000))
    (tmp_path / "a.onnx").write_bytes(model_with(packed).SerializeToString())

    model = load(tmp_path / "a.onnx")

    (tensor,) = model.detached()
    assert model.array(tensor).shape == (2000 * per_byte - 1,)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused_or_read_as_protobuf_reads_it(data: st.DataObject) -> None:
    whole = bytearray(tiny_model().SerializeToString())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(whole[: data.draw(st.integers(0, len(whole)))])

    try:
        model = read(damaged)
    except wire.UnusualFileError:
        return

    assert model.digest() == detach(onnx.ModelProto.FromString(damaged)).digest()
