"""Rules about element types, as the chip computes them.

The compiler's default precision mode force_fp16 inserts casts between float32 and float16
(ascend-facts: atc-precision), so a kernel that has one of the two takes both. Nothing casts integers.
"""

from __future__ import annotations

from collections.abc import Iterator

from convertkit_ascend.linter.rule import Spot, rule
from convertkit_ascend.linter.schemas import is_variable, schema_of, type_variables
from convertkit_ascend.linter.view import Node, View


@rule("type", fix="cast it", source="ascend-facts: kernel-lists [read]")
def data_type(view: View) -> Iterator[Spot]:
    """A kernel takes the type of the main data input."""
    for node, kind, kinds, on_cpu in _unfit(view):
        if not on_cpu:
            yield Spot.at(node, f"no kernel takes {kind}", f"cast to {kinds}")


@rule("type-aicpu", fix="cast it", severity="warning", source="ascend-facts: kernel-lists [read]")
def type_aicpu(view: View) -> Iterator[Spot]:
    """AI Core takes the type of the main data input."""
    for node, kind, kinds, on_cpu in _unfit(view):
        if on_cpu:
            yield Spot.at(node, f"{kind} runs on AI CPU only", f"AI Core takes {kinds}")


def _unfit(view: View) -> Iterator[tuple[Node, str, str, bool]]:
    """Nodes, types of their data, types that AI Core takes instead, and whether AI CPU takes them as they are."""
    for node in view.nodes:
        table, kind = node.rule, node.chip_type(0)
        if table is None or not kind or not table.data_types or node.op == "Cast":
            continue
        if not _fits(kind, table.data_types):
            open_ = table.engine == "both" and not table.aicpu_data_types
            yield node, kind, ", ".join(table.data_types), open_ or _fits(kind, table.aicpu_data_types)


@rule("cast-pair", fix="cast in two steps", source="ascend-facts: cast-pairs [read]")
def cast_pair(view: View) -> Iterator[Spot]:
    """A kernel knows every pair of types of a Cast."""
    for node in view.nodes:
        if node.op != "Cast" or node.rule is None or not node.rule.cast_pairs or not node.outputs:
            continue
        source, target = node.chip_type(0), view.dtype(node.outputs[0])
        known = node.rule.cast_pairs.get(source, ())
        if not source or not target or source == target or target in known:
            continue
        on_cpu = source in node.rule.aicpu_data_types and target in node.rule.aicpu_data_types
        why = f"{source} to {target} {'runs on AI CPU only' if on_cpu else 'has no kernel'}"
        fix = f"on AI Core {source} becomes {', '.join(known) or 'nothing'}"
        yield Spot.at(node, why, fix, "warning" if on_cpu else "error")


@rule(
    "type-mixed",
    fix="cast them to one type",
    source="ascend-facts: topk-indices [run for the IR]",
)
def type_mixed(view: View) -> Iterator[Spot]:
    """Inputs of one type have one type on the chip too; indices of TopK are int32 there."""
    for node in view.nodes:
        schema = schema_of(node.proto, view.opset)
        checked = any(check.kind == "same_dtype" for check in node.checks)
        if schema is None or checked or not any(name in view.actual for name in node.inputs):
            continue
        bound: dict[str, set[str]] = {}
        for place, variable in enumerate(type_variables(schema.inputs, len(node.inputs))):
            if is_variable(variable) and node.chip_type(place):
                bound.setdefault(variable, set()).add(node.chip_type(place))
        for kinds in bound.values():
            if len(kinds) > 1:
                yield Spot.at(node, f"its inputs are {' and '.join(sorted(kinds))} on the chip")


@rule("output-type", fix="cast it", source="ascend-facts: topk-indices, parser-outputs [run for the IR]")
def output_type(view: View) -> Iterator[Spot]:
    """A graph output has the type that the chip writes."""
    for value in view.outputs:
        actual = view.actual.get(value.name)
        if actual is not None:
            why = f"the graph says {view.dtype(value.name)}, the chip writes {actual}"
            yield Spot(value.name, why, fix=f"cast it to {actual}")


def _fits(kind: str, kinds: tuple[str, ...]) -> bool:
    halves = {"float16", "float32"}
    return kind in kinds or (kind in halves and bool(halves & set(kinds)))
