"""What is written down about a pass that ran."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from convertkit.graph.nested import every_node

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel


NO_CHECK = "--no-check"


class CheckRecord(Struct, frozen=True):
    """How a pass was checked.

    Attributes:
        structure: the ONNX checker and strict shape inference accepted the graph.
        samples: number of sample inputs on which the graph was run before and after; 0 = not run.
        max_error: largest absolute difference of any output; for detections matched as sets, of the matched
            values. ``None`` when nothing was run; infinite (``null`` in JSON) where texts or places of NaN differ.
        detail: one line for people.
        unchecked: why outputs of a pass that changed the graph were not compared, or which; empty where all were.
        probes: number of further inputs that the pass itself wanted to be tried on, and that told something.
        seconds: that it took.
    """

    structure: bool
    samples: int = 0
    max_error: float | None = None
    detail: str = ""
    unchecked: str = ""

    probes: int = 0
    seconds: float = 0.0

    @classmethod
    def blind(cls, why: str) -> CheckRecord:
        """Of a valid graph of which nothing was compared."""
        return cls(True, detail=f"not checked: {why}", unchecked=why)


class PassRecord(Struct, frozen=True):
    """One pass that ran: what it was, what it changed, how long it took, how it was checked.

    ``missed`` says how many of the operators that it is there for have stayed, and why; empty where none has.
    ``remarks`` are the pass's own words, and what it left alone in bodies of other nodes.
    """

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
    missed: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def unchecked(self) -> str:
        """Why what it changed was not compared with the graph before, in whole or in part; empty where it was."""
        if not self.changed:
            return ""
        return NO_CHECK if self.check is None else self.check.unchecked


def unchecked(records: Iterable[PassRecord]) -> dict[str, str]:
    """The passes whose work nobody has compared, and why."""
    return {record.text: why for record in records if (why := record.unchecked)}


def op_counts(model: LightModel) -> Counter[str]:
    """How many nodes of each operator the graph and its subgraphs have; foreign domains are spelt out."""
    nodes = every_node(model.proto.graph)
    return Counter(
        f"{'' if node.domain in ('', 'ai.onnx') else f'{node.domain}::'}{node.op_type}" for node in nodes
    )


def difference(before: Counter[str], after: Counter[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Operators added and removed, sorted by name."""
    return dict(sorted((after - before).items())), dict(sorted((before - after).items()))
