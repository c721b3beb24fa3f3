"""Rules about the graph as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from convertkit.api import graphs
from convertkit_ascend import ops
from convertkit_ascend.linter.rule import Spot, rule
from convertkit_ascend.linter.view import View

OPSETS = (11, 18)
"""What the compiler documents for ``--framework=5`` (ascend-facts: parser-opsets); vendor operators: 11 to 16."""

UNDOCUMENTED = (8, 10)
"""Opsets that the open parser takes all the same (ascend-facts: parser-opsets, parser-takes)."""

INPUT_TYPES = ("float32", "float16", "uint8")
"""What the compiler's restrictions allow, uint8 through AIPP (ascend-facts: atc-restrictions)."""


@rule("valid-graph", fix="repair the graph", source="ONNX")
def valid_graph(view: View) -> Iterator[Spot]:
    """Strict shape inference accepts the graph."""
    if view.problem:
        yield Spot("", view.problem, fix="repair the graph; convertkit opt checks every pass")


@rule(
    "opset-window",
    fix="convert-opset in front of the other passes",
    source="ascend-facts: parser-opsets [run]",
)
def opset_window(view: View) -> Iterator[Spot]:
    """The opset is 11 to 18, 11 to 16 with convertkit's own vendor operators; 8 to 10 parse all the same."""
    own = any(node.domain == ops.DOMAIN for node in view.nodes)
    low, high = ops.OPSETS if own else OPSETS
    if "" in view.imports and not low <= view.opset <= high:
        why = f"opset {view.opset} is outside {low} to {high}"
        fix = graphs.opset_remedy(view.opset, low, high)
        if not own and UNDOCUMENTED[0] <= view.opset <= UNDOCUMENTED[1]:
            yield Spot("", f"{why} of the manual; the open parser takes it", fix=fix, severity="warning")
        else:
            yield Spot("", why, fix=fix)


@rule(
    "domain-import",
    fix="add it to opset_import",
    source="ascend-facts: parser-key; E19999 [run]",
    hides=("op-unknown", "shape-dynamic"),
)
def domain_import(view: View) -> Iterator[Spot]:
    """The domain of every node is imported."""
    for node in (*view.nodes, *view.inner):
        if node.domain not in view.imports:
            yield Spot.at(node, f"domain {node.domain!r} is not imported")


@rule("interface", fix="give it one", source="ascend-facts: parser-inputs; E16001 [run]")
def interface(view: View) -> Iterator[Spot]:
    """The graph has an input and an output."""
    for kind, values in (("input", view.inputs), ("output", view.outputs)):
        if not values:
            yield Spot("", f"the graph has no {kind}", fix=f"give it an {kind}")


@rule(
    "input-type",
    fix="feed float32 and cast inside",
    severity="warning",
    source="ascend-facts: atc-restrictions, parser-inputs [documented]; the parser itself takes more [run]",
)
def input_type(view: View) -> Iterator[Spot]:
    """A graph input is float32, float16, or uint8 through AIPP."""
    for value in view.inputs:
        kind = view.dtype(value.name)
        if kind not in INPUT_TYPES:
            why = f"graph input of type {kind or 'unknown'}, documented are {', '.join(INPUT_TYPES)}"
            yield Spot(value.name, why, severity="warning" if kind else "error")


@rule(
    "subgraph",
    fix="export without control flow; cut-loops ends the graph in front of a Loop",
    source="ascend-facts: parser-functions; If works, Loop does not [run]; shapes behind both are open",
)
def subgraph(view: View) -> Iterator[Spot]:
    """No node holds a subgraph; If is taken, but only the operators of its branches are examined."""
    for node in view.nodes:
        if any(True for _ in graphs.bodies(node.proto)):
            why = "it holds a subgraph"
            if node.op == "If":
                why += "; of the branches only the operators were looked at"
            yield Spot.at(node, why, severity="warning" if node.op == "If" else "error")
