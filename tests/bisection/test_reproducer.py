"""What is written is what fails, or nothing is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from convertkit.bisection.attempt import Attempt, attempt
from convertkit.bisection.reproducer import FILES, Story, refuse_existing, write
from convertkit.errors import PassError, UsageError
from convertkit.graph.npz import read_arrays, write_arrays
from tests.bisection.broken import Harmless, SwapSub, graph, sample

STORY = Story("a test", "it is wrong", ("simplify",), 11, SwapSub())


def failing() -> Attempt:
    found = attempt(SwapSub(), graph(), sample())
    assert found is not None
    return found


def test_the_directory_is_whole(tmp_path: Path) -> None:
    found = write(tmp_path / "here", SwapSub(), failing(), STORY)

    assert {path.name for path in (tmp_path / "here").iterdir()} == set(FILES)
    assert (found.nodes, found.whole) == (11, 11)
    assert found.command == "convertkit opt before.onnx -p swap-sub --inputs inputs.npz"
    text = (tmp_path / "here" / "README.md").read_text()
    assert "Found by `convertkit bisect` in a test, after the passes: simplify." in text
    assert "There: it is wrong" in text


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"step": Harmless()}, "it does not fail again on what was written of it"),
        ({"got": {"area": np.zeros(1)}}, "it fails again, but with other values each time"),
    ],
)
def test_what_does_not_fail_again_is_not_left(tmp_path: Path, wrong: dict[str, object], line: str) -> None:
    step = wrong.pop("step", SwapSub())

    with pytest.raises(PassError, match=line):
        write(tmp_path / "here", step, dataclasses.replace(failing(), **wrong), STORY)  # type: ignore[arg-type]

    assert list(tmp_path.iterdir()) == []


def test_only_a_reproducer_is_replaced(tmp_path: Path) -> None:
    ours, theirs, link = tmp_path / "ours", tmp_path / "theirs", tmp_path / "link"
    write(ours, SwapSub(), failing(), STORY)
    theirs.mkdir()
    (theirs / "README.md").touch()
    (theirs / "diary.txt").touch()
    link.symlink_to(ours)

    refuse_existing(ours, force=True)
    refuse_existing(tmp_path / "nothing", force=False)
    with pytest.raises(UsageError, match="--force replaces it"):
        refuse_existing(ours, force=False)
    for place in (theirs, link, theirs / "diary.txt"):
        with pytest.raises(UsageError, match="is no reproducer"):
            refuse_existing(place, force=True)


def test_arrays_keep_names_types_and_values(tmp_path: Path) -> None:
    arrays = {
        "/neck/Conv_output_0": np.arange(6, dtype=np.float16).reshape(2, 3),
        "file": np.array(True),
        "empty": np.zeros((0, 4), np.int64),
        "transposed": np.arange(6.0).reshape(2, 3).T,
    }

    write_arrays(tmp_path / "a.npz", arrays)

    again = read_arrays(tmp_path / "a.npz")
    assert list(again) == list(arrays)
    for name, value in arrays.items():
        assert again[name].dtype == value.dtype
        np.testing.assert_array_equal(again[name], value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and then nothing", b"\x93NUMPY", b"words"])
def test_what_is_no_archive_of_arrays_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npz").write_bytes(content)

    with pytest.raises(UsageError, match=r"a\.npz: not an \.npz file of plain arrays"):
        read_arrays(tmp_path / "a.npz")


def test_python_objects_are_not_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.array([{}], dtype=object))
    np.save(tmp_path / "b.npz", np.ones(3))
    (tmp_path / "b.npz.npy").rename(tmp_path / "b.npz")

    for name in ("a.npz", "b.npz"):
        with pytest.raises(UsageError, match=r"not an \.npz file of plain arrays"):
            read_arrays(tmp_path / name)
