"""Plugins take part in the doctor's round; one that fails does not spoil it."""

from __future__ import annotations

from pathlib import Path

import pytest

from convertkit.api.commands import doctor
from convertkit.errors import PluginError
from convertkit.plugins.diagnosis import Diagnosis
from convertkit.plugins.loading import Plugins
from tests.conftest import Cli

LOOKS = """
from convertkit.api.passes import hookimpl
from convertkit.api.targets import Diagnosis

@hookimpl
def examine():
    return [Diagnosis("note", "my chip", "not there", "buy one")]
"""
FAILS = """
from convertkit.api.passes import hookimpl

@hookimpl
def examine():
    raise RuntimeError("oh")
"""


def test_every_plugin_is_asked(tmp_path: Path) -> None:
    plugins = Plugins()
    for name, text in [("looks", LOOKS), ("fails", FAILS), ("silent", "")]:
        (tmp_path / f"{name}.py").write_text(text)
        plugins.load_file(tmp_path / f"{name}.py")

    found = plugins.examine()

    assert found == [
        Diagnosis("note", "my chip", "not there", "buy one"),
        Diagnosis(
            "missing",
            f"plugin {tmp_path / 'fails.py'}",
            "examine fails: RuntimeError: oh",
            "report this to the plugin's author",
        ),
    ]


def test_a_plugin_in_a_file_can_be_given(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "looks.py").write_text(LOOKS)

    done, absent = cli("doctor", "--plugin", "looks.py"), cli("doctor", "--plugin", "look.py")

    assert (done.code, done.out.splitlines()[-1].split()) == (
        0,
        ["note", "my", "chip", "not", "there", "buy", "one"],
    )
    assert (absent.code, absent.err) == (2, "error: plugin look.py: no such file\n")


def test_the_installed_plugins_are_part_of_the_round() -> None:
    assert any(diagnosis.what == "CANN" for diagnosis in doctor.examine())


def test_a_broken_plugin_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Plugins:
        raise PluginError("plugin x cannot be loaded: ImportError", hint="uninstall it")

    monkeypatch.setattr("convertkit.plugins.loading.open_plugins", broken)

    assert doctor.examine()[-1] == Diagnosis(
        "missing", "plugins", "plugin x cannot be loaded: ImportError", "uninstall it"
    )
