"""What the rules about operators and their types say, word by word, and what they do not."""

from __future__ import annotations

from typing import Any

import pytest
from convertkit_ascend.linter.rule import Spot
from convertkit_ascend.linter.table import Check
from convertkit_ascend.linter.view import View

from tests.ascend.linter.graphs import named
from tests.ascend.linter.spots import RELU, entry, said, spots, view


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
