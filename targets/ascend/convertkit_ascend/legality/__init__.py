"""What the Ascend 310P and its ONNX parser take: a table of operators, and the question whether a graph is inside it.

``rules(opset)`` is the table, ``judge(model)`` the answer. ``onnx_ops.json`` holds the facts; :mod:`.table` says
where they come from.
"""

from __future__ import annotations

from convertkit_ascend.legality.judge import SOCS, judge
from convertkit_ascend.legality.rules import RULES, Rule
from convertkit_ascend.legality.table import Check, OpRule, rules
from convertkit_ascend.legality.view import Node, View
from convertkit_ascend.legality.violation import Severity, Violation

__all__ = [
    "RULES",
    "SOCS",
    "Check",
    "Node",
    "OpRule",
    "Rule",
    "Severity",
    "View",
    "Violation",
    "judge",
    "rules",
]
