"""Every rule about the file: what breaks it is named alone, its corrected twin is not."""

from __future__ import annotations

import pytest
from convertkit_ascend.linter.rules import about, catalogue
from convertkit_ascend.linter.subject import Subject
from convertkit_ascend.linter.typed import Typed

from tests.ascend.linter.cases import CASES, Case
from tests.ascend.linter.graphs import lint


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_what_breaks_a_rule_is_named_alone(case: Case) -> None:
    found = lint(case.broken(), input_shape=case.told)

    assert {item.rule for item in found} == {case.rule}, [str(item) for item in found]
    assert [item.node for item in found] == [case.node]
    assert "\n" not in str(found[0]) and found[0].why and found[0].fix


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_its_corrected_twin_is_clean(case: Case) -> None:
    assert lint(case.twin(), input_shape=case.mended) == ()


def test_every_rule_has_a_case() -> None:
    own = {rule.about.id for rule in (*about(Subject), *about(Typed))}
    elsewhere = {"file-size", "kernel-missing", "float32-kept"}

    assert {case.rule for case in CASES} == own - elsewhere


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_the_severity_is_the_declared_one(case: Case) -> None:
    declared = {item.id: item.severity for item in catalogue()}

    found = lint(case.broken(), input_shape=case.told)

    assert found[0].severity == declared[case.rule]
