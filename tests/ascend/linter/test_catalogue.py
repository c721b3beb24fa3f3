"""The list of rules is complete, says of each what is needed before it is broken, and is made of the rules alone."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest
from convertkit_ascend import linter
from convertkit_ascend.linter.rule import Limit, Rule, Spot, rule
from convertkit_ascend.linter.rules import ORDER, catalogue, every
from convertkit_ascend.linter.subject import Subject
from convertkit_ascend.linter.table import every as every_operator

from convertkit.errors import PluginError
from tests.ascend.linter.graphs import named

LINTER = Path(linter.__file__).parent


def calls(file: Path, *names: str) -> list[ast.Call]:
    """Calls of functions and methods so called."""
    found = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    return [node for node in found if getattr(node.func, "attr", getattr(node.func, "id", "")) in names]


def literal(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_every_rule_that_is_reported_is_in_it() -> None:
    files = [file for file in LINTER.rglob("*.py") if file.name != "rule.py"]
    by_hand = {literal(call.args[2]) for file in files for call in calls(file, "LintFinding") if call.args}
    known = {item.id for item in catalogue()}

    assert by_hand == {"valid-graph"}, "others are made by their rule, with its id"
    assert by_hand < known
    assert {item.about.id for item in every()} == known
    assert {check.kind for rule in every_operator().values() for check in rule.checks} == {
        item.kind for item in every() if isinstance(item, Limit)
    }


def test_every_decorated_function_is_one() -> None:
    """None is lost because another one in its file has its name, and no id is given twice."""
    files = list((LINTER / "rules").glob("*.py"))
    made = [call for file in files for call in calls(file, "rule", "also", "limit")]
    ids = Counter(literal(call.args[0]) for file in files for call in calls(file, "rule"))

    assert len(made) == len(every())
    assert max(ids.values()) == 1
    assert set(ids) == {item.about.id for item in every() if isinstance(item, Rule)}


def test_the_order_names_every_file() -> None:
    assert sorted(ORDER) == sorted(file.stem for file in (LINTER / "rules").glob("[!_]*.py"))


def test_every_id_is_there_once() -> None:
    ids = [item.id for item in catalogue()]

    assert ids == sorted(set(ids))


def test_everything_is_said_of_every_rule() -> None:
    for item in catalogue():
        assert item.summary.endswith(".") and item.fix and item.source, item
        assert item.id == item.id.lower() and " " not in item.id


def test_the_limits_of_the_table_have_a_line_each() -> None:
    for item in every():
        assert not isinstance(item, Limit) or (item.summary.endswith(".") and item.check.__doc__)


def test_what_a_rule_hides_exists() -> None:
    known = {item.id for item in catalogue()}

    assert {name for item in every() if isinstance(item, Rule) for name in item.hides} <= known


def test_a_rule_that_nobody_would_ask_is_refused() -> None:
    def no_type(seen) -> Iterator[Spot]:  # type: ignore[no-untyped-def]
        """It says nothing of its argument."""
        yield Spot("", "never")

    def another_type(seen: onnx.NodeProto) -> Iterator[Spot]:
        """It looks at what no examination has."""
        yield Spot("", "never")

    for check in (no_type, another_type):
        with pytest.raises(
            PluginError, match=f"rule .*{check.__name__}: the annotation of its argument is not"
        ):
            rule("never", fix="none", source="ours [derived]")(check)


def test_a_rule_says_what_must_hold() -> None:
    def silent(seen: Subject) -> Iterator[Spot]:
        yield Spot("", "why")

    with pytest.raises(PluginError, match=r"rule .*silent: no docstring says what must hold"):
        rule("silent", fix="none", source="ours [derived]")(silent)


PLANTED = '''
"""A rule that somebody adds."""

from convertkit_ascend.linter.rule import Spot, rule
from convertkit_ascend.linter.{module} import {sees}


@rule("no-relu", fix="take another one", source="ours [derived]", severity="warning")
def no_relu(seen: {sees}):
    """Nobody rectifies."""
    for node in {nodes}:
        if node.op_type == "Relu":
            yield Spot.at(node, "it rectifies")
'''


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "sees", "nodes"),
    [
        ("subject", "Subject", "seen.graph.node"),
        ("typed", "Typed", "seen.view.graph.node"),
        ("view", "View", "seen.graph.node"),
        ("view", "Node", "[seen.proto]"),
    ],
)
def test_a_rule_is_added_in_one_place(tmp_path: Path, module: str, sees: str, nodes: str) -> None:
    """A file beside the others: the list and the examination, in its child, know it; nothing else was touched."""
    package = tmp_path / "convertkit_ascend"
    shutil.copytree(LINTER.parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "linter" / "rules" / "planted.py").write_text(
        PLANTED.format(module=module, sees=sees, nodes=nodes)
    )
    onnx.save(named("(float[2] x) => (float[2] y) { y = Relu (x) }").proto, tmp_path / "m.onnx")
    target = ("--target", "ascend310p3")

    listed, linted = (
        _convertkit(tmp_path, *words, *target) for words in (("list", "rules"), ("lint", "m.onnx"))
    )

    (row,) = [line.split() for line in listed.splitlines() if line.startswith("no-relu ")]
    assert row == ["no-relu", "warning", "ascend310p3", "Nobody", "rectifies."]
    (row,) = [line.split() for line in linted.splitlines() if " no-relu " in line]
    assert row == ["warning", "n0", "Relu", "no-relu", "it", "rectifies", "take", "another", "one"]
    assert linted.splitlines()[-1] == "m.onnx for ascend310p3: 0 errors, 1 warning"


def _convertkit(place: Path, *words: str) -> str:
    """What a command of another installation prints: the package in a directory counts."""
    environment = {**os.environ, "PYTHONPATH": str(place), "CONVERTKIT_HOME": str(place / "home")}
    done = subprocess.run(
        [sys.executable, "-m", "convertkit", *words],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
