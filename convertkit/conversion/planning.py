"""What a build is going to do: its steps and their keys, and what the store keeps of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from convertkit.conversion.keys import compile_facts, pass_facts, samples_fact, step_key
from convertkit.conversion.origins import created
from convertkit.conversion.stock import stock_facts
from convertkit.passes.history import PassRecord
from convertkit.passes.options import step_text

if TYPE_CHECKING:
    from convertkit.conversion.manifest import Manifest
    from convertkit.conversion.request import BuildRequest
    from convertkit.graph.light import LightModel


@dataclass(frozen=True)
class Step:
    """One planned step: what it is and the key it will have; ``check`` is that of a pass's check, if it has one."""

    kind: str
    name: str
    key: str
    facts: dict[str, Any]
    check: str = ""


class StockRecord(msgspec.Struct, frozen=True):
    """What the store keeps beside a stock graph; ``sized`` is the pass that set what the export left open."""

    digest: str
    nodes: int
    sized: str = ""

    @property
    def summary(self) -> dict[str, Any]:
        """For the manifest."""
        return {"nodes": self.nodes, **({"sized": self.sized} if self.sized else {})}


class StepRecord(msgspec.Struct, frozen=True):
    """What the store keeps beside a pass's graph: its digest, the pass's record, and the names of nodes it made.

    What a check found is an entry of its own: other samples are no reason to run the pass again.
    """

    digest: str
    record: PassRecord
    created: tuple[str, ...]

    @classmethod
    def of(cls, before: LightModel, after: LightModel, record: PassRecord) -> StepRecord:
        return cls(after.digest(), record, created(before.proto.graph, after.proto.graph))


def summary_of(record: PassRecord, check: str) -> dict[str, Any]:
    """A pass for the manifest; ``check`` is the key of its check."""
    found = {
        "effect": record.effect,
        "changed": record.changed,
        "nodes": record.nodes_after,
        "added": record.ops_added,
        "removed": record.ops_removed,
        "check": check,
    }
    words = {"unchecked": record.unchecked, "missed": record.missed, "remarks": list(record.remarks)}
    return found | {word: said for word, said in words.items() if said}


def plan(request: BuildRequest) -> tuple[Step, ...]:
    """The steps of a build and their keys, without doing or importing anything heavy."""
    facts = stock_facts(request)
    steps = [Step("stock", "stock graph", step_key("stock", facts), facts)]
    samples = {"samples": samples_fact(request.package, request.variant)} if request.asked.check else {}
    for item in request.pipeline.steps:
        facts = pass_facts(item)
        key = step_key("pass", facts, steps[-1].key)
        check = step_key("check", samples, key) if samples else ""
        steps.append(Step("pass", step_text(item), key, facts, check))
    facts = compile_facts(request.target, request.context)
    steps.append(Step("compile", request.target.name, step_key("compile", facts, steps[-1].key), facts))
    return tuple(steps)


def is_as_asked(manifest: Manifest, request: BuildRequest, steps: tuple[Step, ...]) -> bool:
    """Whether a manifest of the right key names the request's variant, and its passes were checked as they would be."""
    variant = request.variant
    checked = [entry.summary.get("check") for entry in manifest.steps if entry.kind == "pass"]
    same = not request.asked.check or checked == [step.check for step in steps if step.kind == "pass"]
    return same and (manifest.variant, manifest.size) == (variant.name, variant.spec.size)
