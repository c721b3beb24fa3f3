"""What is in the distributions, and that an installed wheel works: anywhere, alone, with the lowest that it allows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.distribution import uv
from tests.tiny import write_package

REPOSITORY = Path(__file__).parents[1]
MODELS = REPOSITORY / "models"

ROOMS = {"convertkit", "convertkit_passes", "convertkit_cpu", "convertkit_ascend", "convertkit_openvino"}
STAYS = re.compile(r"(^|/)(tests|bench|docs|__pycache__)/|\.(pth|pyc|jpg|png)$")
"""What is for those who work on convertkit; mini's weights are in its stock graph as well."""

LARGEST_WHEEL = 20e6
"""Bytes; mini.onnx takes 17 MB of it."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("uv") is None, reason="uv is not installed: make setup's development tools"),
]


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel installed in a directory of its own, beside the dependencies of this interpreter."""
    target = tmp_path_factory.mktemp("site")
    uv("pip", "install", "--quiet", "--python", sys.executable, "--no-deps", "--target", target, wheel)
    return target


def convertkit(
    python: Path | str, words: str, *, site: Path | str | None = None, code: int = 0
) -> tuple[str, str]:
    """What ``convertkit WORDS`` prints, on both streams, here; from ``site`` where there is one."""
    source = "import sys; sys.path[:0] = sys.argv.pop().split(); from convertkit.cli.app import main; sys.exit(main())"
    command = [str(python), "-I", "-c", source, *words.split(), str(site or "")]
    wide = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run(command, capture_output=True, text=True, env=wide)
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


def test_the_wheel_holds_the_rooms_and_our_models(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == ROOMS
    assert {f"{room}/py.typed" for room in ROOMS} <= names
    inside = {name.partition("/model-packages/")[2] for name in names if "/model-packages/" in name}
    assert inside == {name for name in tracked("models") if not STAYS.search(name)}
    assert not [name for name in names if STAYS.search(name)]
    assert [name for name in names if name.endswith(".onnx")] == [
        "convertkit/model-packages/maskrcnn/mini/mini.onnx"
    ]
    assert wheel.stat().st_size < LARGEST_WHEEL


def test_the_source_distribution_holds_what_the_wheel_is_made_of(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    rooms = {"convertkit", "passes", "targets", "models"}
    files = {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "PKG-INFO", ".gitignore"}
    assert {name.split("/")[0] for name in names} == rooms | files
    assert not [name for name in names if STAYS.search(name)]
    ours = {f"{room}/{name}" for room in rooms for name in tracked(room) if not STAYS.search(name)}
    assert ours <= names


def tracked(room: str) -> set[str]:
    """The files of a room, from there, that are in the repository."""
    root = REPOSITORY / room
    done = subprocess.run(["git", "ls-files", "."], cwd=root, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("this is no clone")
    return set(done.stdout.splitlines())


def test_the_installed_wheel_has_its_plugins_and_models(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert "cast-int64-to-int32" in convertkit(sys.executable, "list passes", site=site)[0]
    shown, notes = convertkit(sys.executable, "show model maskrcnn", site=site)
    assert shown.startswith(f"model: {site / 'convertkit' / 'model-packages' / 'maskrcnn'}\n")
    assert notes == ""
    wrong = convertkit(sys.executable, "build maskrcn", site=site, code=2)[1]
    assert "unknown model package 'maskrcn' (did you mean 'maskrcnn'?" in wrong


LAB = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "lab-models"
version = "2.0"

[project.entry-points."convertkit.models"]
cats = "lab_models.cats"

[tool.hatch.build.targets.wheel]
packages = ["lab_models"]
"""


def test_a_distribution_of_somebody_brings_a_model(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_package(tmp_path / "lab" / "lab_models" / "cats")
    (tmp_path / "lab" / "lab_models" / "__init__.py").write_text("raise SystemExit('imported')")
    (tmp_path / "lab" / "pyproject.toml").write_text(LAB)
    place = tmp_path / "lab-site"
    uv("pip", "install", "--quiet", "--python", sys.executable, "--target", place, tmp_path / "lab")
    monkeypatch.chdir(tmp_path)
    both = f"{place} {site}"

    listed = convertkit(sys.executable, "list models", site=both)[0]
    built, notes = convertkit(sys.executable, "build cats", site=both)

    assert re.search(r"^cats +small +8x8 +lab-models 2\.0$", listed, re.MULTILINE)
    assert f"{place}/lab_models/cats: a model package is code, and it runs with your rights" in notes
    assert "built build/tiny-small-cpu" in built
    assert re.search(r"^maskrcnn +mini +320x320 +convertkit ", listed, re.MULTILINE)
    assert "up to date" in convertkit(sys.executable, "build cats", site=both)[0]


def interpreter(version: str) -> Path:
    """A Python of that version, on PATH or of pyenv, that starts: a shim may stand for none."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    places = [shutil.which(f"python{version}"), *root.glob(f"versions/{version}.*/bin/python{version}")]
    for place in filter(None, places):
        if subprocess.run([place, "-c", ""], capture_output=True).returncode == 0:
            return Path(place)
    pytest.skip(f"there is no Python {version}")


@pytest.mark.parametrize(("version", "resolution"), [("3.10", "lowest-direct"), ("3.13", "highest")])
def test_a_clean_environment(
    version: str, resolution: str, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the oldest Python and the oldest dependencies that are allowed, and with the newest of both."""
    base = interpreter(version)
    uv("venv", "--quiet", "--python", base, tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    uv("pip", "install", "--quiet", "--python", python, "--resolution", resolution, wheel)
    monkeypatch.chdir(tmp_path)

    done = subprocess.run(
        [tmp_path / "venv" / "bin" / "convertkit", "build", "maskrcnn", "--variant", "mini"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr  # its end included, where onnx before 1.23 crashes
    assert "next: convertkit verify maskrcnn --variant mini --target cpu" in done.stdout
    graph = "build/maskrcnn-mini-cpu/model.onnx"
    assert "wrote small.onnx" in convertkit(python, f"opt {graph} -p set-opset-window -o small.onnx")[0]
    assert "for ascend310p3:" in convertkit(python, f"lint {graph} -t ascend310p3", code=1)[0]
    assert "maskrcnn mini on cpu, 1 image" in convertkit(python, "verify maskrcnn --limit 1")[0]
