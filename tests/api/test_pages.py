"""One page, in a terminal and in a notebook."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from convertkit.api.commands.pages import Block, Judged, Shown, Table, html_of, text_of

PAGE: tuple[Block, ...] = (
    "a <b>",
    "c",
    "",
    Judged("BAD ", "too low"),
    Table(["name", "n"], [["x & y", "1"]], right=[1]),
    "end",
)


def test_a_terminal_has_lines_and_aligned_tables() -> None:
    assert text_of(PAGE).splitlines() == [
        "a <b>", "c", "", "BAD  too low", "name   n", "-----  -", "x & y  1", "end",
    ]  # fmt: skip


def test_marks_are_shown_as_the_terminal_wants_them() -> None:
    assert text_of([Judged("ok  ", "fine")], lambda mark, text: f"<{mark}>{text}") == "<ok  >fine"


def test_a_notebook_has_paragraphs_and_tables_in_which_nothing_is_markup() -> None:
    left, right = 'style="text-align:left"', 'style="text-align:right"'
    assert html_of(PAGE) == (
        "<p>a &lt;b&gt;<br>c</p><p>BAD  too low</p>"
        f"<table><thead><tr><th {left}>name</th><th {right}>n</th></tr></thead>"
        f"<tbody><tr><td {left}>x &amp; y</td><td {right}>1</td></tr></tbody></table><p>end</p>"
    )


def test_figures_are_flush_right_but_for_the_first_column() -> None:
    page = html_of([Table(["bbox", "AP"], [["stock", "0.5"]], whole=True)])

    assert page.count("text-align:right") == 2


def test_a_narrow_terminal_gets_the_same_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "12")

    class Record(Shown):
        def page(self) -> Iterator[Block]:
            yield Table(["words"], [["one two three four"]])

    assert repr(Record()).splitlines()[2:] == ["one two", "three four"]
    assert "one two three four" in Record()._repr_html_()
