"""The conformance kit: a pass on graphs of every kind, and what has to hold for it on each."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from convertkit.errors import UnknownNameError
from convertkit.passes.base import Pass
from convertkit.passes.options import step_text
from convertkit.passes.testing.corpus import Sample, corpus
from convertkit.passes.testing.equivalence import Graph, as_model
from convertkit.passes.testing.rules import RULES, Rule, effect, idempotent, input_kept, name_of, runs
from convertkit.passes.testing.seeds import processes
from convertkit.passes.testing.trial import Trial
from convertkit.passes.testing.written import declaration, options

Status = Literal["holds", "fails", "exempt", "not tried"]

EXAMPLES = 20
"""Graphs that hypothesis makes."""

ALONE = {"declaration": declaration, "options": options}
"""Rules of the pass itself."""

NAMES = (*ALONE, *map(name_of, RULES), "does-something", "processes", "random-graphs")
"""Every rule, in the order of a report."""


@dataclass(frozen=True)
class Row:
    """One rule: whether it holds, and on what it does not."""

    rule: str
    status: Status
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.status:<9} {self.rule}{f': {self.detail}' if self.detail else ''}"


@dataclass(frozen=True)
class Report:
    """What the kit has found of one pass.

    Attributes:
        step: the pass, as the command line writes it.
        graphs, changed: how many graphs it was put through, and how many of them it changed.
        refused: the lines with which it refused graphs, by their names.
        rows: every rule of ``NAMES``.
    """

    step: str
    graphs: int
    changed: int
    refused: Mapping[str, str]
    rows: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        """Whether no rule fails."""
        return all(row.status != "fails" for row in self.rows)

    def row(self, rule: str) -> Row:
        """What was found of one rule."""
        return next(row for row in self.rows if row.rule == rule)

    def __str__(self) -> str:
        refused = [f"refused   {name}: {line}" for name, line in self.refused.items()]
        first = f"{self.step}: {self.graphs} graphs, {self.changed} of them changed, {len(refused)} refused"
        return "\n".join([first, *map(str, self.rows), *refused])


def assert_conforms(
    step: Pass | type[Pass],
    graphs: Sequence[Graph | Sample] = (),
    *,
    exempt: Mapping[str, str] = types.MappingProxyType({}),
    examples: int = EXAMPLES,
) -> Report:
    """As :func:`conformance`, whose report is the message where a rule fails.

    Raises:
        AssertionError: a rule fails.
        UnknownNameError: an exemption names no rule.
    """
    report = conformance(step, graphs, exempt=exempt, examples=examples)
    if not report.ok:
        raise AssertionError(str(report))
    return report


def conformance(
    step: Pass | type[Pass],
    graphs: Sequence[Graph | Sample] = (),
    *,
    exempt: Mapping[str, str] = types.MappingProxyType({}),
    examples: int = EXAMPLES,
) -> Report:
    """Puts a pass through graphs of every kind, with every rule of ``NAMES``.

    Args:
        step: the pass with its options, or its class.
        graphs: what the pass is for; one of these or of :func:`~convertkit.passes.testing.corpus.corpus` it has to
            change. A ``Sample`` brings inputs.
        exempt: rule -> why it need not hold for this pass; one that holds all the same is said to fail.
        examples: how many graphs hypothesis makes, where it is installed; 0 leaves that out.

    Raises:
        UnknownNameError: an exemption names no rule.
    """
    for rule in exempt:
        if rule not in NAMES:
            raise UnknownNameError("rule", rule, NAMES)
    made = step() if isinstance(step, type) else step
    trials = [Trial(made, sample) for sample in (*map(_sample, graphs), *corpus())]
    rows = [_row(name, rule(made)) for name, rule in ALONE.items()]
    rows += [_row(name_of(rule), _first(rule, trials)) for rule in RULES]
    changed = [trial.sample for trial in trials if trial.changed]
    rows.append(_row("does-something", "" if changed else "it changes no graph: give it some that it is for"))
    rows += [_in_processes(made, changed), _on_random_graphs(made, examples, exempt)]
    refused = {trial.sample.name: trial.refusal for trial in trials if trial.refusal}
    judged = tuple(_exempted(row, exempt) for row in rows)
    return Report(step_text(made), len(trials), len(changed), refused, judged)


def _sample(graph: Graph | Sample) -> Sample:
    return graph if isinstance(graph, Sample) else Sample("a graph it is for", as_model(graph))


def _row(rule: str, complaint: str) -> Row:
    return Row(rule, "fails" if complaint else "holds", complaint)


def _first(rule: Rule, trials: Sequence[Trial]) -> str:
    """The first complaint; a pass that crashes on a graph is blamed for that once."""
    asked = trials if rule is runs else [trial for trial in trials if not trial.crash]
    found = ((trial.sample.name, rule(trial)) for trial in asked)
    return next((f"on {name!r}: {complaint}" for name, complaint in found if complaint), "")


def _exempted(row: Row, exempt: Mapping[str, str]) -> Row:
    if row.rule not in exempt:
        return row
    if row.status == "holds":
        return Row(row.rule, "fails", f"it holds, so it needs no exemption ({exempt[row.rule]})")
    return Row(row.rule, "exempt", exempt[row.rule])


def _in_processes(step: Pass, samples: Sequence[Sample]) -> Row:
    if not samples:
        return Row("processes", "not tried", "it changes no graph")
    tried, why = processes(step, samples)
    return _row("processes", why) if tried else Row("processes", "not tried", why)


def _on_random_graphs(step: Pass, examples: int, exempt: Mapping[str, str]) -> Row:
    """The rules that need no graph of a certain kind, on graphs that hypothesis makes and makes smaller."""
    if not examples:
        return Row("random-graphs", "not tried", "no examples were asked for")
    if find_spec("hypothesis") is None:
        return Row("random-graphs", "not tried", "hypothesis is not installed: pip install hypothesis")
    from convertkit.passes.testing.drawn import first_complaint

    rules = [rule for rule in (runs, input_kept, effect, idempotent) if name_of(rule) not in exempt]

    def judge(sample: Sample) -> str:
        return _broken(Trial(step, sample), rules)

    return _row("random-graphs", first_complaint(judge, examples))


def _broken(trial: Trial, rules: Sequence[Rule]) -> str:
    found = ((name_of(rule), rule(trial)) for rule in rules)
    return next((f"{name}: {complaint}" for name, complaint in found if complaint), "")
