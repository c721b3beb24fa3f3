"""What there is has words: each kind of name, in the pages that bench.reference makes or in docs/environment.md."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path

import msgspec
import pytest
import typer.main
from convertkit_ascend.atc.errors.catalogue import codes
from convertkit_ascend.linter.rules import catalogue

from bench import reference, reference_operators, reference_support
from convertkit.plugins.loading import open_plugins

ROOT = Path(__file__).parents[2]
PRODUCT = ("convertkit", "passes", "targets", "models")


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {name: make() for name, make in reference.PAGES.items()}


def test_every_command_and_option_has_help(pages: dict[str, str]) -> None:
    commands = list(reference.every_command(typer.main.get_command(reference.app)))
    silent = [
        f"{name} {written}"
        for name, command in commands
        for written, _, said in reference.arguments(command)
        if not said
    ]

    assert len(commands) > 20 and silent == []
    assert [name for name, command in commands if not command.help] == []
    assert [name for name, _ in commands if f"\n## {name}\n" not in pages["commands.md"]] == []


def test_every_pass_speaks_of_each_of_its_options(pages: dict[str, str]) -> None:
    silent = [
        f"{entry.name}{{{option.name}}}"
        for entry in open_plugins().passes
        for option in dataclasses.fields(entry.item)
        if not re.search(rf"\b{option.name}\b", entry.item.__doc__ or "")
    ]

    assert silent == []
    assert [
        entry.name for entry in open_plugins().passes if f"\n## {entry.name}\n" not in pages["passes.md"]
    ] == []


def test_every_key_of_model_yaml_is_in_its_records_docstring(pages: dict[str, str]) -> None:
    silent = [
        f"{cls.__name__}.{key.name}"
        for cls in reference.records()
        for key in msgspec.structs.fields(cls)
        if not any(f"``{key.name}``" in (base.__doc__ or "") for base in cls.__mro__)
    ]

    assert len(reference.records()) > 10 and silent == []
    assert "| `default_variant` |" in pages["model-yaml.md"]


def test_every_record_that_a_key_leads_to_is_a_section() -> None:
    named = {
        word
        for cls in reference.records()
        for key in msgspec.structs.fields(cls)
        for word in re.findall(r"\w+Spec\b", str(key.type))
    }

    assert named <= {cls.__name__ for cls in reference.records()}


def test_every_hook_says_what_it_is_for(pages: dict[str, str]) -> None:
    hooks = reference.hooks()

    assert "register_passes" in hooks and [name for name, hook in hooks.items() if not hook.__doc__] == []
    assert [name for name in hooks if f"| `{name}(" not in pages["hooks.md"]] == []


def test_every_kind_of_error_and_every_code_is_explained(pages: dict[str, str]) -> None:
    kinds = reference.known_errors()

    assert (
        "unknown-name" in kinds and [kind for kind, cls in kinds.items() if "__doc__" not in vars(cls)] == []
    )
    assert [name for name in (*kinds, *codes()) if f"| `{name}` |" not in pages["errors.md"]] == []


def test_every_rule_of_the_linter_is_on_its_page() -> None:
    page = (ROOT / "docs" / "lint-rules.md").read_text()

    assert [rule.id for rule in catalogue() if f"| `{rule.id}` |" not in page] == []


def test_every_operator_says_what_its_parts_are_and_a_vendors_where_it_was_read(
    pages: dict[str, str],
) -> None:
    silent = [
        f"{name}: {part.name}"
        for name, op in reference_operators.operators().items()
        for part in (*op.inputs, *op.outputs, *op.attributes)
        if not part.doc
    ]

    assert silent == []
    assert [
        name for name in reference_operators.operators() if f"\n## {name}\n" not in pages["operators.md"]
    ] == []
    vendors = [name for name in reference_operators.operators() if not name.startswith("convertkit")]
    assert [name for name in vendors if not reference_operators.statements(name.rpartition(".")[2])] == []


def test_the_table_of_support_counts_every_row_of_exports(pages: dict[str, str]) -> None:
    rows = [row for section in reference_support.SECTIONS for row in reference_support.exports(section)]
    counted = [int(total) for total in re.findall(r"\| \d+ of (\d+) \| \d+ of \d+ \|", pages["support.md"])]

    assert len(rows) > 50 and sum(counted) == len(rows)
    assert {len(row) for row in rows} == {9}


READ = re.compile(
    r"""(?:environ(?:\.(?:get|setdefault|pop))?|getenv)\s*[\[(]\s*f?["'](\w+)["']"""
    r"""|^(?:VARIABLE|PARALLEL)\b[^=\n]*=\s*"(\w+)\""""
    r"""|"([A-Z]+(?:_[A-Z]+)*)"\s+(?:not )?in os\.environ""",
    re.MULTILINE,
)
"""A variable that is looked up by its name, or whose name is a constant for it."""
LISTED = re.compile(r"\b(?:_?CONVERTKIT|ASCEND|TE|NPU|SLURM)_[A-Z]+(?:_[A-Z]+)*\b(?=[\"'])")
"""Names that stand in tables of the sources."""


def variables(text: str) -> set[str]:
    return {name for groups in READ.findall(text) for name in groups if name} | set(LISTED.findall(text))


def test_every_environment_variable_that_is_read_is_on_its_page() -> None:
    files = [path for room in PRODUCT for path in (ROOT / room).rglob("*.py")]
    read = set().union(*(variables(path.read_text()) for path in files))
    page = (ROOT / "docs" / "environment.md").read_text()

    assert {"CONVERTKIT_HOME", "CONVERTKIT_LIMITS", "NO_COLOR", "XDG_CACHE_HOME"} <= read
    assert [name for name in sorted(read) if not re.search(rf"\b{name}\b", page)] == []


def test_every_variable_of_ours_on_the_page_is_read_somewhere() -> None:
    page = (ROOT / "docs" / "environment.md").read_text()
    sources = "".join(
        path.read_text() for room in (*PRODUCT, "tests") for path in (ROOT / room).rglob("*.py")
    )

    assert [
        name for name in sorted(set(re.findall(r"CONVERTKIT_[A-Z_]+", page))) if name not in sources
    ] == []


def test_a_variable_is_found_however_it_is_read() -> None:
    text = 'a = os.environ["A_B"]\nos.environ.get("C")\nVARIABLE = "D_E"\n"F" in os.environ\n("ASCEND_X", "TE_Y")\n'

    assert variables(text) == {"A_B", "C", "D_E", "F", "ASCEND_X", "TE_Y"}


def test_words_of_a_docstring_become_markdown() -> None:
    text = "One ``a``\nline.\n\n:class:`~convertkit.Graph` too."

    assert reference.words(text) == "One `a` line.\n\n`convertkit.Graph` too."
    assert reference.table(("a",), [("x|<y>",)]).splitlines()[-1] == r"| x\|\<y> |"
    assert inspect.getdoc(reference)
