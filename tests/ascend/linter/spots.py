"""What a rule says of a graph in ONNX text, for the tests of every place that rules name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import onnx
from convertkit_ascend.linter.kernels import operators
from convertkit_ascend.linter.rule import Spot
from convertkit_ascend.linter.rules import about
from convertkit_ascend.linter.subject import InputShape, Subject
from convertkit_ascend.linter.table import OpRule
from convertkit_ascend.linter.typed import Typed
from convertkit_ascend.linter.view import Node, View
from onnx import helper

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


# operators, by a table of their own


def entry(name: str, **fields: Any) -> OpRule:
    return OpRule(onnx_op=name, opsets=(8, 18), main_ir=f"{name}D", **{"engine": "aicore", **fields})


def view(text: str, *entries: OpRule, opset: int = 11, domains: tuple[str, ...] = ()) -> View:
    table = {(item.domain, item.onnx_op): item for item in entries}
    return View(named(text, opset=opset, domains=domains), table)


RELU = "(KIND[2] x) => (KIND[2] y) { y = Relu (x) }"


def typed(text: str, *entries: OpRule, keeps: Any = lambda node, operator: False, **outputs: Any) -> Typed:
    seen = view(text, *entries) if entries else View(named(text))
    declared = {name: helper.make_tensor_type_proto(*pair) for name, pair in outputs.items()}
    return Typed(seen, declared, operators("ascend310p", None), keeps)
