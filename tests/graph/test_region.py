"""Regions: cut where it was said, run as the whole graph runs, refused where something leaks in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

from convertkit.errors import GraphError
from convertkit.graph.graph import open_graph
from convertkit.graph.light import detach
from convertkit.graph.region import LeakError, Region, cut
from convertkit.graph.session import open_session
from convertkit.graph.shapes import annotate
from convertkit.graph.validate import validate
from tests.graph.random_flow import Drawing, drawings
from tests.graphtext import parse, show
from tests.tiny import tiny_model

BOXES = """(float[N,4] boxes, float[1] limit) => (float[N,4] clipped, float[N,1] widths)
<float zero = {0}, int64[1] axis = {1}, int64[1] a = {0}, int64[1] b = {1}, int64[1] c = {2}, int64[1] d = {3}>
{
    low = Max (boxes, zero)
    clipped = Min (low, limit)
    x1 = Slice (clipped, a, b, axis)
    x2 = Slice (clipped, c, d, axis)
    widths = Sub (x2, x1)
}"""


def annotated(text: str) -> Any:
    graph = open_graph(parse(text))
    annotate(graph)
    return graph, graph.surgeon.tensors()


def test_a_region_is_a_graph_of_its_own_with_the_names_it_had() -> None:
    graph, tensors = annotated(BOXES)

    region = cut(graph, [tensors["widths"]], [tensors["clipped"]])

    assert show(region.model()) == show(
        """(float[N,4] clipped) => (float[N,1] widths)
        <int64[1] a = {0}, int64[1] axis = {1}, int64[1] b = {1}, int64[1] c = {2}, int64[1] d = {3}>
        {
            x1 = Slice (clipped, a, b, axis)
            x2 = Slice (clipped, c, d, axis)
            widths = Sub (x2, x1)
        }"""
    )
    validate(region.model())


def test_a_region_runs_on_values_of_ones_own_in_the_given_order() -> None:
    graph, tensors = annotated(BOXES)
    region = cut(graph, [tensors["widths"], tensors["low"]], [tensors["limit"], tensors["boxes"]])

    widths, low = region.run(np.array([5]), np.array([[-1, 0, 9, 2], [1, 1, 3, 3]], np.float64))

    np.testing.assert_array_equal(widths, [[5], [2]])
    np.testing.assert_array_equal(low, [[0, 0, 9, 2], [1, 1, 3, 3]])
    assert widths.dtype == np.float32


def test_cutting_and_running_leave_the_graph_as_it_was() -> None:
    graph, tensors = annotated(BOXES)
    before = show(graph.model())

    cut(graph, [tensors["widths"]], [tensors["clipped"]]).run(np.ones((2, 4)))

    assert show(graph.model()) == before


def test_an_output_that_is_an_input_needs_no_node() -> None:
    graph, tensors = annotated(BOXES)

    region = cut(graph, [tensors["clipped"]], [tensors["clipped"]])

    assert region.nodes == ()


def test_a_region_that_needs_more_says_what() -> None:
    graph, tensors = annotated(BOXES)

    with pytest.raises(LeakError, match="the region also needs 'limit'") as caught:
        cut(graph, [tensors["widths"]], [tensors["low"]])

    assert caught.value.tensor is tensors["limit"]


def test_optional_inputs_that_are_left_out_are_no_leak() -> None:
    graph, tensors = annotated(
        """(float[4] x) => (float[4] y)
        <float high = {1}>
        {
            low = Neg (x)
            y = Clip (low, , high)
        }"""
    )

    (clipped,) = cut(graph, [tensors["y"]], [tensors["low"]]).run(np.array([0, 1, 2, -3]))

    np.testing.assert_array_equal(clipped, [0, 1, 1, -3])


def test_large_weights_come_along() -> None:
    model = detach(tiny_model())
    graph = open_graph(model)
    annotate(graph)
    tensors = graph.surgeon.tensors()
    image = np.random.default_rng(0).standard_normal((1, 3, 8, 8)).astype(np.float32)

    region = cut(graph, [tensors["relu"]], [tensors["image"]])

    assert [tensor.name for tensor in region.model().detached()] == ["weights"]
    whole = open_session(model, optimize=False).run({"image": image})["features"]
    np.testing.assert_array_equal(region.run(image)[0].reshape(1, -1), whole)


def test_a_value_a_node_cannot_take_is_a_graph_error() -> None:
    graph, tensors = annotated(BOXES)

    with pytest.raises(GraphError, match="input 'clipped': it is float32 3, the graph takes Nx4"):
        cut(graph, [tensors["widths"]], [tensors["clipped"]]).run(np.ones(3))


@settings(max_examples=40, deadline=None)
@given(drawings(), st.data())
def test_any_cut_holds_what_lies_between_or_leaks(drawing: Drawing, data: st.DataObject) -> None:
    graph = open_graph(drawing.model())
    tensors = graph.surgeon.tensors()
    made = [number for number, sources in enumerate(drawing.sources) if sources]
    output = data.draw(st.sampled_from(made))
    borders = data.draw(st.lists(st.sampled_from(range(len(drawing.sources))), max_size=3, unique=True))
    inner, waiting, leaks = set(), [output] if output not in borders else [], False
    while waiting:
        item = waiting.pop()
        if item in borders or item in drawing.constant or item in inner:
            continue
        leaks |= item in drawing.inputs
        inner.add(item)
        waiting += drawing.sources[item]
    known = [tensors[f"t{item}"] for item in borders if f"t{item}" in tensors]

    try:
        region = cut(graph, [tensors[f"t{output}"]], known)
    except LeakError:
        assert leaks
        return

    assert not leaks
    assert {node.name for node in region.nodes} == {f"n{item}" for item in inner}


def test_a_region_with_a_branch_that_reads_a_large_weight_runs() -> None:
    proto = parse(
        """(float[400] x, bool c) => (float[400] z) {
            y = If (c) <then_branch = t () => (float[400] u) { u = Add (x, w) },
                        else_branch = e () => (float[400] v) { v = Sub (x, w) }>
            z = Neg (y)
        }"""
    ).proto
    proto.graph.initializer.append(numpy_helper.from_array(np.full(400, 2, np.float32), "w"))
    graph = open_graph(detach(proto))

    region = cut(graph, [graph.surgeon.tensors()["y"]], graph.inputs)

    assert region.run(np.ones(400), np.asarray(True))[0].tolist() == [3.0] * 400


def test_a_branch_that_reads_a_computed_tensor_cannot_be_cut_out_and_that_is_said() -> None:
    model = parse(
        """(float[4] x, bool c) => (float[4] z) {
            w = Abs (x)
            y = If (c) <then_branch = t () => (float[4] u) { u = Neg (w) },
                        else_branch = e () => (float[4] v) { v = Relu (w) }>
            z = Neg (y)
        }"""
    )
    graph = open_graph(model)

    with pytest.raises(GraphError, match="a branch or a loop takes a computed tensor"):
        Region(graph, tuple(graph.inputs), tuple(graph.outputs), tuple(graph.nodes)).model()
