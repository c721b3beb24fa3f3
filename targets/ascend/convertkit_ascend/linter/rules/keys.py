"""Rules about the key ``domain::opset::OpType`` by which the parser finds its plugin."""

from __future__ import annotations

from collections.abc import Iterator

from convertkit.api import graphs, heads
from convertkit_ascend import ops
from convertkit_ascend.domain import plain
from convertkit_ascend.linter.rule import Spot, rule
from convertkit_ascend.linter.subject import Subject


@rule(
    "opset-import-twice",
    fix="keep one import per domain",
    source="ascend-facts: parser-key; the last wins [run]",
)
def opset_import_twice(subject: Subject) -> Iterator[Spot]:
    """A domain is imported once; of two imports the parser silently takes the last."""
    found: dict[str, list[int]] = {}
    for item in subject.proto.opset_import:
        found.setdefault(plain(item.domain), []).append(item.version)
    for domain, versions in found.items():
        if len(versions) > 1:
            name = domain or "ai.onnx"
            same = len(set(versions)) == 1
            why = f"{name} is imported at {', '.join(map(str, versions))}; {versions[-1]} counts"
            yield Spot("", why, severity="warning" if same else "error")


@rule(
    "domain-private",
    fix="examine the file made for ATC; convertkit_ascend.handover.for_atc makes it",
    source="ascend-facts: parser-opsets; E13010 [run]",
    hides=("vendor-limit", "vendor-note", "op-unknown", "opset-window"),
)
def domain_private(subject: Subject) -> Iterator[Spot]:
    """Vendor operators are in the default domain; convertkit's own are for its pipeline only."""
    for node in graphs.every_node(subject.graph):
        if node.domain in (ops.DOMAIN, heads.HEADS):
            yield Spot.at(node, f"the parser has no plugin for {node.domain}::{node.op_type}")


@rule(
    "function-call",
    fix="inline it: onnx.inliner.inline_local_functions",
    source="ascend-facts: parser-functions; not inlined, E13010 [run]",
    hides=("op-unknown", "domain-import", "attr-unread"),
)
def function_call(subject: Subject) -> Iterator[Spot]:
    """No node calls a function of the model; the parser looks for a plugin of that name instead."""
    functions = {(plain(item.domain), item.name) for item in subject.proto.functions}
    for node in subject.graph.node:
        if (plain(node.domain), node.op_type) in functions:
            yield Spot.at(node, f"{node.op_type} is a function of this model")
