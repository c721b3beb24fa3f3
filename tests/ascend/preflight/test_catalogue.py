"""The list of rules is complete, and says of each what is needed before it is broken."""

from __future__ import annotations

import ast
from pathlib import Path

import convertkit_ascend.legality as legality
from convertkit_ascend.legality.checks import KINDS
from convertkit_ascend.preflight import catalogue
from convertkit_ascend.preflight.kinds import SUMMARIES
from convertkit_ascend.preflight.rules import FIRST, RAW, TYPED


def reported(file: Path) -> set[str]:
    """Third arguments of ``Violation(...)`` that are literal, or a choice between literals."""
    calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    named = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id == "Violation"]
    return {
        part.value
        for node in named
        for part in ast.walk(node.args[2])
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value not in ("_", "-")
    }


def test_every_rule_of_legality_is_in_it() -> None:
    root = Path(legality.__file__).parent / "rules"
    ids = {rule for file in root.glob("*.py") for rule in reported(file)}
    known = {item.id for item in catalogue()}

    assert len(ids) > 20
    assert ids <= known
    assert {kind.replace("_", "-") for kind in KINDS} <= known


def test_every_id_is_there_once() -> None:
    ids = [item.id for item in catalogue()]

    assert ids == sorted(set(ids))


def test_everything_is_said_of_every_rule() -> None:
    for item in catalogue():
        assert item.summary.endswith(".") and item.fix and item.source, item
        assert item.id == item.id.lower() and " " not in item.id


def test_the_kinds_of_checks_have_a_line_each() -> None:
    assert set(SUMMARIES) == set(KINDS)


def test_what_a_rule_hides_exists() -> None:
    known = {item.id for item in catalogue()}
    hidden = {name for rule in (*FIRST, *RAW) for name in rule.hides} | {
        name for rule in TYPED for name in rule.hides
    }

    assert hidden <= known
