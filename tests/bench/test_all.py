"""``python -m bench.all``: each in a process of its own, what it found is kept, the page says what became of it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bench import all as every
from bench.record import Record, absent, by_turns
from convertkit.errors import ProcessError

FAKE = "tests.bench.fake"


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs it in a directory of its own; gives exit code, JSON, page."""
    monkeypatch.setattr(every, "digest", lambda plan: "state")
    monkeypatch.setattr(every, "RESULTS", tmp_path / "page.md")

    def run(*words: str) -> tuple[int, Any, str, str]:
        code = every.main([*words, "--results", str(tmp_path), "--json", str(tmp_path / "all.json")])
        printed = capsys.readouterr()
        return code, json.loads((tmp_path / "all.json").read_text())["benchmarks"], printed.out, printed.err

    return run


def in_this_process(words: Sequence[object], **options: Any) -> None:
    """In place of ``run_child``."""
    try:
        every.main([str(word) for word in words[3:]])
    except RuntimeError as error:
        raise ProcessError(str(error)) from error


@pytest.mark.slow
def test_help_quickly(run: Any) -> None:
    code, found, page, _ = run("--quick", "--only", "help")

    (row,) = found["help"]["records"]
    assert code == 0 and row["peer"] == "onnxsim --help" and row["ours"] > 0
    assert math.isclose(row["ratio"], row["ours"] / row["theirs"])
    assert "| `help` | convertkit --help | onnxsim --help |" in page and "Quick" in page


@pytest.mark.slow
def test_a_process_that_fails_says_why(run: Any) -> None:
    _, found, _, _ = run("--only", f"{FAKE}:broken")

    (kept,) = found.values()
    assert [row["name"] for row in kept["records"]] == ["before"] and "the peer finds another AP" in kept[
        "error"
    ]


def test_one_that_fails_loses_no_other_and_is_measured_again(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(every, "run_child", in_this_process)
    names = [f"{FAKE}:{name}" for name in ("broken", "pairs", "without")]

    code, found, page, _ = run("--only", *names)

    assert code == 1 and [row["name"] for row in found[names[0]]["records"]] == ["before"]
    assert f"* `{names[0]}`: " in page and "the peer finds another AP" in page
    assert "| fast | slow | 1.00 s | 4.00 s | 0.500 | <= 1 | yes | 3 |" in page
    assert "| rate | - | 50.0 photos/s | - | - | >= 100 photos/s | **no** | 1 |" in page
    assert (
        "* rate: A reason." in page and "* other, against nowhere: not installed: pip install nowhere" in page
    )
    assert "No module named 'nowhere'" in page
    assert not (tmp_path / "page.md").exists(), "not all were asked"

    _, _, _, said = run("--only", *names)

    assert said.count("as measured before") == 2 and f"{names[0]} ..." in said


def test_figures_of_pairs() -> None:
    row = Record.of_pairs("a", "b", [(1.0, 2.0), (3.0, 4.0), (9.0, 9.0)])

    assert (row.ours, row.theirs, row.ratio, row.runs, row.met) == (3.0, 4.0, 0.75, 3, True)
    assert Record.of_pairs("a", "b", [(3.0, 2.0)]).met is False
    assert Record.of_pairs("a", "b", [(3.0, 2.0)], goal=None).met is None
    assert Record("a", ours=100.0, goal=100.0, of="ours", at_least=True).met is True
    assert Record("a", ours=99.9, goal=100.0, of="ours", at_least=True).met is False
    assert Record("a", goal=1.0).met is None


def test_sides_take_turns_and_the_first_round_does_not_count() -> None:
    order: list[str] = []

    def side(name: str) -> Any:
        return lambda: order.append(name) or f"{name}{len(order)}"

    found = by_turns(2, side("a"), side("b"))

    assert "".join(order) == "ab" + "ab" + "ba"
    assert found == [["a3", "b4"], ["a6", "b5"]]


def test_a_peer_that_is_not_there_says_how_it_is_installed() -> None:
    row = absent("scores", "Nowhere", "nowhere", "no-where")

    assert row is not None and row.why == "not installed: pip install no-where"
    assert absent("scores", "json", "json") is None


def test_an_unknown_name_is_refused(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--only", "hlep")

    assert "'hlep' is none of help, pipeline" in capsys.readouterr().err


def test_every_benchmark_is_listed_in_the_docs() -> None:
    page = (Path(every.__file__).parents[1] / "docs" / "benchmarks.md").read_text()

    assert [name for name in every.BENCHMARKS if f"`{name}`" not in page] == []
