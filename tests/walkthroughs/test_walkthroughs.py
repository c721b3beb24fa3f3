"""A newcomer's walks by the pages alone: their commands, run where nothing but the wheel is installed.

How long they take is measured by ``python -m bench.walkthroughs``.
"""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path

import cv2
import onnx
import pytest

from bench.walkthroughs import PHOTO, TESTING, WALKS, Newcomer
from tests.distribution import uv

UV = (sys.executable, "-m", "uv", "pip")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("uv") is None, reason="uv is not installed: make setup's development tools"),
]


def environment(place: Path, *wanted: object) -> Path:
    uv("venv", "--quiet", "--python", sys.executable, place)
    python = place / "bin" / "python"
    if wanted:
        uv("pip", "install", "--quiet", "--python", python, *wanted)
    return python


@pytest.fixture(scope="module")
def known(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the wheel and pytest, and without this repository."""
    return environment(tmp_path_factory.mktemp("known") / "venv", wheel, *TESTING)


def walked(name: str, place: Path, python: Path) -> dict[str, str]:
    """What every command of the walk printed, in the order of the page; says how long each took."""
    said = {}
    settings = {"UV_PYTHON": str(python), "UV_SYSTEM_CERTS": "1"}
    for step in WALKS[name].follow(Newcomer(place, python, UV, settings)):
        print(f"{step.seconds:6.1f} s  {step.command}")
        said[step.command] = step.said
    return said


def drawn(picture: Path) -> bool:
    """Whether the picture is the photo with something on it."""
    found, photo = cv2.imread(str(picture)), cv2.imread(str(PHOTO))
    return found.shape == photo.shape and bool((cv2.absdiff(found, photo) > 60).any())


def test_from_the_wheel_to_a_drawn_photo(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "dist").symlink_to(wheel.parent)

    said = walked("wheel", tmp_path, environment(tmp_path / "venv"))

    assert [command.split()[:2] for command in said] == [
        ["pip", "install"], ["convertkit", "list"], ["convertkit", "build"], ["convertkit", "detect"],
    ]  # fmt: skip
    assert drawn(tmp_path / "detections" / "photo.jpg")


def test_from_a_name_to_a_pass_that_conforms(known: Path, tmp_path: Path) -> None:
    said = walked("pass", tmp_path, known)

    assert [node.op_type for node in onnx.load(tmp_path / "smaller.onnx").graph.node] == ["Relu"]
    assert re.search(r"^keep-relu +exact ", said["convertkit list passes"], re.MULTILINE)
    run = said["python -m pytest -s keep-relu"]
    assert re.search(r"^holds +random-graphs$", run, re.MULTILINE), run
    assert "not tried" not in run and " passed in " in run


def test_from_a_page_to_a_target_of_another_runtime(known: Path, tmp_path: Path) -> None:
    said = walked("target", tmp_path, known)

    (table,) = (text for command, text in said.items() if " detect " in command)
    stock, target = re.search(r"^photo\.jpg  (.+?) {2,}(.+)$", table, re.MULTILINE).groups()
    assert stock == target != "nothing", table
    assert (tmp_path / "found" / "photo.jpg").is_file()


def test_from_a_foreign_file_to_a_drawn_photo(known: Path, tmp_path: Path) -> None:
    said = walked("model", tmp_path, known)

    assert "is boxes" in said["convertkit new model mydetector --onnx detector.onnx"]
    assert drawn(tmp_path / "found" / "photo.jpg")


def test_the_names_of_sections_are_those_of_the_pages() -> None:
    assert {name: len(walk.commands()) for name, walk in WALKS.items()} == {
        "wheel": 4, "pass": 7, "target": 5, "model": 3,
    }  # fmt: skip
