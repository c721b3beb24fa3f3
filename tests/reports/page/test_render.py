"""A page shows what its records hold, asks for nothing from outside, and runs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from convertkit.errors import UnavailableError, UsageError, visible
from convertkit.reports.page.blocks import (
    Bars,
    Block,
    Cell,
    Fold,
    Heat,
    Intervals,
    Lines,
    Log,
    Page,
    Picture,
    Section,
    Spot,
    Spread,
    Table,
    Wiring,
    Words,
)
from convertkit.reports.page.render import html, require
from tests.reports.page.hostile import NAMES
from tests.reports.page.reading import Elements

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")


def blocks(name: str) -> tuple[Block, ...]:
    """Whatever is not drawn, with one name wherever a text may stand."""
    return (
        Words(name, "bad"),
        Log(name, (name, "fine")),
        Table(name, (name, "number"), ((name, "1"), (Cell(name, "good"), "2")), frozenset({1})),
        Picture(name, name, b"\xff\xd8\xff", 3, 2),
        Fold(name, (Words(name),)),
    )


def charts(names: tuple[str, ...]) -> tuple[Block, ...]:
    """Each kind of chart with all of the names in it."""
    first, curve = names[0], ((0.0, 1.0), (1.0, 0.5))
    spots = tuple(Spot(name, "bad", place, 0.0) for place, name in enumerate(names))
    counts = ((1,) * len(names),) * len(names)
    return (
        Bars(first, first, names, (1.0,) * len(names), first),
        Intervals(first, first, tuple(Spread(name, 0.5, 0.4, 0.6) for name in names), first, zero=True),
        Lines(first, first, names, (curve,) * len(names), (first, "y")),
        Heat(first, first, names, names, counts, (first, "rows")),
        Wiring(first, first, spots, ((0, 1),)),
    )


def page_of(names: tuple[str, ...]) -> Page:
    sections = [Section(f"s{place}", name, blocks(name)) for place, name in enumerate(names)]
    return Page(
        names[0], Cell(names[0]), ((names[0], names[0]),), (*sections, Section("c", "c", charts(names)))
    )


@pytest.mark.slow
def test_a_name_is_only_ever_a_text():
    found = Elements(html(page_of(NAMES)))
    assert found.scripts() == [] and found.outside() == []
    assert [tag for tag, _ in found.tags if tag == "img"] == ["img"] * len(NAMES)
    assert {visible(name) for name in NAMES} <= set(found.text)
    assert "49" not in " ".join(found.text).split()


@pytest.mark.slow
def test_ids_are_unique_and_the_same_records_give_the_same_bytes():
    once, again = (html(page_of(("one", "two"))) for _ in range(2))
    ids = Elements(once).ids()
    assert len(ids) == len(set(ids)) and once == again


def test_a_page_without_anything_is_a_page():
    found = Elements(html(Page("nothing", Cell("nothing"), (), ())))
    assert [attributes for tag, attributes in found.tags if tag == "html"] == [{"lang": "en"}]
    assert "nothing" in found.text


def test_the_libraries_are_looked_for_before_the_work(monkeypatch):
    require(Path("page.html"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "matplotlib" else name)
    with pytest.raises(UnavailableError) as caught:
        require(Path("page.html"))
    assert caught.value.message == "--report needs matplotlib"
    assert caught.value.hint == "pip install 'convertkit-compiler[report]'"


def test_a_page_is_called_html():
    with pytest.raises(UsageError) as caught:
        require(Path("page.pdf"))
    assert str(caught.value) == "--report page.pdf: a page is written (say page.html)"
