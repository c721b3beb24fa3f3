"""How much a command says, and in which colour."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest

from convertkit.api.commands.tables import figures
from convertkit.cli.ui import BuildView, progress_bar
from convertkit.cli.volume import is_colourful, set_volume
from convertkit.conversion.events import StepStarted
from tests.conftest import Cli

COLOUR = "\x1b["


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.parametrize(
    ("stream", "variables", "colour"),
    [
        (Terminal(), {}, True),
        (io.StringIO(), {}, False),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {"FORCE_COLOR": "1"}, True),
        (io.StringIO(), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colour_is_for_terminals_unless_it_is_forbidden_or_forced(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, variables: dict[str, str], colour: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert is_colourful(stream) is colour


def test_an_error_is_in_colour_where_there_is_any(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert COLOUR not in cli("list", "nonsense").err

    monkeypatch.setenv("FORCE_COLOR", "1")

    assert cli("list", "nonsense").err.startswith("\x1b[1;31merror:\x1b[0m list 'nonsense' is not known")


def test_json_has_no_colour(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")

    done = cli("list", "nonsense", "--json")

    assert done.json["error"]["message"] == "list 'nonsense' is not known"
    assert COLOUR not in done.out


@pytest.mark.slow
def test_a_quiet_command_prints_its_result_alone(cli: Cli, tiny: Path) -> None:
    done = cli("build", tiny, "-q")

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("built build/tiny-small-cpu")


def test_a_quiet_command_prints_its_error(cli: Cli) -> None:
    assert cli("list", "nonsense", "--quiet").err.startswith("error: list 'nonsense'")


def test_a_verbose_command_says_what_it_loads(cli: Cli) -> None:
    done = cli("list", "targets", "-v")

    assert "info: convertkit.plugins.loading: plugin cpu from convertkit-compiler" in done.err
    assert cli("list", "targets").err == ""


def test_twice_verbose_says_more(cli: Cli) -> None:
    cli("list", "models", "-vv")
    assert logging.getLogger("convertkit").level == logging.DEBUG
    cli("list", "models", "-v")
    assert logging.getLogger("convertkit").level == logging.INFO
    cli("list", "models")
    assert logging.getLogger("convertkit").level == logging.WARNING


def test_quiet_and_verbose_exclude_each_other(cli: Cli) -> None:
    done = cli("list", "targets", "-q", "-v")

    assert done.code == 2
    assert done.err == "error: --quiet and --verbose exclude each other (give one of them)\n"


def test_nothing_moves_on_a_quiet_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    set_volume(quiet=True)
    try:
        BuildView()(StepStarted("stock", "stock graph", 1, 2))
        with progress_bar("stock", 2) as advance:
            advance(1)
    finally:
        set_volume()

    assert capsys.readouterr().err == ""


def test_a_moving_line_does_not_wrap(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")

    BuildView()(StepStarted("pass", "a-pass-with-a-name-as-long-as-the-line-itself", 1, 2))

    assert len(capsys.readouterr().err.removeprefix("\r\x1b[K")) == 39


COLUMNS = ["bbox", "AP", "AP50", "AP75", "APs", "APm", "APl", "images/s"]
FIGURE = "0.7362 +- 0.0432"
ROWS = [["stock", *[FIGURE] * 6, "3.5"], ["after:fuse-multiclass-nms", *[FIGURE] * 6, "5.5"]]


def test_figures_stay_whole_on_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    print(figures(COLUMNS, ROWS))

    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert out.count(FIGURE) == 12
    tables = [part.splitlines() for part in out.split("\n\n")]
    assert [table[0].split() for table in tables] == [
        ["bbox", "AP", "AP50", "AP75"],
        ["bbox", "APs", "APm", "APl"],
        ["bbox", "images/s"],
    ]
    assert all(table[3].startswith("after:fuse-multiclass-nms") for table in tables)


@pytest.mark.parametrize("columns", ["200", None])
def test_figures_are_one_table_where_there_is_room(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str | None
) -> None:
    if columns:
        monkeypatch.setenv("COLUMNS", columns)

    print(figures(COLUMNS, ROWS))

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[2] == "stock" + " " * 20 + f"  {FIGURE}" * 6 + "       3.5"


def test_a_first_column_wider_than_the_terminal_still_has_its_figures(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")

    print(figures(["rung", "AP", "AP50"], [["x" * 30, "0.5", "0.6"]]))

    lines = capsys.readouterr().out.splitlines()
    assert [lines[2], lines[6]] == [f"{'x' * 30} 0.5", f"{'x' * 30}  0.6"]
