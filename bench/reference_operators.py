"""The operators of convertkit's own domain and of the Ascend target, for docs/reference/operators.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from convertkit_ascend.ops import registry

from bench.reference import ROOT, table, words
from convertkit.heads.domain import HEADS
from convertkit.heads.nms import MULTICLASS_NMS
from convertkit.heads.roi import MULTILEVEL_ROI_ALIGN
from convertkit.plugins.loading import open_plugins


def operators() -> dict[str, Any]:
    """``domain.name`` -> operator, heads first."""
    open_plugins()
    heads = {f"{HEADS}.{op.name}": op for op in (MULTICLASS_NMS, MULTILEVEL_ROI_ALIGN)}
    return {**heads, **{f"{registry.DOMAIN}.{name}": registry.get(name) for name in registry.names()}}


def statements(name: str) -> list[str]:
    """The headings of docs/ascend-facts.md about a vendor operator."""
    text = (ROOT / "docs" / "ascend-facts.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {name}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"^### (\S+)$", section[1], re.MULTILINE) if section else []


def every_operator() -> Iterator[str]:
    for name, op in operators().items():
        yield f"## {name}\n\n{words(op.doc)}\n\n{_tensors(op)}\n{_attributes(op)}{_sources(op)}"


def _tensors(op: Any) -> str:
    rows = [
        (kind, f"`{each.name}`", f"`{each.type}`", f"{words(each.doc)}{_option(each)}")
        for kind, listed in (("input", op.inputs), ("output", op.outputs))
        for each in listed
    ]
    return table(("", "name", "type", ""), rows)


def _option(each: Any) -> str:
    return "" if each.option == "single" else f" ({each.option})"


def _attributes(op: Any) -> str:
    rows = [
        (
            f"`{each.name}`",
            f"`{each.kind}`",
            "required" if each.default is None else f"`{each.default}`",
            _range(each),
            words(each.doc),
        )
        for each in op.attributes
    ]
    return table(("attribute", "type", "default", "values", ""), rows) + "\n" if rows else ""


def _range(each: Any) -> str:
    if each.choices:
        return " or ".join(f"`{choice}`" for choice in each.choices)
    low, high = each.low, each.high
    if low is None and high is None:
        return "any"
    return f"{low} or more" if high is None else f"{high} or less" if low is None else f"{low} to {high}"


def _sources(op: Any) -> str:
    semantics = ", ".join(getattr(op, "semantics", ())) or "the reference in fp32"
    facts = ", ".join(f"[{name}](../ascend-facts.md#{name})" for name in statements(op.name))
    said = f" Read in: {facts}. What the kernel is taken to compute: [without a chip](../without-a-chip.md)."
    return f"Semantics on the host: {semantics}.{said if facts else ''}\n"
