"""Sparse tensors in a graph under edit: their numbers, whatever form they are stored in."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from convertkit_passes.cast_int64 import CastInt64ToInt32
from convertkit_passes.rename_io import RenameIo
from onnx import TensorProto, helper, numpy_helper

from convertkit.errors import GraphError
from convertkit.graph.graph import open_graph
from convertkit.graph.light import LightModel, detach
from convertkit.graph.session import open_session
from tests.graphtext import apply, parse

SMALLEST = "(int64[2,3] n) => (int64[2,3] y) { y = Min (n, s) }"
N = np.array([[5, -5, 2**31 - 1], [2**31 - 1, 0, 9]])


def sparse(values: Any, places: Any, dims: list[int], *, raw: bool, name: str = "s") -> Any:
    def stored(array: Any, called: str) -> TensorProto:
        if raw:
            return numpy_helper.from_array(array, called)
        return helper.make_tensor(called, TensorProto.INT64, array.shape, array.ravel().tolist())

    return helper.make_sparse_tensor(
        stored(np.array(values), name), stored(np.array(places), f"{name}_places"), dims
    )


def with_sparse(graph: str, tensor: Any) -> LightModel:
    proto = parse(graph, opset=14).proto
    proto.graph.sparse_initializer.append(tensor)
    return detach(proto)


def outputs(model: LightModel) -> list[Any]:
    return [value.tolist() for value in open_session(model, optimize=False).run({"n": N}).values()]


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("places", [[2, 3], [[0, 2], [1, 0]]])
@pytest.mark.parametrize("value", [7, 2**31, 2**63 - 1])
def test_the_integers_of_a_sparse_initializer_are_seen(raw: bool, places: Any, value: int) -> None:
    model = with_sparse(SMALLEST, sparse([value, 4], places, [2, 3], raw=raw))

    result = apply(CastInt64ToInt32(), model)

    assert outputs(result) == outputs(model)


def test_a_sparse_initializer_makes_room_for_a_name() -> None:
    model = with_sparse(SMALLEST, sparse([7, 4], [2, 3], [2, 3], raw=True))

    result = apply(RenameIo(names={"y": "s"}), model)

    assert outputs(result) == outputs(model)


def test_a_sparse_constant_is_not_lost() -> None:
    proto = parse("(int64[2,3] n) => (int64[2,3] y) { m = Abs (k) y = Add (n, m) }", opset=14).proto
    value = sparse([-7, 4], [2, 3], [2, 3], raw=True)
    proto.graph.node.insert(0, helper.make_node("Constant", [], ["k"], sparse_value=value))
    model = detach(proto)

    result = apply(CastInt64ToInt32(), model)

    assert outputs(result) == outputs(model)


def test_a_sparse_tensor_that_no_file_holds_is_refused_before_it_is_written_out() -> None:
    model = with_sparse(SMALLEST, sparse([7, 4], [2, 3], [2**40], raw=True))

    with pytest.raises(GraphError, match="sparse tensor 's' has 8796093022208 bytes written out"):
        open_graph(model)


def test_a_sparse_tensor_in_another_file_is_refused_unread() -> None:
    tensor = sparse([7, 4], [2, 3], [2, 3], raw=True)
    onnx.external_data_helper.set_external_data(tensor.values, location="/etc/passwd")

    with pytest.raises(GraphError, match="sparse tensor 's' lies in another file"):
        open_graph(with_sparse(SMALLEST, tensor))
