"""Which nodes of our graph an error speaks of, and where they came from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_NAMED = (
    re.compile(r"\bOp(?::| name:?)? ?\[([^\],]+), ?optype:? ?\[([^\]]+)\]"),
    re.compile(r"\bOp: (\S+?), ?optype: (\S+?)\.?(?:\s|$)"),
    re.compile(r"\bfor \[([^\]]+)\], ?optype \[([^\]]+)\]"),
    re.compile(r"\bOp \[([^\]]+)\]\.? \(optype: \[([^\]]+)\]\)"),
    re.compile(r"\bOp \[([^\]]+)\], ?optype \[([^\]]+)\]"),
    re.compile(r"\bnode: ?([^\s(,\[\]]+)\((\w+)\)"),
)
_UNTYPED = (
    re.compile(r"\b[Oo]pname \[?([^\]\s]+)\]? specified"),
    re.compile(r"\bOp \[([^\],]+)\]"),
    re.compile(r"\bop(?:erator)? ?\[([^\]]+)\]"),
)
_TOKEN = re.compile(r"[^\s\[\](),;'\"]+")


@dataclass(frozen=True)
class NodeAt:
    """A node an error names; ``op_type`` and ``origin`` are empty where unknown."""

    name: str
    op_type: str = ""
    origin: str = ""


def nodes_in(lines: Iterable[str], origins: Mapping[str, str]) -> tuple[NodeAt, ...]:
    """The nodes named in ``lines``, those of our graph first.

    The compiler makes names of its own out of ours (``PartitionedCall_/Gather_107_gatherv2_729``): the longest name of
    ``origins`` inside such a name is taken.

    Args:
        origins: node name of our graph -> where it came from.
    """
    named: dict[str, str] = {}
    known: dict[str, None] = {}
    for line in lines:
        for pattern in _NAMED:
            named.update({match[1]: match[2] for match in pattern.finditer(line)})
        for pattern in _UNTYPED:
            named.update({match[1]: named.get(match[1], "") for match in pattern.finditer(line)})
        for token in _TOKEN.findall(line):
            if (own := _own(token.rstrip(".:"), origins)) is not None:
                known[own] = None
    ours = [NodeAt(name, named.get(name, ""), origins[name]) for name in known]
    strangers = [
        NodeAt(name, op) for name, op in named.items() if name not in known and _own(name, origins) is None
    ]
    return (*ours, *strangers)


def _own(token: str, origins: Mapping[str, str]) -> str | None:
    if token in origins:
        return token
    inside = [name for name in origins if len(name) > 2 and name in token and _bounded(name, token)]
    return max(inside, key=len, default=None)


def _bounded(name: str, token: str) -> bool:
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", token) is not None
