from __future__ import annotations

import os
from pathlib import Path

import pytest

from convertkit.errors import SpecError
from convertkit.exporting.requirements import parse_requirements, read_requirements


def test_lines_fall_into_tools_packages_and_options() -> None:
    found = parse_requirements(
        """
        # what compiles
        pip
        setuptools<81  # mmcv needs pkg_resources
        --find-links=wheels
        torch==2.13.0; python_version >= "3.10"
        Mmcv_full[ops]==1.7.2
        """
    )

    assert found.tools == ("pip", "setuptools<81")
    assert found.options == ("--find-links", "wheels")
    assert found.packages == ('torch==2.13.0; python_version >= "3.10"', "Mmcv_full[ops]==1.7.2")
    assert found.distributions == ("torch", "Mmcv_full")


def test_comments_and_blank_lines_change_nothing() -> None:
    assert parse_requirements("a==1\n\n# b\nc #d\n").lines == parse_requirements("a==1\nc").lines


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-r other.txt", r"file:2: '-r' cannot be used here \(one requirement per line\)"),
        ("./wheel.whl", r"file:2: './wheel.whl' is not a requirement \(write NAME==VERSION\)"),
        ("a==1 \\", r"is not a requirement"),
    ],
)
def test_what_makes_no_step_of_its_own_is_refused(line: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        parse_requirements(f"torch\n{line}", origin="file")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"absent\.txt: no such file"):
        read_requirements(tmp_path / "absent.txt")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")

    with pytest.raises(SpecError, match=r"pipe\.txt: not a regular file"):
        read_requirements(tmp_path / "pipe.txt")
