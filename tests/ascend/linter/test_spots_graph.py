"""What the rules about the graph, its shapes and outputs say, word by word, and what they do not."""

from __future__ import annotations

from typing import Any

import onnx
import pytest
from convertkit_ascend import ops
from convertkit_ascend.linter.rule import Spot
from convertkit_ascend.linter.table import Check
from convertkit_ascend.linter.view import View
from onnx import helper

from tests.ascend.linter.graphs import named
from tests.ascend.linter.spots import RELU, entry, said, spots, subject, typed, view

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
