"""Causes and fixes that depend on the words of a message, not on its code alone."""

from __future__ import annotations

import re
from collections.abc import Callable

from convertkit_ascend.atc.errors.find import Reported

Advice = tuple[str, str]
"""A cause and a fix; either may be empty where the code's own is as good."""

VENDOR_OPSETS = range(8, 17)
STANDARD_OPSETS = range(8, 19)
"""What the open parser plugins register (ascend-facts: parser-opsets)."""

_VENDOR = ("RoiExtractor", "BatchMultiClassNMS")
_UNREGISTERED = ("E13010", "E19010", "E16002", "EZ9010", "E76002")
_REASON = re.compile(r"Reason:\s*(.+?)\.?$")


def advise(error: Reported) -> Advice:
    """What the words of ``error`` tell beyond its code."""
    for codes, rule in _RULES:
        if error.code in codes and (advice := rule(error.text)) is not None:
            return advice
    reason = _REASON.search(error.text)
    return (reason[1] if reason else "", "")


def _unregistered(text: str) -> Advice | None:
    """``domain::opset::Type`` is the key under which an operator is looked up (ascend-facts: parser-key)."""
    key = re.search(r"([\w.]+)::(\d+)::(\w+)", text)
    if key is None:
        return None
    domain, opset, op = key[1], int(key[2]), key[3]
    if domain != "ai.onnx":
        return f"{op} is in the domain {domain}, which the parser does not know", "clear the node's domain"
    known = VENDOR_OPSETS if op in _VENDOR else STANDARD_OPSETS
    if opset not in known:
        span = f"{known.start} to {known.stop - 1}"
        return f"{op} at opset {opset}: it is registered for opset {span}", f"export at opset {span}, best 11"
    return f"no plugin of this release knows {op} at opset {opset}", "replace the node, or deploy its plugin"


def _chip(text: str) -> Advice | None:
    if "soc_version" not in text:
        return None
    return (
        "this release of CANN does not know the chip, or the operator package of the chip is not installed",
        'the name is "Ascend" and what npu-smi info shows; from CANN 8.5 install the ops package of the chip',
    )


def _fusion(text: str) -> Advice | None:
    found = re.search(r"fusion pass \[?(\w+)\]?", text)
    return found and ("", f"replace the pattern, or set fusion_off: [{found[1]}] (--fusion_switch_file)")


def _kernels(text: str) -> Advice | None:
    """An operator that every chip of the table has a kernel of: not the operator lacks, its package does."""
    from convertkit_ascend.linter.table import every

    found = re.search(r"optype:? ?\[(?:[\w.]+::\d+::)?(\w+)\]", text, re.IGNORECASE)
    missing = "not found in this op store" in text
    rules = [rule for rule in every().values() if found and found[1] in (rule.onnx_op, rule.main_ir)]
    if not missing and not any(rule.engine == "both" for rule in rules):
        return None
    who = found[1] if found else "this operator"
    return (
        f"{who} has kernels everywhere: the operator package (OPP) of the chip is not installed, or not found",
        "install the chip's kernels (ops) package of the toolkit's release; source set_env.sh (ASCEND_OPP_PATH); "
        "else cast its inputs to a listed type",
    )


_RULES: tuple[tuple[tuple[str, ...], Callable[[str], Advice | None]], ...] = (
    (_UNREGISTERED, _unregistered),
    (("E10001", "E10003", "E10014", "E10015"), _chip),
    (("E20007",), _fusion),
    (("EZ3002", "EZ3003"), _kernels),
)
