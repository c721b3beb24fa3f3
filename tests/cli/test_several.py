"""Several files for one command: an answer for each, and the worst exit code."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from tests.ascend.linter.graphs import named
from tests.conftest import Cli
from tests.tiny import tiny_model

TARGET = ("--target", "ascend310p3")


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, ...]:
    """A good graph, one that is no graph, and another good one."""
    for name in ("a.onnx", "c.onnx"):
        onnx.save(tiny_model(), tmp_path / name)
    (tmp_path / "b.onnx").write_text("no graph")
    return "a.onnx", "b.onnx", "c.onnx"


def test_opt_writes_every_graph_into_a_directory(cli: Cli, files: tuple[str, ...]) -> None:
    done = cli("opt", "a.onnx", "c.onnx", "-p", "fold-constants", "--output", "made")

    assert done.code == 0, done.err
    assert [line.split(" (")[0] for line in done.out.splitlines()] == [
        "a.onnx: wrote made/a.onnx",
        "c.onnx: wrote made/c.onnx",
    ]
    onnx.checker.check_model(onnx.load("made/c.onnx"), full_check=True)


def test_a_graph_that_fails_does_not_stop_the_others(cli: Cli, files: tuple[str, ...]) -> None:
    done = cli("opt", *files, "-p", "fold-constants", "-o", "made")

    assert done.code == 2
    assert sorted(path.name for path in Path("made").iterdir()) == ["a.onnx", "c.onnx"]
    assert [line for line in done.err.splitlines() if "error" in line] == [done.err.splitlines()[-1]]
    assert done.err.splitlines()[-1].startswith("error: b.onnx: ")


def test_json_is_a_list_with_an_entry_for_each(cli: Cli, files: tuple[str, ...]) -> None:
    done = cli("opt", *files, "-p", "fold-constants", "--json")

    first, second, third = done.json
    assert (first["file"], third["file"], third["passes"][0]["name"]) == (
        "a.onnx",
        "c.onnx",
        "fold-constants",
    )
    assert (second["file"], second["error"]["exit_code"]) == ("b.onnx", 2)


def test_one_graph_has_the_answer_it_always_had(cli: Cli, files: tuple[str, ...]) -> None:
    assert "passes" in cli("opt", "a.onnx", "-p", "fold-constants", "--json").json
    Path("made").mkdir()
    assert cli("opt", "a.onnx", "-p", "fold-constants", "-o", "made").out.startswith("wrote made/a.onnx")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("a.onnx", "c.onnx", "-o", "x.onnx"), "error: x.onnx: one file for 2 graphs (give a directory)"),
        (("a.onnx", "a.onnx", "-o", "made"), "error: 2 of the files are called a.onnx"),
    ],
)
def test_places_that_do_not_fit_are_refused(
    cli: Cli, files: tuple[str, ...], words: tuple[str, ...], line: str
) -> None:
    done = cli("opt", *words, "-p", "fold-constants")

    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.startswith(line)


def test_what_passes_would_do_is_said_for_each(cli: Cli, files: tuple[str, ...]) -> None:
    done = cli("opt", "a.onnx", "c.onnx", "-p", "fold-constants", "--dry-run")

    assert [line for line in done.out.splitlines() if line.endswith("onnx:")] == ["a.onnx:", "c.onnx:"]


@pytest.mark.slow
def test_lint_has_a_line_for_each_and_the_worst_exit_code(cli: Cli, tmp_path: Path) -> None:
    onnx.save(named("(float[2] x) => (float[2] y) { y = Relu (x) }").proto, tmp_path / "good.onnx")
    onnx.save(named("(float[n] x) => (float[n] y) { y = Relu (x) }").proto, tmp_path / "bad.onnx")

    good, bad = cli("lint", "good.onnx", "good.onnx", *TARGET), cli("lint", "good.onnx", "bad.onnx", *TARGET)
    absent = cli("lint", "good.onnx", "bad.onnx", "absent.onnx", *TARGET)
    sarif = cli("lint", "good.onnx", "bad.onnx", *TARGET, "--sarif")

    assert (good.code, bad.code, absent.code) == (0, 1, 2)
    assert [line for line in bad.out.splitlines() if " for ascend310p3: " in line] == [
        "good.onnx for ascend310p3: 0 errors, 0 warnings",
        "bad.onnx for ascend310p3: 1 error, 0 warnings",
    ]
    assert bad.err.startswith("error: bad.onnx is not fit for ascend310p3")
    assert absent.err.splitlines()[1].startswith("error: absent.onnx: ")
    assert [run["artifacts"][0]["location"]["uri"] for run in sarif.json["runs"]] == ["good.onnx", "bad.onnx"]
