"""``convertkit new pass`` and ``new target``: what is written works at once, and installs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from convertkit.plugins.scaffold import scaffold
from tests.conftest import Cli
from tests.distribution import uv

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "write-a-plugin.md"
GRAPH = "(float[2,3] x) => (float[2,3] y) { k = Dropout (x) y = Relu (k) }"


def pytest_run(place: Path, *words: str) -> str:
    """A run of its own, as the user's: none of our settings."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_pass_and_its_test_are_written(cli: Cli) -> None:
    done = cli("new", "pass", "drop-dropout")

    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "drop_dropout.py: a pass that works; test_drop_dropout.py tests it",
        "next: python -m pytest test_drop_dropout.py",
    ]
    assert sorted(path.name for path in Path().iterdir()) == ["drop_dropout.py", "test_drop_dropout.py"]


def test_it_is_the_pass_of_the_page(cli: Cli) -> None:
    cli("new", "pass", "drop-dropout")

    (block,) = (
        block
        for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
        if "Dropout" in block
    )
    assert Path("drop_dropout.py").read_text().partition("\n\n")[2] == block


def test_a_package_says_how_to_go_on_in_json(cli: Cli) -> None:
    done = cli("new", "target", "my-chip", "--package", "--output", "elsewhere", "--json")

    assert done.json == {
        "target": "my-chip",
        "files": [
            "elsewhere/pyproject.toml",
            "elsewhere/src/my_chip/__init__.py",
            "elsewhere/tests/test_my_chip.py",
        ],
        "next": "cd elsewhere && python -m pytest",
    }


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("dropIt", "name 'dropIt' is not kebab-case, like 'drop-dropout' (write drop-it)"),
        ("Drop it!", "name 'Drop it!' is not kebab-case, like 'drop-dropout' (write drop-it)"),
        ("9", "name '9' is not kebab-case, like 'drop-dropout'"),
        ("json", "name 'json': there is a Python module json already (give another NAME)"),
        ("onnx", "name 'onnx': there is a Python module onnx already (give another NAME)"),
        ("class", "name 'class': there is a Python module class already (give another NAME)"),
    ],
)
def test_a_name_that_cannot_be_is_refused(cli: Cli, name: str, line: str) -> None:
    done = cli("new", "pass", name)

    assert (done.code, done.err) == (2, f"error: {line}\n")
    assert not any(Path().iterdir())


def test_nothing_is_written_over(cli: Cli) -> None:
    Path("test_my_pass.py").write_text("mine")

    done = cli("new", "pass", "my-pass")

    assert (done.code, Path("test_my_pass.py").read_text()) == (2, "mine")
    assert done.err == "error: test_my_pass.py exists already (give another NAME, or --output DIRECTORY)\n"
    assert not Path("my_pass.py").exists()


@pytest.mark.parametrize("kind", ["pass", "target"])
@pytest.mark.parametrize("package", [False, True])
def test_what_is_written_is_in_style(tmp_path: Path, kind: str, package: bool) -> None:
    for name, text in scaffold(kind, "my-own", package=package).items():
        assert max(map(len, text.splitlines())) <= 120, name
        if name.endswith(".py"):
            compile(text, name, "exec")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pass", "target"])
def test_what_is_written_passes_its_test_at_once(cli: Cli, kind: str, tmp_path: Path) -> None:
    cli("new", kind, "my-own")
    cli("new", kind, "my-other", "--package")

    assert "passed" in pytest_run(tmp_path, "test_my_own.py")
    assert "passed" in pytest_run(tmp_path / "my-other")


@pytest.mark.slow
@pytest.mark.skipif(find_spec("uv") is None, reason="uv is not installed: make setup's development tools")
def test_packages_install_into_a_fresh_environment_and_are_found(
    cli: Cli, wheel: Path, tmp_path: Path
) -> None:
    cli("new", "pass", "keep-relu", "--package")
    cli("new", "target", "my-chip", "--package")
    fresh = tmp_path / "fresh"
    uv("venv", "--quiet", "--python", sys.executable, fresh)
    python = fresh / "bin" / "python"

    uv(
        "pip",
        "install",
        "--quiet",
        "--python",
        python,
        wheel,
        "pytest",
        "./keep-relu",
        "./my-chip",
    )

    def fresh_run(*words: str, cwd: Path = tmp_path) -> str:
        done = subprocess.run([python, "-m", *words], cwd=cwd, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert re.search(r"keep-relu +exact", fresh_run("convertkit", "list", "passes"))
    assert "my-chip" in fresh_run("convertkit", "list", "targets")
    assert "passed" in fresh_run("pytest", "-q", cwd=tmp_path / "keep-relu")  # without hypothesis, too
