"""On what the rules of ``convertkit lint`` rest: a count, since the rules say it one by one themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable

from convertkit_ascend.linter.rules import catalogue

KINDS = (
    (r"documented_opsets|\[documented\]", "`documented`: the vendor's pages only"),
    (r"\[run", "`run`: seen in a run of the open parser"),
    (
        r"\((?=[^)]*\b(?:plugin|parser|kernel|opsinfo|fusion)\b)",
        "`read`: sources and lists of CANN's operators",
    ),
    (r"\[read\]", "`read`: sources and lists of CANN's operators"),
    (r"\((?:doc|doc5)(?:, doc5)?\)", "`documented`: the vendor's pages only"),
    (r"\[reported\]", "`reported`: users' words"),
    (r"\[derived\]", "`derived`: our conclusion"),
    (r"^ONNX", "`ONNX`: its shape inference refuses the graph"),
    (r"^onnx_ops\.json", "`mixed`: several of these at once"),
)
"""What a rule's source looks like, and how good that is; the first that matches counts."""


def kind_of(source: str) -> str:
    """How good a rule's source is.

    Raises:
        ValueError: it looks like none of them.
    """
    for pattern, kind in KINDS:
        if re.search(pattern, source):
            return kind
    raise ValueError(f"a source of no known form: {source!r}")


def counts() -> Iterable[tuple[str, list[str]]]:
    """``(kind, ids of its rules)``, most rules first."""
    found: dict[str, list[str]] = {kind: [] for _, kind in KINDS}
    for rule in catalogue():
        found[kind_of(rule.source)].append(rule.id)
    return sorted(found.items(), key=lambda item: -len(item[1]))
