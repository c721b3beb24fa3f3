"""The conformance kit: every rule can fail, and says so; our own passes hold to all of them."""

from __future__ import annotations

import pytest

from convertkit.api.passes import GraphPass
from convertkit.api.testing import assert_conforms, assert_equivalent, conformance, corpus
from convertkit.errors import UnknownNameError
from convertkit.passes.testing import conformance as kit
from convertkit.passes.testing.rules import RULES, name_of
from convertkit.passes.testing.seeds import processes
from convertkit.passes.testing.trial import Trial
from tests.graphtext import parse
from tests.passes.testing.bad import FAULTS, KINDS, Idle, Refuses

NEG = parse("(float[2] x) => (float[2] y) { y = Neg (x) }")


class DropDropout(GraphPass):
    """Remove Dropout, which does nothing at inference time."""

    name = "drop-dropout"
    effect = "exact"
    keep: tuple[str, ...] = ()

    def run(self, graph):
        for node in graph.find(op="Dropout"):
            if node.name not in self.keep:
                graph.bypass(node)


FEW = ("empty graph", "positions", "branches", "constants as nodes", "large weights")
SLOW = ("processes", "random-graphs")


@pytest.fixture
def few(monkeypatch):
    """Of the kit what is quick."""
    samples = tuple(sample for sample in corpus() if sample.name in FEW)
    monkeypatch.setattr(kit, "corpus", lambda: samples)
    monkeypatch.setattr(kit, "processes", lambda step, samples: (True, ""))


def test_every_rule_has_a_planted_fault():
    assert list(FAULTS) == list(kit.NAMES)


@pytest.mark.parametrize("rule", [rule for rule in FAULTS if rule not in SLOW])
def test_a_rule_finds_the_fault_that_is_planted_for_it(few, rule):
    report = conformance(FAULTS[rule], examples=0)

    failing = {row.rule for row in report.rows if row.status == "fails"}
    assert failing - {"does-something"} == {rule} - {"does-something"}, str(report)
    assert rule in failing


@pytest.mark.slow
@pytest.mark.parametrize("rule", SLOW)
def test_a_slow_rule_finds_the_fault_that_is_planted_for_it(rule):
    report = conformance(FAULTS[rule], [NEG], examples=200 if rule == "random-graphs" else 0)

    assert report.row(rule).status == "fails", str(report)
    assert report.row("effect").status == "holds"


@pytest.mark.parametrize("kind", KINDS)
def test_a_graph_of_each_kind_finds_a_fault(kind):
    step, rule = KINDS[kind]
    (sample,) = (sample for sample in corpus() if sample.name == kind)
    (judge,) = (one for one in RULES if name_of(one) == rule)

    assert judge(Trial(step(), sample))


@pytest.mark.slow
def test_graphs_of_the_corpus_are_valid_and_told_apart():
    names = [sample.name for sample in corpus()]

    for sample in corpus():
        assert_equivalent(sample.model, sample.model)
    assert len(set(names)) == len(names)


def test_a_refusal_is_no_failure_and_is_reported(few):
    report = conformance(Refuses, examples=0)

    assert report.refused == {"branches": "pass refuses: there are branches"}
    assert report.row("runs").status == "holds"


def test_an_exemption_says_why_and_is_needed(few):
    report = conformance(Idle, examples=0, exempt={"does-something": "it only looks"})
    assert report.ok
    assert str(report.row("does-something")) == "exempt    does-something: it only looks"

    needless = conformance(Idle, examples=0, exempt={"does-something": "it only looks", "runs": "who knows"})
    assert str(needless.row("runs")) == "fails     runs: it holds, so it needs no exemption (who knows)"
    with pytest.raises(UnknownNameError, match="unknown rule 'run'"):
        conformance(Idle, exempt={"run": ""})


def test_a_failure_is_the_whole_report(few):
    with pytest.raises(AssertionError, match="fails     does-something: it changes no graph"):
        assert_conforms(Idle, examples=0)


def test_graphs_of_one_s_own_are_tried_first(few):
    report = conformance(DropDropout, [parse("(float[2] x) => (float[2] y) { y = Dropout (x) }")], examples=0)

    assert (report.ok, report.graphs) == (True, 6), str(report)


def test_without_hypothesis_the_report_says_so(few, monkeypatch):
    monkeypatch.setattr(kit, "find_spec", lambda name: None)

    report = conformance(DropDropout)

    line = "not tried random-graphs: hypothesis is not installed: pip install hypothesis"
    assert str(report.row("random-graphs")) == line


def test_a_class_that_no_other_process_can_import_is_said():
    class Local(DropDropout):
        """Remove Dropout as well."""

        name = "local"

    tried, why = processes(Local(), [])

    assert not tried
    assert "cannot import" in why and "Local" in why
