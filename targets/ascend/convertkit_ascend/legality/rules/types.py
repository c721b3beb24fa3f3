"""Rules about element types, as the chip computes them.

The compiler's default precision mode force_fp16 inserts casts between float32 and float16
(ascend-facts: atc-precision), so a kernel that has one of the two takes both. Nothing casts integers.
"""

from __future__ import annotations

from collections.abc import Iterator

from convertkit_ascend.legality.schemas import is_variable, schema_of, type_variables
from convertkit_ascend.legality.view import Node, View
from convertkit_ascend.legality.violation import Violation


def data_types(view: View) -> Iterator[Violation]:
    """The main data input must have a type that a kernel takes."""
    for node in view.nodes:
        rule, kind = node.rule, _kind(node, 0)
        if (
            rule is None
            or not kind
            or not rule.data_types
            or _fits(kind, rule.data_types)
            or node.op == "Cast"
        ):
            continue
        if _fits(kind, rule.aicpu_data_types) or (rule.engine == "both" and not rule.aicpu_data_types):
            why, fix = f"{kind} runs on AI CPU only", f"AI Core takes {', '.join(rule.data_types)}"
            yield Violation(node.name, node.op, "type-aicpu", why, fix, "warning")
        else:
            yield Violation(
                node.name, node.op, "type", f"no kernel takes {kind}", f"cast to {', '.join(rule.data_types)}"
            )


def casts(view: View) -> Iterator[Violation]:
    """A Cast must be between types that a kernel knows as a pair."""
    for node in view.nodes:
        if node.op != "Cast" or node.rule is None or not node.rule.cast_pairs or not node.outputs:
            continue
        source, target = _kind(node, 0), view.dtype(node.outputs[0])
        if not source or not target or source == target or target in node.rule.cast_pairs.get(source, ()):
            continue
        aicpu = source in node.rule.aicpu_data_types and target in node.rule.aicpu_data_types
        why = f"{source} to {target} {'runs on AI CPU only' if aicpu else 'has no kernel'}"
        fix = f"on AI Core {source} becomes {', '.join(node.rule.cast_pairs.get(source, ())) or 'nothing'}"
        yield Violation(node.name, node.op, "cast-pair", why, fix, "warning" if aicpu else "error")


def mixed(view: View) -> Iterator[Violation]:
    """Inputs that ONNX binds to one type must have one type on the chip: int32 indices clash with int64 constants."""
    for node in view.nodes:
        schema = schema_of(node.proto, view.opset)
        checked = node.rule is not None and any(check.kind == "same_dtype" for check in node.rule.checks)
        if schema is None or checked or not any(name in view.actual for name in node.inputs):
            continue
        bound: dict[str, set[str]] = {}
        variables = type_variables(schema.inputs, len(node.inputs))
        for place, variable in enumerate(variables):
            if is_variable(variable) and _kind(node, place):
                bound.setdefault(variable, set()).add(_kind(node, place))
        for kinds in bound.values():
            if len(kinds) > 1:
                why = f"its inputs are {' and '.join(sorted(kinds))} on the chip"
                yield Violation(node.name, node.op, "type-mixed", why, "cast them to one type")


def outputs(view: View) -> Iterator[Violation]:
    """A graph output has the type the chip computes, whatever the graph declares (ascend-facts: parser-outputs)."""
    for value in view.outputs:
        if value.name in view.actual:
            why = f"the graph says {view.dtype(value.name)}, the chip writes {view.actual[value.name]}"
            yield Violation(value.name, "", "output-type", why, f"cast it to {view.actual[value.name]}")


def _kind(node: Node, place: int) -> str:
    name = node.input(place)
    return node.view.actual.get(name, node.view.dtype(name)) if name else ""


def _fits(kind: str, kinds: tuple[str, ...]) -> bool:
    halves = {"float16", "float32"}
    return kind in kinds or (kind in halves and bool(halves & set(kinds)))
