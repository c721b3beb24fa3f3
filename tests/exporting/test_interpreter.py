from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from convertkit.errors import UnavailableError, UsageError
from convertkit.exporting.environment import Environment, choose
from convertkit.exporting.interpreter import VARIABLE, ExternalPython, child_variables
from convertkit.exporting.requirements import parse_requirements
from convertkit.models.spec import EnvironmentSpec
from tests.conftest import MASKRCNN, Cli


def test_interpreter_with_everything_is_returned_as_named() -> None:
    mine = ExternalPython(sys.executable, distributions=("msgspec", "PyYAML"), modules=("json.decoder",))

    assert mine.ensure() == Path(sys.executable)
    assert mine.probe().versions.keys() == {"msgspec", "PyYAML"}


def test_compiled_extensions_are_imported_too() -> None:
    from convertkit.exporting.probe import find, modules_of

    distribution = find("msgspec")

    assert distribution is not None
    assert modules_of(distribution) == ["msgspec", "msgspec._core"]


def test_interpreter_may_be_named_by_directory_command_or_relative_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "env" / "bin"
    here.mkdir(parents=True)
    (here / "python").symlink_to(sys.executable)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(here))

    named = [ExternalPython(path).python for path in (tmp_path / "env", "env", "python", "./env/bin/python")]

    assert named == [here / "python"] * 4


def test_everything_missing_or_broken_is_listed_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.py").write_text("import sys\nsys.exit('no\\nmore')")
    monkeypatch.syspath_prepend(str(tmp_path))
    shim = tmp_path / "python"
    shim.write_text(f'#!/bin/sh\nPYTHONPATH="{tmp_path}" exec "{sys.executable}" "$@"\n')
    shim.chmod(0o755)

    with pytest.raises(UnavailableError) as caught:
        ExternalPython(shim, distributions=("torch-of-nowhere",), modules=("nowhere.ops", "broken")).ensure()

    assert str(caught.value).startswith(f"{shim} (Python 3.")
    assert "torch-of-nowhere (not installed), nowhere.ops (not installed), broken (SystemExit: no)" in str(
        caught.value
    )
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/no/such/python", "^/no/such/python: no such interpreter"),
        ("no-such-python", "^no-such-python: no such interpreter"),
        ("true", "/true: not a usable Python interpreter"),
        ("false", "/false: not a usable Python interpreter: .* failed with exit code 1"),
    ],
)
def test_what_is_no_interpreter_is_a_usage_error(path: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ExternalPython(path).ensure()


def test_ours_is_used_unless_another_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = Environment("model", parse_requirements("ninja\ntorch\nmmdet"))
    monkeypatch.delenv(VARIABLE, raising=False)

    assert choose(ours) is ours
    monkeypatch.setenv(VARIABLE, "/from/variable")
    assert choose(ours) == ExternalPython("/from/variable", ("torch", "mmdet"))
    assert choose(ours, "/from/option") == ExternalPython("/from/option", ("torch", "mmdet"))
    listed = replace(ours, modules=("torch",))
    assert choose(listed, "/from/option") == ExternalPython("/from/option", modules=("torch",))


def test_child_does_not_find_our_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/ours")
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    variables = child_variables(Path("/env/bin/python"), {"FORCE_CUDA": "0"})

    assert "PYTHONPATH" not in variables
    assert variables["PIP_NO_INDEX"] == "1"
    assert variables["FORCE_CUDA"] == "0"
    assert variables["PATH"].startswith("/env/bin:")


def fake(place: Path, text: str) -> Path:
    """An interpreter that is a shell script."""
    place.parent.mkdir(parents=True)
    place.write_text(f"#!/bin/sh\n{text}\n")
    place.chmod(0o755)
    return place


def test_the_newest_of_pyenv_is_taken_where_that_on_path_is_an_empty_shim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from convertkit.exporting.environment import _suitable

    shim = fake(tmp_path / "shims" / "python9.7", "echo command not found >&2; exit 127")
    for version in ("9.7.9", "9.7.10", "9.70.1"):
        fake(tmp_path / "versions" / version / "bin" / "python9.7", f'exec "{sys.executable}" "$@"')
    monkeypatch.setenv("PATH", str(shim.parent), prepend=":")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))

    assert _suitable(("9.7",)) == tmp_path / "versions" / "9.7.10" / "bin" / "python9.7"
    assert _suitable(("9.8",)) == Path(sys.executable)


def test_a_version_that_is_nowhere_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "requirements.txt").write_text("quick\n")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    spec = EnvironmentSpec("requirements.txt", python=("9.8",))

    with pytest.raises(UnavailableError) as caught:
        Environment.of("model-old", spec, tmp_path).ensure()

    assert "the export environment of model-old needs Python 9.8, and" in str(caught.value)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("install it (pyenv install 9.8), or")


def test_env_names_one_of_the_packages_environments(cli: Cli) -> None:
    wrong = cli("build", MASKRCNN, "--env", "sead", "--dry-run")
    both = cli("build", MASKRCNN, "--env", "seed", "--from", "stock", "--dry-run")
    plan = cli("build", MASKRCNN, "--env", "seed", "--dry-run")

    assert (wrong.code, both.code, plan.code) == (2, 2, 0)
    assert "did you mean 'seed'" in wrong.err
    assert "--env and --from stock exclude each other" in both.err
    assert "build/maskrcnn-mini-seed-cpu: " in plan.out
