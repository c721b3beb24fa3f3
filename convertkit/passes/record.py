"""What is written down about a pass that ran."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    import onnx

    from convertkit.graph.light import LightModel


class CheckRecord(Struct, frozen=True):
    """How a pass was checked.

    Attributes:
        structure: the ONNX checker and strict shape inference accepted the graph.
        samples: number of sample inputs on which the graph was run before and after; 0 = not run.
        max_error: largest absolute difference of any output; for detections matched as sets, of the matched
            values. ``None`` when nothing was run.
        detail: one line for people.
        probes: number of further inputs that the pass itself wanted to be tried on, and that told something.
    """

    structure: bool
    samples: int = 0
    max_error: float | None = None
    detail: str = ""
    probes: int = 0


class PassRecord(Struct, frozen=True):
    """One pass that ran: what it was, what it changed, how long it took, how it was checked, and what it remarks."""

    name: str
    text: str
    effect: str
    changed: bool
    seconds: float
    nodes_before: int
    nodes_after: int
    ops_added: dict[str, int]
    ops_removed: dict[str, int]
    check: CheckRecord | None = None
    remarks: tuple[str, ...] = ()


def op_counts(model: LightModel) -> Counter[str]:
    """How many nodes of each operator the graph and its subgraphs have; foreign domains are spelt out."""
    return _count(model.proto.graph)


def _count(graph: onnx.GraphProto) -> Counter[str]:
    counts: Counter[str] = Counter()
    for node in graph.node:
        domain = "" if node.domain in ("", "ai.onnx") else f"{node.domain}::"
        counts[f"{domain}{node.op_type}"] += 1
        for attribute in node.attribute:
            for subgraph in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs):
                counts += _count(subgraph)
    return counts


def difference(before: Counter[str], after: Counter[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Operators added and removed, sorted by name."""
    return dict(sorted((after - before).items())), dict(sorted((before - after).items()))
