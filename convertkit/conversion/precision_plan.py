"""Which nodes of a graph stay in fp32, and why: a file for people to review, and an option of a target's compiler."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
import yaml
from msgspec import Struct

from convertkit.errors import UsageError
from convertkit.models.yamlspec import read_record
from convertkit.targets.mixed import mixed_of

if TYPE_CHECKING:
    from convertkit.targets.base import Target

OPTION = "plan"
"""Of a target that has a mixture of precisions: the file, relative to the package where the package says it."""

HEADER = "# by convertkit plan: nodes to keep in fp32; {}\n"

WHOLE = "target graph"
"""The rung of the graph after all passes."""


Why: TypeAlias = Literal["overflow", "loss", "undivided"]


class Figure(Struct, frozen=True):
    """A detection loss with the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


class Entry(Struct, frozen=True, omit_defaults=True):
    """Nodes that are kept together.

    Attributes:
        why: ``overflow``: ``tensor`` reaches ``largest`` in fp32 (null: no finite number), too much for fp16;
            ``loss``: without them the limit is not met; ``undivided``: whether all are needed, the budget left open.
        before: loss of the plan's other nodes, as far as they were found then; of ``undivided``, and of ``overflow``
            where these alone were not left out, loss of the graph with nothing kept.
        after: with these as well.
        cost_ms: what they take longer on the chip, by the bytes of a roofline; null where it has none.
        photos: of how many both losses are, where the limit could not be met any more before all were looked at: of
            those on which all fp16 loses most.
    """

    nodes: tuple[str, ...]
    why: Why
    before: float
    after: float
    tensor: str = ""
    largest: float | None = None
    cost_ms: float | None = None
    photos: int | None = None


class PrecisionPlan(Struct, frozen=True):
    """What ``convertkit plan`` finds.

    Attributes:
        rung: whose graph: ``target graph``, ``stock`` or ``after:PASS``. graph: its sha256, the weights in it.
        photos: names of the files it was measured on.
        limit: what the upper end of the loss's interval may be.
        met: whether the plan is within it.
        all_fp16: loss with nothing kept. planned: with the plan. all_kept: with all that can be kept; null where that
            was not looked at.
        evaluations: mixtures that were run. budget_ended: whether no more were allowed.
        nodes: how many the graph has.
        entries: in the order of the graph.
        impossible: nodes at a tensor that overflows which the chip has no fp32 for, and why.
        failed: photos on which nothing kept makes the graph fail.
        empty: photos on which fp32 finds nothing, which say nothing.
        left_out: what was not looked at for an overflow, or cannot be kept.
    """

    model: str
    variant: str
    target: str
    rung: str
    graph: str
    photos: tuple[str, ...]
    limit: float
    met: bool
    all_fp16: Figure
    planned: Figure
    all_kept: Figure | None
    evaluations: int
    budget_ended: bool
    nodes: int
    entries: tuple[Entry, ...]
    impossible: dict[str, str]
    failed: int = 0
    empty: int = 0
    left_out: tuple[str, ...] = ()

    def taken_by(self, file: str) -> str:
        """What the plan in a file is for."""
        if self.rung == WHOLE:
            return f"-O plan={file} builds and emulates with them"
        return f"they are nodes of {self.rung}: verify --runtime {self.rung}@EMULATION -O plan={file} runs with them"

    @property
    def keep(self) -> tuple[str, ...]:
        """Every node to keep, once."""
        return tuple(dict.fromkeys(name for entry in self.entries for name in entry.nodes))


def plan_text(plan: PrecisionPlan) -> str:
    """As YAML; the same plan gives the same text."""
    plain = msgspec.to_builtins(plan)
    header = HEADER.format(plan.taken_by("FILE"))
    return header + yaml.safe_dump(plain, sort_keys=False, width=math.inf, allow_unicode=True)


def read_plan(path: Path) -> PrecisionPlan:
    """SpecError, in one line, for a file that is none."""
    return read_record(path, PrecisionPlan)


@dataclass(frozen=True)
class TakenPlan:
    """A plan whose nodes a build keeps, and the file that it was read from."""

    path: Path
    plan: PrecisionPlan


def doubts(taken: TakenPlan | None, digest: str) -> Iterator[str]:
    """Why the nodes of a plan may not be what the graph of that digest needs, a line each."""
    if taken is None:
        return
    path, plan = taken.path, taken.plan
    if not plan.met:
        yield f"plan {path} does not meet its limit: loss {plan.planned}, limit {plan.limit:g}"
    if digest != plan.graph:
        yield (
            f"plan {path} is for another graph, {plan.graph[:12]} of variant {plan.variant}, not for this "
            f"{digest[:12]}: what its nodes bring here was not looked at; convertkit plan makes one"
        )


def with_plan(
    target: Target, options: Mapping[str, Any], root: Path, below: Mapping[str, Any], model: str
) -> tuple[dict[str, Any], TakenPlan | None]:
    """Options for a target's compiler, over others, with nodes to keep in place of the file that names them.

    Args:
        root: what the file's path is relative to.
        below: options that these are over. model: the package's name.

    Raises:
        SpecError: the file is no plan. UsageError: it is for another model or target, or goes with none of the options.
    """
    if OPTION not in options or target.mixed is None:
        return {**below, **options}, None
    rest, option = {name: value for name, value in options.items() if name != OPTION}, target.mixed.option
    if option in rest:
        raise UsageError(f"options {OPTION} and {option} exclude each other", hint="leave one of them out")
    if not isinstance(options[OPTION], str):
        raise UsageError(f"option {OPTION} is {options[OPTION]!r}", hint="give the path of a plan's file")
    path = root / options[OPTION]
    plan = read_plan(path)
    if plan.model != model:
        raise UsageError(f"{path} is a plan for {plan.model}, not for {model}", hint="run convertkit plan")
    if plan.target != target.name:
        raise UsageError(
            f"{path} is a plan for {plan.target}, not for {target.name}", hint="run convertkit plan"
        )
    merged = {name: value for name, value in {**below, **rest}.items() if name != option}
    return dict(mixed_of(target).options(plan.keep, merged)), TakenPlan(path, plan)
