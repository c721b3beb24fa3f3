"""Rules that read the table: is the operator known, and where does it run."""

from __future__ import annotations

from collections.abc import Iterator

from convertkit_ascend import ops
from convertkit_ascend.linter.rule import Spot, rule
from convertkit_ascend.linter.table import every
from convertkit_ascend.linter.view import Node, View

_ELSEWHERE = "express it by operators of AI Core"


@rule(
    "op-unknown",
    fix="express it by other operators",
    source="ascend-facts: parser-opsets; E13010 [run]",
    hides=("subgraph", "shape-dynamic"),
)
def op_unknown(view: View) -> Iterator[Spot]:
    """The parser has a plugin for every operator at its opset."""
    for node in (*view.nodes, *view.inner):
        if node.rule is None and node.vendor is None:
            why = f"the parser does not know it at opset {view.imports.get(node.domain, 0)}"
            yield Spot.at(node, why, _nearest(node))


@rule(
    "op-undocumented",
    fix="export with opset 11",
    severity="warning",
    source="onnx_ops.json, documented_opsets",
)
def op_undocumented(view: View) -> Iterator[Spot]:
    """The vendor's page lists the operator at this opset."""
    for node in (*view.nodes, *view.inner):
        if node.rule is not None and not node.rule.documents(view.opset):
            yield Spot.at(node, f"the vendor's page does not list it at opset {view.opset}")


@rule(
    "engine-aicpu",
    fix=f"{_ELSEWHERE} where it costs time",
    severity="warning",
    source="ascend-facts: kernel-lists [read]",
)
def engine_aicpu(node: Node) -> Iterator[Spot]:
    """Operators run on AI Core."""
    if node.rule and node.rule.engine == "aicpu":
        yield Spot.at(node, f"it runs on AI CPU{_note(node)}")


@rule("engine-unknown", fix=_ELSEWHERE, severity="warning", source="ascend-facts: kernel-lists [read]")
def engine_unknown(node: Node) -> Iterator[Spot]:
    """Some kernel list has the operator."""
    if node.rule and node.rule.engine == "unknown":
        # a fusion may replace it, or may not apply
        yield Spot.at(
            node, f"no kernel of the 310P is known{_note(node)}", f"{_ELSEWHERE} where it costs time"
        )


def _note(node: Node) -> str:
    return f" ({node.rule.engine_note})" if node.rule and node.rule.engine_note else ""


def _nearest(node: Node) -> str:
    if node.domain == ops.DOMAIN:
        return f"vendor operators are {' and '.join(ops.names())}"
    entry = every().get((node.domain, node.proto.op_type))
    if entry is not None:
        whole = len(entry.opsets) == 2
        listed = f"{entry.opsets[0]} to {entry.opsets[-1]}" if whole else str(list(entry.opsets))
        return f"it is known at opsets {listed}"
    if ("", node.proto.op_type) in every():
        return "write it in the default domain"
    return "express it by other operators, or fold it away before"
