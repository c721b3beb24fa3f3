"""Whether ATC kept the nodes in fp32 that it was told to keep: what it left is looked through for each.

``keep_dtype`` loses its effect without a word where a node is fused or renamed (ascend-facts: atc-precision). The
operators of an offline model, with the nodes they stand for and the types of what they give, come from ``atc --mode=1``
(read as msprobe of mindstudio-probe 26.2.0 reads it); the fusions that took place, by name and how often, from
``fusion_result.json`` (documented for ``--export_compile_stat``). Neither file of a real compilation was seen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from convertkit.api import system

GRAPH, FUSIONS = "graph.json", "fusion_result.json"
FILE_BYTES = 1 << 30

ORIGINS = "_datadump_original_op_names"
BY_PASS = ("pass_name", "_pass_name", "pass_names")
"""The operator that a fusion makes records which did; the attribute's name is the graph engine's own."""

OBEYED, LOST, HALF, MISSING = "obeyed", "lost to a fusion", "float16 all the same", "not found"
UNTOLD = "found, but no type is told"

LOW = frozenset({"DT_FLOAT16", "DT_BF16"})
BETWEEN = frozenset({"Cast", "TransData"})
"""What the compiler puts between operators; it may bear the name of the node before it."""


class Kept(msgspec.Struct, frozen=True):
    """What became of one node.

    Attributes:
        outcome: :data:`OBEYED`, :data:`LOST`, :data:`HALF`, :data:`MISSING` or :data:`UNTOLD`.
        operator: of the chip, that stands for the node.
        together: the other nodes that it stands for.
        fusions: names for ``fusion_off``: which made the operator, or all that took effect where it does not say.
        certain: whether the operator says which.
    """

    node: str
    outcome: str
    operator: str = ""
    together: tuple[str, ...] = ()
    fusions: tuple[str, ...] = ()
    certain: bool = False

    def __str__(self) -> str:
        """``neck/Add: lost to a fusion with neck/Relu (fusion_off: [AddReluFusionPass])``."""
        beside = f" with {', '.join(self.together)}" if self.together else ""
        if not self.fusions:
            return f"{self.node}: {self.outcome}{beside}"
        which = ", ".join(self.fusions) if self.certain else f"one of {', '.join(self.fusions)}"
        return f"{self.node}: {self.outcome}{beside} (fusion_off: [{which}])"


def names_of(keep_dtype: Collection[str]) -> tuple[str, ...]:
    """The nodes among what is to be kept; a type of operator is none."""
    return tuple(name for name in keep_dtype if not name.startswith("OpType::"))


def look_up(nodes: Sequence[str], graph: Path, fusions: Path) -> tuple[Kept, ...]:
    """Of each node, in their order.

    Args:
        graph: what ``atc --mode=1`` wrote.
        fusions: ``fusion_result.json``; may be missing.

    Raises:
        UsageError: a file is damaged.
    """
    operators = list(_operators(_read(graph)))
    took = _effective(_read(fusions)) if fusions.is_file() else ()
    return tuple(_kept(node, operators, took) for node in nodes)


def _kept(node: str, operators: Sequence[dict[str, Any]], took: tuple[str, ...]) -> Kept:
    own = [one for one in operators if node in _stands_for(one)]
    if not own:
        return Kept(node, MISSING, fusions=took)
    own = [one for one in own if one.get("type") not in BETWEEN] or own
    low = [one for one in own if LOW.intersection(_types(one))]
    untold = [one for one in own if not all(_types(one))]
    last = (low or untold or own)[-1]
    together = tuple(name for name in _stands_for(last) if name != node)
    if not low:
        return Kept(node, UNTOLD if untold else OBEYED, str(last["name"]), together)
    made = _attribute(last, *BY_PASS)
    if not together and not made:
        return Kept(node, HALF, str(last["name"]))
    return Kept(node, LOST, str(last["name"]), together, made or took, certain=bool(made))


def _types(operator: dict[str, Any]) -> tuple[str, ...]:
    """Of what it gives, empty texts where none is told."""
    found = (each.get("dtype") if isinstance(each, dict) else None for each in _list(operator, "output_desc"))
    return tuple(each if isinstance(each, str) else "" for each in found) or ("",)


def _stands_for(operator: dict[str, Any]) -> tuple[str, ...]:
    return _attribute(operator, ORIGINS) or (str(operator["name"]),)


def _attribute(operator: dict[str, Any], *keys: str) -> tuple[str, ...]:
    """Texts of the first attribute of these names: a list, or one."""
    for attribute in _list(operator, "attr"):
        if isinstance(attribute, dict) and attribute.get("key") in keys:
            value = attribute.get("value")
            value = value if isinstance(value, dict) else {}
            several = value.get("list")
            texts = several.get("s", []) if isinstance(several, dict) else [value.get("s", "")]
            return tuple(text for text in texts if isinstance(text, str) and text)
    return ()


def _operators(content: Any) -> Iterator[dict[str, Any]]:
    for graph in _list(content, "graph"):
        yield from (one for one in _list(graph, "op") if isinstance(one, dict) and "name" in one)


def _effective(content: Any) -> tuple[str, ...]:
    """The fusions that took effect at least once; the file is a graph's, or a list of several graphs'."""
    found: dict[str, None] = {}
    for each in content if isinstance(content, list) else [content]:
        for kind in ("graph_fusion", "ub_fusion"):
            passes = each.get(kind) if isinstance(each, dict) else None
            for name, counts in passes.items() if isinstance(passes, dict) else ():
                if isinstance(counts, dict) and str(counts.get("effect_times", "0")) != "0":
                    found[name] = None
    return tuple(found)


def _list(content: Any, key: str) -> list[Any]:
    value = content.get(key) if isinstance(content, dict) else None
    return value if isinstance(value, list) else []


def _read(path: Path) -> Any:
    return system.read_json(path, object, "JSON", most=FILE_BYTES)
