"""Rules about the graph as a whole."""

from __future__ import annotations

from collections.abc import Iterator

import convertkit
from convertkit_ascend import ops
from convertkit_ascend.legality.view import View
from convertkit_ascend.legality.violation import Severity, Violation

OPSETS = (11, 18)
"""What the compiler documents for ``--framework=5`` (ascend-facts: parser-opsets); vendor operators: 11 to 16."""

UNDOCUMENTED = (8, 10)
"""Opsets that the open parser takes all the same (ascend-facts: parser-opsets, parser-takes)."""

INPUT_TYPES = ("float32", "float16", "uint8")
"""What the compiler's restrictions allow, uint8 through AIPP (ascend-facts: atc-restrictions)."""


def valid(view: View) -> Iterator[Violation]:
    """Strict shape inference must accept the graph."""
    if view.problem:
        yield Violation(
            "", "", "valid-graph", view.problem, "repair the graph; convertkit opt checks every pass"
        )


def opset(view: View) -> Iterator[Violation]:
    """The opset must be in the window, and every domain a node uses must be imported (ascend-facts: parser-key)."""
    own = any(node.domain == ops.DOMAIN for node in view.nodes)
    low, high = ops.OPSETS if own else OPSETS
    if "" in view.imports and not low <= view.opset <= high:
        why = f"opset {view.opset} is outside {low} to {high}"
        fix = f"export with opset_version={min(max(view.opset, low), high)}"
        taken = not own and UNDOCUMENTED[0] <= view.opset <= UNDOCUMENTED[1]
        if taken:
            why += " of the manual; the open parser takes it"
        yield Violation("", "", "opset-window", why, fix, "warning" if taken else "error")
    for node in (*view.nodes, *view.inner):
        if node.domain not in view.imports:
            why = f"domain {node.domain!r} is not imported"
            yield Violation(node.name, node.op, "domain-import", why, "add it to opset_import")


def interface(view: View) -> Iterator[Violation]:
    """There must be inputs and outputs (E16001), inputs of a type that the compiler takes."""
    for kind, values in (("input", view.inputs), ("output", view.outputs)):
        if not values:
            yield Violation("", "", "interface", f"the graph has no {kind}", f"give it an {kind}")
    for value in view.inputs:
        dtype = view.dtype(value.name)
        if dtype not in INPUT_TYPES:
            why = f"graph input of type {dtype or 'unknown'}, documented are {', '.join(INPUT_TYPES)}"
            severity: Severity = "warning" if dtype else "error"
            yield Violation(value.name, "", "input-type", why, "feed float32 and cast inside", severity)


def subgraphs(view: View) -> Iterator[Violation]:
    """Control flow stays out: of branches only the operators are looked at, and shapes behind them may be dynamic.

    The parser takes ``If`` (ascend-facts: parser-functions), so that one is a warning.
    """
    for node in view.nodes:
        if any(True for _ in convertkit.bodies(node.proto)):
            why, fix = "it holds a subgraph", "export without control flow"
            severity: Severity = "warning" if node.op == "If" else "error"
            if node.op == "If":
                why += "; of the branches only the operators were looked at"
            yield Violation(node.name, node.op, "subgraph", why, fix, severity)
