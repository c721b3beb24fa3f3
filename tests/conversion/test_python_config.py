"""Configurations in Python: which files one consists of, without running it."""

from __future__ import annotations

from pathlib import Path

import pytest

from convertkit.conversion.python_config import content
from convertkit.errors import SpecError


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_file_and_what_lies_beside_it_count(tmp_path: Path) -> None:
    base = written(tmp_path / "base.py", "model = {}\n")
    own = written(tmp_path / "own.py", "_base_ = ['base.py', '../mmdets/own.py']\nx = 1\n")

    before = content(own)
    written(base, "model = {1: 2}\n")
    after = content(own)

    assert set(before) == {"own.py", str(base)}
    assert before["own.py"] == after["own.py"]
    assert before[str(base)] != after[str(base)]


def test_nothing_in_it_is_run(tmp_path: Path) -> None:
    own = written(tmp_path / "own.py", f"open({str(tmp_path / 'ran')!r}, 'w')\n_base_ = 'other.py'\n")

    content(own)

    assert not (tmp_path / "ran").exists()


def test_circles_end(tmp_path: Path) -> None:
    own = written(tmp_path / "own.py", "_base_ = 'own.py'\n")

    assert list(content(own)) == ["own.py"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("_base_ = name\n", "malformed node"),
        ("model = {\n", "was never closed"),
        ("_base_ = [1]\n", "neither the name of a file nor a list"),
        ("_base_ = ['a.py'\n", "was never closed"),
        ("#" * (1 << 20) + "\n", "larger than 1048576 bytes"),
    ],
)
def test_what_cannot_be_known_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(SpecError, match=why):
        content(written(tmp_path / "own.py", text))


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"own\.py: no such file"):
        content(tmp_path / "own.py")
