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
_TYPE = re.compile(
    r"(?:\w+\.)*\w+::\d+::\w+|OpType::\w+|\boptype:? ?\[?[\w:.]+|\bop ?type:? ?\[?\w+|\((?:\w+)\)",
    re.IGNORECASE,
)
"""Where a text says the type of an operator."""

_MADE = re.compile(r"_[A-Za-z]\w*_\d+")
"""What the compiler puts behind a name: ``/Gather_107`` becomes ``PartitionedCall_/Gather_107_gatherv2_729``."""


@dataclass(frozen=True)
class NodeAt:
    """A node an error names; ``op_type`` and ``origin`` are empty where unknown."""

    name: str
    op_type: str = ""
    origin: str = ""


def nodes_in(lines: Iterable[str], origins: Mapping[str, str]) -> tuple[NodeAt, ...]:
    """The nodes named in ``lines``, those of our graph first.

    The compiler makes names of its own out of ours (``PartitionedCall_/Gather_107_gatherv2_729``); names that merely
    hold one of ours are not ours. A bare word (``Add``) is a name only where the text says that it is one.

    Args:
        origins: node name of our graph -> where it came from.
    """
    named: dict[str, str] = {}
    known: dict[str, None] = {}
    for line in lines:
        for pattern in _NAMED:
            named.update({match[1]: match[2].rpartition("::")[2] for match in pattern.finditer(line)})
        for pattern in _UNTYPED:
            named.update({match[1]: named.get(match[1], "") for match in pattern.finditer(line)})
        for token in _TOKEN.findall(_TYPE.sub(" ", line)):
            own = _own(token.rstrip(".:"), origins)
            if own is not None and (own in named or not own.isalnum()):
                known[own] = None
    known.update(dict.fromkeys(name for name in named if name in origins))
    ours = [NodeAt(name, named.get(name, ""), origins[name]) for name in known]
    strangers = [
        NodeAt(name, op) for name, op in named.items() if name not in known and _own(name, origins) is None
    ]
    return (*ours, *strangers)


def _own(token: str, origins: Mapping[str, str]) -> str | None:
    """The node of ours that a token is, or that the compiler made it of: the longest."""
    parts = token.removeprefix("PartitionedCall_")
    if parts in origins:
        return parts
    made = (name for name in origins if parts.startswith(f"{name}_") and _MADE.fullmatch(parts[len(name) :]))
    return max(made, key=len, default=None)
