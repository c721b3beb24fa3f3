"""``convertkit diff``, as people call it."""

from __future__ import annotations

from pathlib import Path

import pytest

from convertkit.graph.io import save
from tests.conftest import Cli
from tests.graphtext import parse
from tests.reports.page.reading import Elements

BEFORE = """(float[N,3] x) => (int64[N] y)
{
    a = Relu(x)
    b = Relu(a)
    y = ArgMax <axis = 1, keepdims = 0> (b)
}"""
AFTER = """(float[2,3] x) => (int32[2] y)
{
    a = Relu(x)
    k = ArgMax <axis = 1, keepdims = 0> (a)
    y = Cast <to = 6> (k)
}"""


def write(text: str, name: str) -> Path:
    save(parse(text), Path(name))
    return Path(name)


def test_two_files_that_differ(cli: Cli) -> None:
    first, second = write(BEFORE, "first.onnx"), write(AFTER, "second.onnx")

    shown = cli("diff", str(first), str(second))
    plain = cli("diff", str(first), str(second), "--json")

    assert (shown.code, plain.code) == (1, 1)
    assert not shown.err, "a difference is no error"
    assert "nodes: 1 the same, 0 changed, 2 removed, 2 added" in shown.out
    assert "1 Relu, 1 ArgMax  1 ArgMax, 1 Cast  from a to y" in shown.out
    assert plain.json["equal"] is False
    assert plain.json["difference"]["outputs"] == {"y": ["int64[?]", "int32[2]"]}


def test_two_files_that_are_equal_but_for_names(cli: Cli) -> None:
    renamed = BEFORE.replace("a = ", "other = ").replace("(a)", "(other)")
    first, second = write(BEFORE, "first.onnx"), write(renamed, "second.onnx")

    found = cli("diff", str(first), str(second))

    assert found.code == 0
    assert "nothing differs but names" in found.out


def test_a_page_shows_what_differs(cli: Cli) -> None:
    pytest.importorskip("jinja2"), pytest.importorskip("matplotlib")
    first, second = write(BEFORE, "first.onnx"), write(AFTER, "second.onnx")

    done = cli("diff", first, second, "--report", "page.html")
    page = Elements(Path("page.html").read_text())

    assert done.code == 1 and "wrote page.html" in done.err
    assert page.scripts() == [] and page.outside() == []
    for text in ("the graphs differ", "first.onnx, 3 nodes", "int64[?]", "1 Relu, 1 ArgMax", "Types"):
        assert text in page.text, text
    assert page.text.count("After: added nodes framed, neighbours dashed") == 1


def test_a_page_of_equal_graphs_has_no_empty_part(cli: Cli) -> None:
    pytest.importorskip("jinja2"), pytest.importorskip("matplotlib")
    first = write(BEFORE, "first.onnx")

    done = cli("diff", first, first, "--report", "page.html")
    text = Elements(Path("page.html").read_text()).text

    assert done.code == 0 and "nothing differs" in text
    assert "Inputs, outputs and opsets are the same." in text
    assert "No tensor of both graphs has another type." in text


def test_an_artifact_stands_for_its_graph(cli: Cli) -> None:
    Path("made").mkdir()
    first, _ = write(BEFORE, "first.onnx"), write(BEFORE, "made/model.onnx")

    found = cli("diff", str(first), "made", "--json")

    assert (found.code, found.json["second"]) == (0, "made/model.onnx")


def test_mistakes_are_one_line(cli: Cli) -> None:
    write(BEFORE, "first.onnx")
    Path("empty").mkdir()
    Path("text.onnx").write_text("no graph")

    for second, said in (
        ("empty", "empty: no model.onnx in it"),
        ("text.onnx", "not an ONNX"),
        ("gone.onnx", "gone.onnx"),
    ):
        found = cli("diff", "first.onnx", second)
        assert found.code == 2, second
        assert said in found.err
        assert len(found.err.splitlines()) == 1
