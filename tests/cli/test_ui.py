from __future__ import annotations

import contextlib
import io
import json
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertkit.api.commands.tables import table
from convertkit.cli.ui import BuildView, note, print_json, progress_bar
from convertkit.conversion.events import Note, Progress, StepFinished, StepStarted
from tests.conftest import Cli


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_a_table_is_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    print(table(["name", "AP"], [["stock", "0.6937"], ["a" * 70, "-"]], right=[1]))

    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == f"{'-' * 70}  ------"
    assert lines[2] == f"stock{' ' * 65}  0.6937"
    assert lines[3] == "a" * 70 + "       -"


def test_a_table_moves_together_where_it_would_be_too_wide(capsys: pytest.CaptureFixture[str]) -> None:
    print(table(["name", *"abcd"], [["x" * 72, "1", "2", "3", "4"]]))

    assert capsys.readouterr().out.splitlines()[2] == "x" * 72 + " 1 2 3 4"


def test_sentences_of_a_table_wrap_and_words_stay_whole(capsys: pytest.CaptureFixture[str]) -> None:
    word, sentence = "pass-with-a-long-name", " ".join(["convertkit env build MODEL"] * 6)
    print(table(["pass", "what"], [[word, sentence], ["b", "/a/path" * 20]]))

    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"b{' ' * 20} {'/a/path' * 20}"
    print(table(["pass", "what"], [[word, sentence], ["b", "c"]]))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(line.removeprefix(word).strip() for line in lines[2:-1]) == sentence
    assert all(line.isascii() and line == line.rstrip() for line in lines)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(*[st.lists(st.text("abc-/", min_size=1, max_size=16), max_size=9)] * 3), min_size=1)
)
def test_every_word_of_a_table_is_whole_and_every_line_fits(rows: list[tuple[list[str], ...]]) -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        print(table(["one", "two", "three"], [[" ".join(cell) for cell in row] for row in rows]))

    lines = out.getvalue().splitlines()
    words = Counter(word for row in rows for cell in row for word in cell)
    assert max(map(len, lines)) <= 80
    assert Counter(word for line in lines[2:] for word in line.split()) == words


def test_a_table_is_as_wide_as_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    print(table(["what"], [["word " * 30]]))

    assert len(capsys.readouterr().out.splitlines()) == 3


def test_in_a_pipe_a_row_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS")
    print(table(["pass", "what"], [["one", "word " * 60 + "end"], ["two", "-"]]))

    lines = capsys.readouterr().out.splitlines()
    assert lines[2:] == ["one   " + "word " * 60 + "end", "two   -"]


def test_a_cell_of_a_table_does_not_speak_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print(table(["node"], [["a\x1b[31m\nb"]]))

    assert capsys.readouterr().out.splitlines()[2:] == ["a\\x1b[31m\\nb"]


def test_json_has_paths_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"directory": Path("a b")})

    assert json.loads(capsys.readouterr().out) == {"directory": "a b"}


def test_json_has_a_name_that_is_no_text_in_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"file": Path(os.fsdecode(b"\xff.onnx")), "\xe9": 1.5})

    assert json.loads(capsys.readouterr().out) == {"file": "\udcff.onnx", "\xe9": 1.5}


def test_away_from_a_terminal_progress_is_at_most_ten_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("stock", 48) as advance:
        for count in range(1, 49):
            advance(count)

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[-1].startswith("stock: 48/48 images, ")


def test_on_a_terminal_progress_is_a_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)

    with progress_bar("stock", 2) as advance:
        advance(1)
        advance(2)

    assert "stock" in capsys.readouterr().err


def test_a_build_shows_a_line_per_step_and_every_note(capsys: pytest.CaptureFixture[str]) -> None:
    view = BuildView()

    view(StepStarted("stock", "stock graph", 1, 2))
    view(Progress("trace", 1, 4))
    view(Progress("trace", 2, 4))
    view(StepFinished("stock", "stock graph", 1, 2, cached=True))
    view(Note("something to know"))

    assert capsys.readouterr().err.splitlines() == [
        "    trace, after 0 s",
        "[1/2] stock graph                  cached",
        "note: something to know",
    ]


@pytest.mark.slow
def test_a_line_of_immense_length_keeps_its_start_and_its_end(
    cli: Cli, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("v.yaml").write_text(f"size: [8, 8]\nconfig: {{base: x}}\n? {'a' * 500_000}\n: 1\n")

    done = cli("build", tiny, "--variant", "v.yaml", "--dry-run")
    note("b " * 500_000 + "end")
    noted = capsys.readouterr().err

    assert (noted[:3], noted[-5:], len(noted)) == ("b b", " end\n", 2001)
    assert done.code == 2
    assert done.err.startswith("error: v.yaml: unknown key 'aaaa")
    assert " letters ... " in done.err
    assert done.err.endswith("targets, weights)\n")
    assert len(done.err) < 1000  # the word that is too long is cut, and nothing else
