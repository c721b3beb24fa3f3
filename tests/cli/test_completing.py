"""Completion in a shell: typer's own scripts, and names where they are cheap to know."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Cli


@pytest.fixture
def complete(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    """The completions of a line, as bash asks for them."""

    def ask(line: str) -> list[str]:
        monkeypatch.setenv("_CONVERTKIT_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        done = cli()
        assert (done.code, done.err) == (0, "")
        return done.out.split()

    return ask


def test_commands_and_options(complete) -> None:
    assert complete("convertkit bu") == ["build"]
    assert "--target" in complete("convertkit build --t")


def test_targets(complete) -> None:
    assert complete("convertkit build x --target cp") == ["cpu"]
    assert "ascend310p3" in complete("convertkit show target asc")


def test_passes_and_the_last_of_several(complete) -> None:
    assert complete("convertkit opt x.onnx -p simp") == ["simplify"]
    assert complete("convertkit opt x.onnx -p simplify,rename") == ["simplify,rename-io"]


def test_variants_of_the_package_that_was_named(complete, tiny: Path) -> None:
    assert complete(f"convertkit build {tiny} --variant s") == ["small"]


def test_model_packages_by_name_and_their_variants(complete, tiny: Path) -> None:
    (Path("models") / "mascot").mkdir(parents=True)
    (Path("models") / "mascot" / "model.yaml").write_text((tiny / "model.yaml").read_text())

    assert complete("convertkit build mas") == ["mascot", "maskrcnn"]
    assert complete("convertkit show model yo") == ["yolox"]
    assert complete("convertkit detect x.png y.png --package fast") == ["faster_rcnn"]
    assert complete("convertkit estimate retin") == ["retinanet"]
    assert complete("convertkit verify maskrcnn --variant mi") == ["mini"]
    assert complete("convertkit build models/mas") == []  # the shell completes paths


def test_kinds(complete) -> None:
    assert complete("convertkit list ru") == ["rules"]
    assert complete("convertkit show mo") == ["model"]


def test_what_cannot_be_known_completes_to_nothing(complete, tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text("{{")

    assert complete(f"convertkit build {tmp_path} --variant s") == []


def test_no_tab_runs_the_code_of_a_file(complete, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("open('ran', 'w')")

    complete("convertkit list passes --plugin mine.py --target c")

    assert not Path("ran").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_shown(cli: Cli, shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")

    done = cli("--show-completion", shell)

    assert (done.code, done.err) == (0, "")
    assert f"_CONVERTKIT_COMPLETE=complete_{shell}" in done.out


@pytest.mark.slow
def test_the_program_itself_answers_a_shell(tmp_path: Path) -> None:
    asked = {"_CONVERTKIT_COMPLETE": "complete_bash", "COMP_WORDS": "convertkit bu", "COMP_CWORD": "1"}
    command = [sys.executable, "-m", "convertkit"]

    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **asked})

    assert (done.returncode, done.stdout, done.stderr) == (0, "build\n", "")


@pytest.mark.slow
def test_the_script_is_installed_for_a_shell(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "convertkit", "--install-completion", "bash"]
    home = {"HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}

    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **home})

    assert (done.returncode, done.stderr) == (0, "")
    assert "_CONVERTKIT_COMPLETE" in (tmp_path / ".bash_completions" / "convertkit.sh").read_text()
    assert ".bash_completions/convertkit.sh" in (tmp_path / ".bashrc").read_text()
