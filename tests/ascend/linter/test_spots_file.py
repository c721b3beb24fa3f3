"""What the rules about edges, told sizes and constants say, word by word, and what they do not."""

from __future__ import annotations

import onnx
import pytest
from convertkit_ascend.linter.subject import InputShape, Subject
from onnx import TensorProto

from tests.ascend.linter.spots import said, subject

# edges


def test_every_input_that_nothing_produces_is_named_once() -> None:
    text = """(float[2] x) => (float[2] y) <float[2] w = {1, 2}>
    { a = Sum (x, w, "", far, far, near) y = Add (a, near) }"""

    assert said("input-dangling", subject(text)) == [
        ("n0", "nothing produces its input far"),
        ("n0", "nothing produces its input near"),
        ("n1", "nothing produces its input near"),
    ]


RESIZE = "(float[1,1,2,2] x, float[8] r, float[4] s, int64[4] z) => (float[a,b,c,d] y) { y = Resize (READS) }"


@pytest.mark.parametrize(
    ("text", "opset", "missing"),
    [
        ("(float[2] x) => (float[2] y) { y = Add (x) }", 11, "1"),
        ('(float[2] x) => (float[2] y) { y = Add ("") }', 11, "0, 1"),
        ("(float[2] x) => (float[2] y) { y = Add (x, x) }", 11, ""),
        ("(float[2] x) => (float[2] y) { y = Clip (x) }", 11, ""),
        ("(float[2] x) => (float[2] y) { y = Unheard () }", 11, ""),
        (RESIZE.replace("READS", 'x, "", s'), 11, ""),
        (RESIZE.replace("READS", 'x, "", "", z'), 11, ""),
        (RESIZE.replace("READS", 'x, r, ""'), 11, "2"),
        (RESIZE.replace("READS", "x"), 11, "2"),
        (RESIZE.replace("READS", '"", r, "", z'), 11, "0"),
        (RESIZE.replace("READS", "x"), 13, ""),
        ("(float[1,9,1,4] b) => (float[1,5,4] o) { o, p, q, r = BatchMultiClassNMS (b) }", 11, "1"),
        ('(float[1,9,1,4] b) => (float[1,5,4] o) { o, p, q, r = BatchMultiClassNMS ("", "", b) }', 11, "0, 1"),
        ("(float[1,9,1,4] b) => (float[1,5,4] o) { o, p, q, r = NPUBatchNms (b) }", 11, "1"),
        ("(float[1,9,1,4] b) => (float[1,5,4] o) { o, p, q, r = npu.NPUBatchNms (b) }", 11, "1"),
        ("(float[1,9,1,4] b) => (float[1,5,4] o) { o, p, q, r = far.BatchMultiClassNMS (b) }", 11, ""),
        ("(float[2] f) => (float[2] o) { o = RoiExtractor () }", 11, "0, 1"),
        ("(float[2] f) => (float[2] o) { o = RoiExtractor (f) }", 11, "1"),
        ('(float[2] f) => (float[2] o) { o = RoiExtractor (f, f, "") }', 11, "2"),
    ],
)  # fmt: skip
def test_inputs_that_an_operator_requires(text: str, opset: int, missing: str) -> None:
    found = said("input-required", subject(text, opset=opset))

    assert found == ([("n0", f"it has no input {missing}")] if missing else [])


def test_an_input_is_left_out_only_of_operators_that_count_them() -> None:
    text = """(float[2] x) => (float[2] y) {
      a = Conv (x, x, "")
      b = Clip (x, "", x)
      c = far.Conv (x, x, "")
      d = Conv (x, "", "")
      e = NonMaxSuppression (x, x, "", x, "")
      f = Conv (x, x)
    }"""

    assert said("input-left-out", subject(text)) == [
        ("n0", "input 2 is left out by an empty name, but counted"),
        ("n4", "input 2, 4 is left out by an empty name, but counted"),
    ]


def test_an_input_left_out_is_joined_to_the_last_unnamed_output() -> None:
    text = '(float[2] x) => (float[2] y) { a, "" = Dropout (x) b, "" = TopK (a, a) y = Clip (b, "", "") z = Relu (x) }'

    assert said("name-empty", subject(text)) == [
        ("n2", "input 1, 2 is left out, the parser joins it to the unnamed output 1 of n1")
    ]
    assert said("name-empty", subject(text.replace('""', "o", 1).replace('b, ""', "b"))) == []


def test_a_node_may_write_neither_an_input_nor_an_initializer() -> None:
    text = "(float[2] x) => (float[2] y) <float[2] w = {1, 2}> { x = Abs (w) w, y = Split (x) }"

    assert said("tensor-shadowed", subject(text)) == [
        ("n0", "it writes x, which is a graph input"),
        ("n1", "it writes w, which is an initializer"),
    ]


def test_of_a_circle_three_nodes_are_named() -> None:
    text = """(float[2] x) => (float[2] y) {
      y = Relu (x) a = Add (x, d) b = Abs (a) c = Neg (b) d = Exp (c)
    }"""

    assert said("graph-cycle", subject(text)) == [("n1", "4 nodes depend on each other: n1, n2, n3")]


def test_an_output_may_be_an_input_or_an_initializer_but_not_nothing() -> None:
    text = "(float[2] x) => (float[2] x, float[2] w, float[2] y, float[2] z) <float[2] w = {1, 2}> { y = Relu (x) }"

    assert said("output-unknown", subject(text)) == [("z", "no node writes this graph output")]


@pytest.mark.parametrize("name", ["BatchMultiClassNMS", "NPUBatchNms", "npu.NPUBatchNms"])
def test_an_nms_has_four_inputs_and_four_outputs(name: str) -> None:
    text = f"""(float[2] x) => (float[2] e) {{
      a, b, c, d, e, f = {name} (x, x, x, x, x)
      a2, b2, c2, d2 = {name} (x, x, x, x)
      g = Relu (x, x, x, x, x)
      h, i, j, k, l = far.BatchMultiClassNMS (x, x, x, x, x)
      m = Relu (l)
    }}"""

    assert said("nms-inputs", subject(text)) == [("n0", "it has 5 inputs")]
    assert said("nms-outputs", subject(text)) == [("n0", "its output e does not exist on the chip")]


# --input_shape


@pytest.mark.parametrize(
    ("shape", "told", "missing", "differs"),
    [
        ("2,3", None, None, None),
        ("2,n", None, "its sizes n are open and --input_shape is silent", None),
        ("n,m", {"z": (1,)}, "its sizes n, m are open and --input_shape is silent", None),
        ("2,n", {"x": (2, 3)}, None, None),
        ("2,n", {"x": (2, 0)}, None, None),
        ("2,n", {"x": (2, -1)}, "--input_shape leaves it open: (2, -1)", None),
        ("2,3", {"x": (-1, 3)}, "--input_shape leaves it open: (-1, 3)", None),
        ("2,3", {"x": (2, 3)}, None, None),
        ("2,3", {"x": (2, 1)}, None, "--input_shape says (2, 1), the graph (2, 3)"),
        ("2,n", {"x": (1, 1)}, None, "--input_shape says (1, 1), the graph (2, n)"),
        ("2,3", {"x": (2,)}, None, "--input_shape says (2), the graph (2, 3)"),
        ("2,3", {"x": ()}, None, "--input_shape says (), the graph (2, 3)"),
        ("2,n", {"x": (2, 3, 4)}, None, "--input_shape says (2, 3, 4), the graph (2, n)"),
    ],
)
def test_sizes_that_the_compiler_is_told(
    shape: str, told: InputShape | None, missing: str | None, differs: str | None
) -> None:
    seen = subject(f"(float[{shape}] x, float[1] z) => (float[{shape}] y) {{ y = Add (x, z) }}", told=told)

    assert said("input-shape-missing", seen) == ([("x", missing)] if missing else [])
    assert said("input-shape-differs", seen) == ([("x", differs)] if differs else [])


def test_a_negative_or_nameless_size_is_open() -> None:
    def edit(model: onnx.ModelProto) -> None:
        dims = model.graph.input[0].type.tensor_type.shape.dim
        dims[0].dim_value = -1
        dims[1].Clear()

    seen = subject("(float[2,3,4,0] x) => (float[a,b,c,d] y) { y = Relu (x) }", edit)

    assert said("input-shape-missing", seen) == [
        ("x", "its sizes -1, ? are open and --input_shape is silent")
    ]


def test_a_name_that_is_no_input_is_told_with_those_that_are() -> None:
    given = "(float[2] x, float[2] z) => (float[2] y) { y = Add (x, z) }"

    assert said("input-shape-unknown", subject(given, told={"x": (2,), "q": (2,)})) == [
        ("q", "the graph has no such input; it has x, z")
    ]
    assert said("input-shape-unknown", subject("() => (float[2] y) { y = Far () }", told={"q": (2,)})) == [
        ("q", "the graph has no such input; it has none")
    ]


# constants


def test_what_a_constant_holds_beside_its_value_is_told() -> None:
    text = """(float[2] x) => (float[2] y) {
      a = Constant <value = float[1] {1}> ()
      b = Constant <value_float = 1.0, value_int = 2> ()
      c = Constant <value = 3> ()
      d = Constant ()
      e = far.Constant ()
      y = Relu (x)
    }"""

    assert said("constant-empty", subject(text)) == [
        ("n1", "it has value_float, value_int, only value is read"),
        ("n2", "value is of type INT, not TENSOR"),
        ("n3", "it has nothing, only value is read"),
    ]


def weights(*tensors: TensorProto) -> Subject:
    def edit(model: onnx.ModelProto) -> None:
        model.graph.initializer.extend(tensors)

    return subject(
        "(float[2] x) => (float[2] y) { a = Constant <value = float[1] {1}> () y = Add (x, a) }", edit
    )


@pytest.mark.parametrize(
    ("tensor", "fills"),
    [
        (TensorProto(dims=[2], data_type=1, raw_data=b"12345678"), True),
        (TensorProto(dims=[2], data_type=1, raw_data=b"1234567"), False),
        (TensorProto(dims=[2], data_type=1, raw_data=b"123456789"), False),
        (TensorProto(dims=[2], data_type=1, float_data=[1, 2]), True),
        (TensorProto(dims=[2], data_type=1, float_data=[1]), False),
        (TensorProto(dims=[], data_type=1, float_data=[1]), True),
        (TensorProto(dims=[0], data_type=1), True),
        (TensorProto(dims=[-1], data_type=1, float_data=[1]), False),
        (TensorProto(dims=[2], data_type=99, float_data=[1, 2]), False),
        (TensorProto(dims=[2], data_type=1, data_location="EXTERNAL"), True),
    ],
)
def test_data_fill_their_shape(tensor: TensorProto, fills: bool) -> None:
    tensor.name = "w"

    found = said("weight-size", weights(tensor))

    assert found == ([] if fills else [("w", f"its data does not fill the shape {list(tensor.dims)}")])


def test_types_that_a_constant_may_have() -> None:
    tensors = [TensorProto(name=f"w{kind}", data_type=kind) for kind in (1, 16, 18, 22, 99)]

    assert said("weight-type", weights(*tensors)) == [
        ("w18", "its element type is float8e4m3fnuz"),
        ("w99", "its element type is 99"),
    ]
