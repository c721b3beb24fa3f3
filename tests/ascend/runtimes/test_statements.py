"""The table of statements names tests that exist, and every stand-in behaviour has a row."""

from __future__ import annotations

import re
from pathlib import Path

from tests.ascend.runtimes.statements import STATEMENTS
from tests.citations import cited, statements

ROOT = Path(__file__).parents[3]


def test_every_named_test_exists():
    for statement in STATEMENTS:
        known = [name in statements() for name in cited(statement.section)]
        assert all(known) if known else re.fullmatch(r"Ascend/tools [0-9a-f]{8}", statement.section)
        assert statement.says
        assert statement.tests
        for name in statement.tests:
            path, _, function = name.partition("::")
            assert f"def {function}(" in (ROOT / path).read_text(), name


def test_every_test_of_the_chips_runtime_that_needs_a_stand_in_is_named():
    text = (ROOT / "tests" / "ascend" / "runtimes" / "test_acl.py").read_text()
    named = {name.partition("::")[2] for statement in STATEMENTS for name in statement.tests}
    about_convertkit = {
        "test_a_narrower_output_is_widened_to_the_graphs",
        "test_outputs_that_do_not_fit_are_named",
        "test_another_models_om_is_noticed",
    }

    with_stand_in = set(re.findall(r"^def (test_\w+)\(module", text, re.MULTILINE))

    assert with_stand_in - named == about_convertkit
