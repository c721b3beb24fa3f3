"""Rules that read the table: is the operator known, where does it run, does the node keep its limits."""

from __future__ import annotations

from collections.abc import Iterator

from convertkit_ascend import ops
from convertkit_ascend.legality.checks import FIXES, GENERAL_FIX, KINDS
from convertkit_ascend.legality.table import every
from convertkit_ascend.legality.view import Node, View
from convertkit_ascend.legality.violation import Violation


def known(view: View) -> Iterator[Violation]:
    """The parser must have a plugin for ``domain::opset::type`` (E13010, E16002)."""
    for node in (*view.nodes, *view.inner):
        if node.rule is None and node.vendor is None:
            why = f"the parser does not know it at opset {view.imports.get(node.domain, 0)}"
            yield Violation(node.name, node.op, "op-unknown", why, _nearest(node))
        elif node.rule is not None and not node.rule.documents(view.opset):
            why = f"the vendor's page does not list it at opset {view.opset}"
            yield Violation(node.name, node.op, "op-undocumented", why, "export with opset 11", "warning")


def engine(view: View) -> Iterator[Violation]:
    """AI CPU works and is slow; what is in no kernel list needs a fusion that may or may not apply."""
    for node in view.nodes:
        if node.rule is None or node.rule.engine not in ("aicpu", "unknown"):
            continue
        aicpu = node.rule.engine == "aicpu"
        where = "it runs on AI CPU" if aicpu else "no kernel of the 310P is known"
        note = f" ({node.rule.engine_note})" if node.rule.engine_note else ""
        fix = "express it by operators of AI Core where it costs time"
        yield Violation(
            node.name, node.op, "engine-aicpu" if aicpu else "engine-unknown", where + note, fix, "warning"
        )


def limits(view: View) -> Iterator[Violation]:
    """The checks of the table; those of severity ``info`` are remarks and left out."""
    for node in view.nodes:
        for check in node.rule.checks if node.rule else ():
            if check.severity == "info" or not check.opset_min <= view.opset <= check.opset_max:
                continue
            why = KINDS[check.kind](node, check)
            if why is not None:
                effect = ", else it runs on AI CPU" if check.effect == "aicpu" else ""
                yield Violation(
                    node.name,
                    node.op,
                    check.kind.replace("_", "-"),
                    why + effect,
                    FIXES.get(check.kind, GENERAL_FIX),
                    "error" if check.severity == "error" else "warning",
                )


def _nearest(node: Node) -> str:
    if node.domain == ops.DOMAIN:
        return f"vendor operators are {' and '.join(ops.names())}"
    entry = every().get((node.domain, node.proto.op_type))
    if entry is not None:
        listed = (
            f"{entry.opsets[0]} to {entry.opsets[-1]}" if len(entry.opsets) == 2 else str(list(entry.opsets))
        )
        return f"it is known at opsets {listed}"
    if ("", node.proto.op_type) in every():
        return "write it in the default domain"
    return "express it by other operators, or fold it away before"
