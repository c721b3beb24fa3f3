"""What inference can tell about a graph under edit."""

from __future__ import annotations

import numpy as np
import pytest

from convertkit.errors import GraphError
from convertkit.graph.graph import Graph, open_graph
from convertkit.graph.light import detach
from convertkit.graph.shapes import annotate, static_shape
from tests.graphtext import parse, show
from tests.tiny import tiny_model


def opened(text: str) -> Graph:
    return open_graph(parse(text))


def test_every_inner_tensor_gets_its_type_and_shape() -> None:
    graph = opened(
        """(float[2,3] x, int64[2] target) => (float[N] kept)
        <int64[1] two = {2}>
        {
            size = Shape (x)
            v, k = TopK (x, two)
            flat = Reshape (v, target)
            kept = Sqrt (flat)
        }"""
    )

    annotate(graph)

    tensors = graph.surgeon.tensors()
    assert (tensors["size"].dtype, tensors["size"].shape) == (np.dtype(np.int64), [2])
    assert (tensors["k"].dtype, tensors["k"].shape) == (np.dtype(np.int64), [2, 2])
    assert (tensors["flat"].dtype, tensors["flat"].shape) == (np.dtype(np.float32), None)
    assert static_shape(tensors["k"]) == (2, 2)
    assert static_shape(tensors["flat"]) is None


def test_sizes_in_symbols_stay_symbols() -> None:
    graph = opened(
        """(float[N,4] x) => (float[N,4] z)
        {
            y = Neg (x)
            z = Relu (y)
        }"""
    )

    annotate(graph)

    y = graph.surgeon.tensors()["y"]
    assert y.shape == ["N", 4]
    assert static_shape(y) is None


def test_values_are_followed_into_shapes() -> None:
    graph = open_graph(detach(tiny_model()))

    annotate(graph)

    tensors = graph.surgeon.tensors()
    assert static_shape(tensors["relu"]) == (1, 16, 5, 5)
    assert tensors["batch"].dtype == np.int64


def test_only_types_and_shapes_are_added() -> None:
    model = detach(tiny_model())
    graph = open_graph(model)

    annotate(graph)

    assert show(graph.model()) == show(open_graph(model).model())


def test_a_graph_that_contradicts_itself_is_refused() -> None:
    graph = opened(
        """(float[2,3] x, float[2,3] y) => (float[2,3] z)
        {
            t = Transpose <perm = [1, 0]> (y)
            z = Add (x, t)
        }"""
    )

    with pytest.raises(GraphError, match="shapes do not fit"):
        annotate(graph)


@pytest.mark.parametrize(
    ("shape", "static"),
    [(None, None), ([], ()), ([2, 3], (2, 3)), (["N", 3], None), ([2, None], None), ([-1, 3], None)],
)
def test_a_shape_is_static_where_every_size_is_a_number(
    shape: list[int] | None, static: tuple[int, ...] | None
) -> None:
    class Tensor:
        pass

    tensor = Tensor()
    tensor.shape = shape  # type: ignore[attr-defined]

    assert static_shape(tensor) == static


def test_what_has_no_shape_has_no_static_one() -> None:
    assert static_shape(object()) is None
