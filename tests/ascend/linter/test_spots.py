"""What the rules say to the letter: every place that they name, beside its neighbours that they do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from convertkit_ascend import ops
from convertkit_ascend.linter.kernels import operators
from convertkit_ascend.linter.rule import Rule, Spot
from convertkit_ascend.linter.rules import about, every, of_graph
from convertkit_ascend.linter.rules.resize import same_as_floor
from convertkit_ascend.linter.subject import InputShape, Subject
from convertkit_ascend.linter.table import Check, OpRule
from convertkit_ascend.linter.typed import Typed
from convertkit_ascend.linter.view import Node, View
from onnx import TensorProto, helper

from convertkit.graph.session import open_session
from tests.ascend.linter.cases import NMS, ROI
from tests.ascend.linter.graphs import named

Edit = Callable[[onnx.ModelProto], object]


def spots(rule: str, seen: Any) -> list[Spot]:
    """What the functions of a rule say of what they look at."""
    kinds = (type(seen), Node) if isinstance(seen, View) else (type(seen),)
    checks = [item for sees in kinds for item in about(sees) if item.about.id == rule]
    assert checks, rule
    found = []
    for item in checks:
        parts = seen.nodes if item.sees is Node else (seen,)
        found += [spot for part in parts for spot in item.check(part)]
    return found


def said(rule: str, seen: Any) -> list[tuple[str, str]]:
    return [(spot.where, spot.why) for spot in spots(rule, seen)]


def subject(
    text: str, edit: Edit = lambda model: None, told: InputShape | None = None, **options: Any
) -> Subject:
    proto = named(text, **options).proto
    edit(proto)
    return Subject(proto, 1, input_shape=told)


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


# operators, by a table of their own


def entry(name: str, **fields: Any) -> OpRule:
    return OpRule(onnx_op=name, opsets=(8, 18), main_ir=f"{name}D", **{"engine": "aicore", **fields})


def view(text: str, *entries: OpRule, opset: int = 11, domains: tuple[str, ...] = ()) -> View:
    table = {(item.domain, item.onnx_op): item for item in entries}
    return View(named(text, opset=opset, domains=domains), table)


RELU = "(KIND[2] x) => (KIND[2] y) { y = Relu (x) }"


@pytest.mark.parametrize(
    ("kind", "fields", "rule", "why"),
    [
        ("float", {"dtypes": {"x": ("float16",)}}, "", ""),
        ("float16", {"dtypes": {"x": ("float32",)}}, "", ""),
        ("float", {"dtypes": {}}, "", ""),
        ("double", {"dtypes": {"x": ("float16", "float32")}}, "type", "no kernel takes float64"),
        ("double", {"dtypes": {"shape": ("float64",), "x": ("float16",)}}, "type", "no kernel takes float64"),
        ("int32", {"dtypes": {"x": ("float32",)}, "aicpu_dtypes": {"x": ("int32",)}}, "type-aicpu",
         "int32 runs on AI CPU only"),
        ("int32", {"dtypes": {"x": ("float32",)}, "aicpu_dtypes": {"x": ("int64",)}}, "type",
         "no kernel takes int32"),
        ("int32", {"dtypes": {"x": ("float32",)}, "engine": "both"}, "type-aicpu", "int32 runs on AI CPU only"),
        ("int32", {"dtypes": {"x": ("float32",)}, "engine": "both", "aicpu_dtypes": {"x": ("int8",)}}, "type",
         "no kernel takes int32"),
        ("float", {"dtypes": {"x": ("int32",)}, "aicpu_dtypes": {"x": ("float16",)}}, "type-aicpu",
         "float32 runs on AI CPU only"),
    ],
)  # fmt: skip
def test_types_that_a_kernel_takes(kind: str, fields: dict[str, Any], rule: str, why: str) -> None:
    seen = view(RELU.replace("KIND", kind), entry("Relu", **fields))

    for name in ("type", "type-aicpu"):
        assert said(name, seen) == ([("n0", why)] if name == rule else [])


def test_types_of_what_is_not_known_or_is_a_cast_are_no_matter() -> None:
    text = "(double[2] x) => (float[2] y) { y = Cast <to = 1> (x) z = Far (x) w = Relu (nowhere) }"
    seen = view(text, *(entry(name, dtypes={"x": ("float16",)}) for name in ("Cast", "Relu")))

    assert said("type", seen) == []


@pytest.mark.parametrize(
    ("kind", "to", "spot"),
    [
        ("float", 10, None),
        ("float", 1, None),
        ("float", 6, ("float32 to int32 has no kernel", "on AI Core float32 becomes float16, bool", "error")),
        ("int8", 1, ("int8 to float32 runs on AI CPU only", "on AI Core int8 becomes nothing", "warning")),
        ("int8", 6, ("int8 to int32 has no kernel", "on AI Core int8 becomes nothing", "error")),
        ("int32", 1, ("int32 to float32 has no kernel", "on AI Core int32 becomes nothing", "error")),
    ],
)
def test_pairs_of_types_that_a_cast_has(kind: str, to: int, spot: Any) -> None:
    cast = entry("Cast", cast_pairs={"float32": ("float16", "bool")}, aicpu_dtypes={"x": ("int8", "float32")})
    text = f"({kind}[2] x) => ({kind}[2] y) {{ z = Cast <to = {to}> (x) y = Relu (x) }}"

    found = spots("cast-pair", view(text, cast, entry("Relu", cast_pairs={"bool": ("int8",)})))

    assert [(item.where, item.why, item.fix, item.severity) for item in found] == (
        [("n0", *spot)] if spot else []
    )
    assert spots("cast-pair", view(text, entry("Cast"))) == []


TOPK = entry("TopK", checks=(Check("output_dtype_actual", "warn", "kernel", output=1, actual="int32"),))


def test_inputs_of_one_type_have_one_on_the_chip_too() -> None:
    text = """(float[9] x) => (float[3] v, int64[3] y) <int64[1] k = {3}> {
      v, i = TopK (x, k)
      y = Add (i, k)
      z = Add (i, i)
      w = Gather (x, i)
      u = Add (k, k)
    }"""
    seen = view(text, TOPK, entry("Add"), entry("Gather"))
    checked = view(text, TOPK, entry("Add", checks=(Check("same_dtype", "error", "kernel", inputs=(0, 1)),)))

    assert said("type-mixed", seen) == [("n1", "its inputs are int32 and int64 on the chip")]
    assert said("type-mixed", checked) == []


def test_two_inputs_that_differ_on_the_chip_alone_are_told() -> None:
    text = """(float[9] x) => (float[3] v, int64[3] y) <int64[1] k = {3}> {
      v, i = TopK (x, k)
      a = ArgMax <axis = 0> (x)
      y = Add (i, a)
    }"""
    least = entry("ArgMax", checks=(Check("output_dtype_actual", "warn", "kernel", actual="int16"),))

    assert said("type-mixed", view(text, TOPK, least)) == [
        ("n2", "its inputs are int16 and int32 on the chip")
    ]


def test_an_output_of_another_type_is_told_with_the_cast() -> None:
    text = "(float[9] x) => (float[3] v, int64[3] i) <int64[1] k = {3}> { v, i = TopK (x, k) }"

    assert spots("output-type", view(text, TOPK)) == [
        Spot("i", "the graph says int64, the chip writes int32", fix="cast it to int32")
    ]


@pytest.mark.parametrize(
    ("fields", "rule", "spot"),
    [
        ({}, "", ()),
        ({"engine": "both"}, "", ()),
        ({"engine": "aicpu"}, "engine-aicpu", ("it runs on AI CPU", "")),
        ({"engine": "aicpu", "engine_note": "slow"}, "engine-aicpu", ("it runs on AI CPU (slow)", "")),
        ({"engine": "unknown", "engine_note": "fused"}, "engine-unknown",
         ("no kernel of the 310P is known (fused)", "express it by operators of AI Core where it costs time")),
        ({"documented_opsets": (12, 13)}, "op-undocumented",
         ("the vendor's page does not list it at opset 11", "")),
        ({"documented_opsets": (9, 11)}, "", ()),
    ],
)  # fmt: skip
def test_where_an_operator_runs(fields: dict[str, Any], rule: str, spot: Any) -> None:
    seen = view(RELU.replace("KIND", "float"), entry("Relu", **fields))

    for name in ("engine-aicpu", "engine-unknown", "op-undocumented", "op-unknown"):
        found = [(item.why, item.fix) for item in spots(name, seen)]
        assert found == ([spot] if name == rule else [])


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("Far", "express it by other operators, or fold it away before"),
        ("far.Relu", "write it in the default domain"),
        ("convertkit.ascend.Relu", "vendor operators are BatchMultiClassNMS and RoiExtractor"),
        ("RoiExtractor", "it is known at opsets 8 to 16"),
    ],
)
def test_what_an_unknown_operator_may_have_meant(name: str, fix: str) -> None:
    seen = View(named(f"(float[2] x) => (float[2] y) {{ y = {name} (x) }}", opset=17, domains=("far",)))

    (found,) = spots("op-unknown", seen)

    version = 1 if "far" in name else 0 if "." in name else 17
    assert (found.why, found.fix) == (f"the parser does not know it at opset {version}", fix)


INNER = """(bool c, float[2] x) => (float[2] y) {
  y = If (c) <then_branch = t () => (float[2] p) { p = near.Neg (x) },
              else_branch = e () => (float[2] q) { q = Relu (x) }>
}"""


def test_rules_about_operators_look_into_branches() -> None:
    seen = view(INNER, entry("If"), entry("Relu", documented_opsets=(12,)))
    both = view(INNER.replace("If (c)", "Other (c)"))

    assert [spot.where for spot in spots("op-unknown", seen)] == ["<p>"]
    assert [spot.where for spot in spots("op-undocumented", seen)] == ["<q>"]
    assert said("domain-import", seen) == [("<p>", "domain 'near' is not imported")]
    assert [(spot.why, spot.severity) for spot in spots("subgraph", seen)] == [
        ("it holds a subgraph; of the branches only the operators were looked at", "warning")
    ]
    assert [(spot.why, spot.severity) for spot in spots("subgraph", both)] == [
        ("it holds a subgraph", "error")
    ]


# the graph as a whole


@pytest.mark.parametrize(
    ("opset", "own", "why", "fix", "severity"),
    [
        (11, False, "", "", None),
        (18, False, "", "", None),
        (10, False, "opset 10 is outside 11 to 18 of the manual; the open parser takes it", "11", "warning"),
        (8, False, "opset 8 is outside 11 to 18 of the manual; the open parser takes it", "11", "warning"),
        (7, False, "opset 7 is outside 11 to 18", "11", None),
        (19, False, "opset 19 is outside 11 to 18", "18", None),
        (16, True, "", "", None),
        (17, True, "opset 17 is outside 11 to 16", "16", None),
        (10, True, "opset 10 is outside 11 to 16", "11", None),
    ],
)
def test_opsets_inside_and_outside_of_the_window(
    opset: int, own: bool, why: str, fix: str, severity: Any
) -> None:
    name = f"{ops.DOMAIN}.RoiExtractor" if own else "Relu"
    text = f"(float[2] x) => (float[2] y) {{ y = {name} (x) }}"

    found = spots("opset-window", view(text, opset=opset, domains=(ops.DOMAIN,)))

    assert found == (
        [Spot("", why, "", f"convert-opset{{to={fix}}} in front of the other passes", severity)]
        if why
        else []
    )


def test_inputs_and_outputs_that_a_graph_must_have() -> None:
    whole = view("(float[2] x) => (float[2] y) { y = Relu (x) }")
    none = view("() => () { y = Far () }")

    assert said("interface", whole) == []
    assert [(spot.why, spot.fix) for spot in spots("interface", none)] == [
        ("the graph has no input", "give it an input"),
        ("the graph has no output", "give it an output"),
    ]


def test_types_that_an_input_may_have() -> None:
    text = "(float[2] a, float16[2] b, uint8[2] c, int64[2] d) => (float[2] y) { y = Far (a, b, c, d) }"

    assert [(spot.where, spot.why, spot.severity) for spot in spots("input-type", view(text))] == [
        ("d", "graph input of type int64, documented are float32, float16, uint8", "warning")
    ]


def test_names_that_are_taken() -> None:
    seen = View(named("(float[2] x) => (float[2] y) <float[2] b = {1, 2}, float[2] a = {1, 2}> "
                      "{ c = Add (x, a) d = Add (c, b) e = Relu (d) f = Relu (e) y = Relu (f) }"))  # fmt: skip
    names = ["a_Initializer_0", "b_Initializer_1", "a_Initializer_1", "x", "b;c"]
    for node, name in zip(seen.graph.node, names, strict=True):
        node.name = name

    found = [(spot.where, spot.why, spot.severity) for spot in spots("node-name", View(seen.model))]

    rename = "an initializer becomes a node of this name"
    assert sorted(found, key=str) == [
        ("a_Initializer_0", rename, None),
        ("b;c", "; and : in the name cannot be written in --out_nodes", "warning"),
        ("b_Initializer_1", rename, None),
        ("x", "a graph input has this name", None),
    ]


def test_names_that_unnamed_nodes_get() -> None:
    text = "(float[2] x) => (float[2] y) { a = Relu (x) b = Abs (a) c = Relu (b) d = Relu (c) y = Relu (d) }"

    def edit(model: onnx.ModelProto) -> None:
        for node, name in zip(model.graph.node, ["", "Relu_2", "", "", "Relu_0"], strict=True):
            node.name = name

    assert said("node-name-generated", subject(text, edit)) == [
        ("<a>", "it may be called Relu_0, which is taken"),
        ("<c>", "it may be called Relu_2, which is taken"),
        ("<d>", "it may be called Relu_2, which is taken"),
    ]


def test_an_input_is_not_called_as_the_node_of_an_initializer() -> None:
    text = """(float[2] a_Initializer_0, float[2] a_Initializer_1, float[2] b_Initializer_1) => (float[2] y)
    <float[2] b = {1, 2}, float[2] a = {1, 2}> { y = Far (a, b) }"""

    assert said("input-name", subject(text)) == [
        ("a_Initializer_0", "initializer a becomes a node of this name"),
        ("b_Initializer_1", "initializer b becomes a node of this name"),
    ]


def test_domains_imported_twice() -> None:
    def imports(*pairs: tuple[str, int]) -> list[Spot]:
        def edit(model: onnx.ModelProto) -> None:
            model.opset_import.extend(helper.make_opsetid(*pair) for pair in pairs)

        return spots("opset-import-twice", subject("(float[2] x) => (float[2] y) { y = Relu (x) }", edit))

    assert imports(("far", 1)) == []
    assert imports(("ai.onnx", 11)) == [
        Spot("", "ai.onnx is imported at 11, 11; 11 counts", severity="warning")
    ]
    assert imports(("", 12), ("far", 1), ("far", 2)) == [
        Spot("", "ai.onnx is imported at 11, 12; 12 counts", severity="error"),
        Spot("", "far is imported at 1, 2; 2 counts", severity="error"),
    ]


# shapes, attributes, outputs


def test_where_a_shape_opens_or_holds_nothing() -> None:
    text = """(float[n] a, float[0] z, float[9] x) => (int64[p,q] y) <float[0] w = {}> {
      y = NonZero (x)
      b = Abs (y)
      c = Relu (z)
      d = Relu (a)
    }"""

    seen = View(named(text))

    assert said("shape-dynamic", seen) == [
        ("a", "graph input without a static shape"),
        ("n0", "its output y has shape (1, ?)"),
    ]
    assert said("shape-empty", seen) == [
        ("z", "z has shape (0): nothing in it"),
        ("n2", "c has shape (0): nothing in it"),
    ]


def test_attributes_that_the_parser_reads_and_does_not() -> None:
    text = """(float[2] x) => (float[2] y) {
      y = Relu <read = 1, any = 1.5, wrong = 1.5, asked = 1.5, unread = 7, listed = 1, named = 2> (x)
      z = Softmax <axis = 2> (x)
      w = Softmax <axis = -1> (x)
      k = Constant <far = 1> ()
      f = Far <far = 1> (x)
    }"""
    reads = {"read": "INT", "any": "any", "wrong": "INT", "asked": "INT"}
    checks = (
        Check("attr_type", "error", "plugin", name="asked", type="INT"),
        Check("attr_absent", "error", "plugin", names=("listed",)),
        Check("attr_in", "error", "plugin", name="named", values=(2,)),
    )
    seen = view(
        text, entry("Relu", attrs_read=reads, checks=checks), entry("Softmax"), entry("Constant"), opset=13
    )

    assert said("attr-type", seen) == [("n0", "wrong must be INT, it is FLOAT and would be ignored")]
    assert said("attr-unread", seen) == [
        ("n0", "the parser does not read unread = 7"),
        ("n1", "the parser does not read axis = 2"),
    ]


def typed(text: str, *entries: OpRule, keeps: Any = lambda node, operator: False, **outputs: Any) -> Typed:
    seen = view(text, *entries) if entries else View(named(text))
    declared = {name: helper.make_tensor_type_proto(*pair) for name, pair in outputs.items()}
    return Typed(seen, declared, operators("ascend310p", None), keeps)


@pytest.mark.parametrize(
    ("kind", "shape", "why"),
    [
        (1, [2, 3], ""),
        (1, None, ""),
        (1, ["n", 3], ""),
        (0, [2, 3], ""),
        (0, [2, 4], "the file says [2, 4], the graph computes [2, 3]"),
        (7, [2, 4], "the file says int64, the graph computes float32"),
        (1, ["n", 4], "the file says [None, 4], the graph computes [2, 3]"),
        (1, [2], "the file says [2], the graph computes [2, 3]"),
        (1, [2, 3, 1], "the file says [2, 3, 1], the graph computes [2, 3]"),
    ],
)
def test_what_the_file_says_of_an_output(kind: int, shape: Any, why: str) -> None:
    seen = typed("(float[2,3] x) => (float[2,3] y) { y = Relu (x) }", y=(kind, shape))

    assert said("output-declared", seen) == ([("y", why)] if why else [])


def test_outputs_of_64_bits_that_are_so_on_the_chip_too() -> None:
    text = "(int64[9] x) => (int64[9] y, int64[3] i, int32[9] z) <int64[1] k = {3}> " \
        "{ y = Neg (x) f = Cast <to = 1> (x) v, i = TopK (f, k) z = Cast <to = 6> (x) }"  # fmt: skip

    assert said("output-int64", typed(text)) == [("y", "the output is int64")]


@pytest.mark.parametrize(
    ("fields", "kept", "why", "severity"),
    [
        ({"dtypes": {"x": ("float16",)}}, True, "ReluD has float16 kernels only, and float32 is to be kept", None),
        ({"dtypes": {"x": ("float16",)}}, False, "", None),
        ({"dtypes": {"x": ("float16",)}, "engine": "both"}, True,
         "ReluD has float16 kernels only on AI Core; keeping float32, it runs on AI CPU", "warning"),
        ({"dtypes": {"x": ("float16", "float32")}}, True, "", None),
        ({"dtypes": {"x": ("float16", "float32")}, "engine": "both"}, True, "", None),
        ({"dtypes": {"x": ("int32",)}, "engine": "both"}, True, "", None),
    ],
)  # fmt: skip
def test_what_is_to_stay_in_float32(fields: dict[str, Any], kept: bool, why: str, severity: Any) -> None:
    def keeps(node: str, operator: str) -> bool:
        return kept and (node, operator) == ("n0", "ReluD")

    for kind, lines in (("float", [("n0", why, severity)] if why else []), ("float16", [])):
        seen = typed(RELU.replace("KIND", kind) if kind else "", entry("Relu", **fields), keeps=keeps)
        assert [(spot.where, spot.why, spot.severity) for spot in spots("float32-kept", seen)] == lines


# vendor operators


def test_attributes_that_a_vendor_operator_does_not_read() -> None:
    nms = NMS.replace(
        "max_total_size = 5", "max_total_size = 5, b = 1, a = 1, transpose_box = 1, image_size = [8]"
    )
    twin = nms.replace("BatchMultiClassNMS", "NPUBatchNms")
    off = nms.replace("transpose_box = 1", "transpose_box = 0")

    assert said("vendor-attribute", typed(nms)) == [
        ("n0", f"{name} is not read") for name in ("a", "b", "transpose_box")
    ]
    for text in (twin, off):
        assert said("vendor-attribute", typed(text)) == [("n0", "a is not read"), ("n0", "b is not read")]
    assert said("nms-image-size", typed(nms)) == [("n0", "image_size is [8]")]
    assert said("nms-image-size", typed(NMS)) == []
    assert said("nms-image-size", typed(ROI.replace("<", "<image_size = [8], "))) == []


NOTED = NMS.replace("max_total_size = 5", "max_total_size = 129").replace("[1,5,4]", "[1,129,4]")


@pytest.mark.parametrize(
    ("text", "limits", "notes"),
    [
        (NMS, [], []),
        (NOTED, [], ["with max_total_size 129 nmsed_num does not count the last slot"]),
        (NOTED.replace("(b, s)", "(b)"), [], []),
        (NOTED.replace("(b, s)", '(b, "")'), [], None),
        (NOTED.replace("iou_threshold = 0.5", "iou_threshold = 1.5"),
         ["iou_threshold must be 0.0 to 1.0, it is 1.5"], []),
        (NOTED.replace("[1,9,3]", "[1,8,3]"),
         ["boxes (1, 9, 1, 4) and scores (1, 8, 3) differ in batch or number"], []),
        (NOTED.replace("[1,9,3]", "[1,n,3]"), [], None),
        (NOTED.replace("iou_threshold = 0.5, ", ""), [], []),
        (ROI, [], []),
        (ROI.replace("<", "<roi_scale_factor = 0.5, "), [], ["roi_scale_factor is not used by the kernel"]),
        (ROI.replace("<", "<pooled_width = 8, "),
         ["the kernel takes pooled_height for both sides: bins of 7 x 8 come out 7 x 7"], []),
        (ROI.replace("[2,5]", "[2,4]"), ["rois must be (K, 5), they are (2, 4)"], []),
    ],
)  # fmt: skip
def test_limits_and_notes_of_vendor_operators(text: str, limits: list[str], notes: list[str] | None) -> None:
    assert [why for _, why in said("vendor-limit", typed(text))] == limits
    if notes is not None:
        assert [why for _, why in said("vendor-note", typed(text))] == notes


def own(text: str) -> View:
    """The same in convertkit's own domain."""
    for name in ops.names():
        text = text.replace(f" {name} ", f" {ops.DOMAIN}.{name} ")
    return View(named(text, domains=(ops.DOMAIN,)))


def test_the_same_in_convertkits_own_domain() -> None:
    wrong = own(NOTED.replace("iou_threshold = 0.5", "iou_threshold = 1.5"))
    alone = own(NOTED.replace("(b, s)", "(b)"))

    assert spots("vendor-limit", wrong) == [
        Spot("n0", "iou_threshold must be 0.0 to 1.0, it is 1.5", f"{ops.DOMAIN}::BatchMultiClassNMS",
             "change the pass that made the node")
    ]  # fmt: skip
    assert spots("vendor-note", wrong) == spots("vendor-note", alone) == spots("vendor-limit", alone) == []
    assert said("vendor-note", own(NOTED)) == [
        ("n0", "with max_total_size 129 nmsed_num does not count the last slot")
    ]


# nearest pixels


def test_every_nearest_resize_of_a_small_row_is_told_as_onnxruntime_does_it() -> None:
    modes = [
        (place, nearest)
        for place in (
            "asymmetric",
            "tf_half_pixel_for_nn",
            "half_pixel",
            "pytorch_half_pixel",
            "align_corners",
        )
        for nearest in ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil")
    ]
    cases = [
        (size, wanted, *mode)
        for size in (1, 2, 3, 5, 7)
        for wanted in (1, 2, 3, 4, 6, 7, 10)
        for mode in modes
        if not (mode[0] == "align_corners" and wanted == 1)
    ]
    lines = [
        f'y{at} = Resize <mode = "nearest", coordinate_transformation_mode = "{place}", nearest_mode = "{nearest}">'
        f" (x{size}, e, c, s{wanted})"
        for at, (size, wanted, place, nearest) in enumerate(cases)
    ]
    inputs = ", ".join(f"float[1,{size}] x{size}" for size in (1, 2, 3, 5, 7))
    outputs = ", ".join(f"float[1,{wanted}] y{at}" for at, (_, wanted, *_) in enumerate(cases))
    sizes = ", ".join(f"int64[2] s{wanted} = {{1, {wanted}}}" for wanted in (1, 2, 3, 4, 6, 7, 10))
    model = named(
        f"({inputs}) => ({outputs}) <float[0] e = {{}}, float[0] c = {{}}, {sizes}> {{ {' '.join(lines)} }}"
    )
    rows = {f"x{size}": np.arange(size, dtype=np.float32)[None] for size in (1, 2, 3, 5, 7)}

    taken = open_session(model, optimize=False).run(rows)

    for at, (node, (size, wanted, *_)) in enumerate(zip(View(model).nodes, cases, strict=True)):
        plain = np.arange(wanted) * size // wanted
        assert same_as_floor(node) == bool(np.array_equal(taken[f"y{at}"][0], plain)), cases[at]


UP = """(float[1,10] x) => (float[1,n] y) <float[0] e = {}, float[2] s = {1, SCALE}>
{ y = Resize <mode = "nearest", coordinate_transformation_mode = "PLACE", nearest_mode = "floor"> (x, e, s) }"""


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (UP.replace("SCALE", "1.1").replace("PLACE", "asymmetric"), True),
        (UP.replace("SCALE", "1.19").replace("PLACE", "asymmetric"), False),  # although 11 come out of 10 too
        (UP.replace("SCALE", "1.1").replace("PLACE", "tf_crop_and_resize"), None),
        (UP.replace("SCALE", "1").replace("PLACE", "tf_crop_and_resize"), True),
        (UP.replace("SCALE", "1.1").replace("PLACE", "asymmetric").replace("[1,10] x", "[1,n] x"), None),
    ],
)
def test_a_resize_by_scales_and_what_is_not_known(text: str, same: bool | None) -> None:
    assert same_as_floor(View(named(text)).nodes[0]) is same


def test_only_a_nearest_resize_with_plain_places_is_told() -> None:
    wrong = UP.replace("SCALE", "1.1").replace("floor", "ceil")

    def told(text: str) -> list[tuple[str, str]]:
        return said("resize-rounding", View(named(text)))

    for place in ("asymmetric", "tf_half_pixel_for_nn"):
        text = wrong.replace("PLACE", place)
        assert told(text) == [("n0", "nearest_mode ceil is not read: the chip rounds down")]
        assert told(text.replace('"nearest"', '"linear"')) == told(text.replace("[1,10] x", "[1,n] x")) == []
    assert told(wrong.replace("PLACE", "half_pixel")) == []
    assert told(UP.replace("SCALE", "1.1").replace("PLACE", "asymmetric")) == []


# how rules are asked


def test_limits_of_the_table_hold_at_their_opsets_and_remarks_are_none() -> None:
    def rules(opset: int, severity: str) -> list[str]:
        check = Check("dynamic_output", severity, "doc", opset_min=12, opset_max=14)  # type: ignore[arg-type]
        seen = view(RELU.replace("KIND", "float"), entry("Relu", checks=(check,)), opset=opset)
        return [item.rule for item in of_graph(seen) if item.rule == "dynamic-output"]

    assert [opset for opset in range(10, 17) if rules(opset, "error")] == [12, 13, 14]
    assert rules(13, "warn") == ["dynamic-output"]
    assert rules(13, "info") == []


def test_each_rule_is_there_once_and_in_its_place() -> None:
    found = [item.about.id for item in every() if isinstance(item, Rule)]

    assert found[0] == "file-size"
    assert found.index("attr-type") < found.index("type") < found.index("resize-rounding")
    assert len(set(map(id, every()))) == len(every())
