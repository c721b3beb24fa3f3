"""What the Ascend part takes for granted is written down in docs/ascend-facts.md, and cited from there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.citations import PAGE, REPOSITORY, cited, linked, statements

ROOMS = ("convertkit", "passes", "targets", "models", "bench", "tests")
APART = {Path(__file__), REPOSITORY / "tests" / "citations.py", PAGE}
"""They say what a citation looks like."""

OUTSIDE = re.compile(r"\b[Ff]acts? (?:section )?\d|(?<!ascend-)\bfacts\.md\b|\bfrontend(?:\.md\b|, [\"'A-Z])")
"""Citations of a collection that users never see."""


def texts() -> Iterator[tuple[str, str]]:
    """``(path, text)`` of code, tests and documentation."""
    files = [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md")]
    for room in ROOMS:
        files += [
            path
            for suffix in ("py", "md", "yaml", "json")
            for path in (REPOSITORY / room).rglob(f"*.{suffix}")
        ]
    for path in files:
        if path not in APART:
            yield str(path.relative_to(REPOSITORY)), path.read_text(encoding="utf-8")


@pytest.mark.slow
def test_no_citation_points_outside_of_the_repository() -> None:
    outside = [
        (path, found[0])
        for path, text in [*texts(), ("page", PAGE.read_text())]
        for found in OUTSIDE.finditer(text)
    ]

    assert outside == []


@pytest.mark.parametrize(
    "words",
    ["(facts 2.1)", "facts section 5", "Facts 2", 'frontend, "Key" [run]', "frontend.md", "as in facts.md 0"],
)
def test_a_citation_that_points_outside_is_noticed(words: str) -> None:
    assert OUTSIDE.search(words)


def test_every_citation_names_a_statement_that_exists() -> None:
    known = statements()
    named = [(path, name) for path, text in texts() for name in cited(text)]
    begun = [
        (path, text.count("ascend-facts:"), len(re.findall(r"ascend-facts:\s+(?:# )?[a-z0-9]+-", text)))
        for path, text in texts()
    ]

    assert len(named) > 200
    assert [pair for pair in named if pair[1] not in known] == []
    assert [path for path, all_, whole in begun if all_ != whole] == [], (
        "a citation without a heading behind it"
    )


def test_every_statement_is_cited_by_code_or_by_a_test() -> None:
    names = {name for path, text in texts() if path.endswith(".py") for name in cited(text)}

    assert [name for name in statements() if name not in names] == []


def test_every_statement_has_a_name_a_standing_and_a_source() -> None:
    page = PAGE.read_text()
    standings = re.findall(r"^\| \*([a-z ]+)\* \|", page, re.MULTILINE)
    sources = set(re.findall(r"^\[(\w+)\]: https://", page, re.MULTILINE))
    found = statements()

    assert len(standings) == 6 and len(sources) == 6
    assert len(found) == len(re.findall(r"^### ", page, re.MULTILINE)), "a heading twice"
    for name, text in found.items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name), name
        assert any(f"*{standing}" in text for standing in standings), f"{name} does not say how it is known"
        assert set(re.findall(r"\[([A-Z0-9]+)\](?!\()", text)) <= sources, name


def test_citations_are_read_and_linked_across_lines() -> None:
    text = "as read (ascend-facts: nms-limits,\nroi-bins); more\n# (ascend-facts:\n# parser-key), and so on"

    assert cited(text) == ["nms-limits", "roi-bins", "parser-key"]
    assert linked("ascend-facts: nms-limits, roi-bins; [read]") == (
        "[nms-limits](ascend-facts.md#nms-limits), [roi-bins](ascend-facts.md#roi-bins); [read]"
    )
