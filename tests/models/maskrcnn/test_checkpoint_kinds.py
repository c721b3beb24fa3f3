"""A format is told by what a file holds, also where its first bytes are those of another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("reader")


@pytest.mark.parametrize("length", range(64, 1700, 64))
def test_safetensors_of_any_header_length_are_none_of_pickle(tmp_path: Path, length: int) -> None:
    from export.checkpoint.read import read_checkpoint
    from export.checkpoint.safetensors import write

    room = length - len(write({"": np.float32(1)})) + 12
    content = write({"n" * room: np.float32(1)})
    (tmp_path / "x.pth").write_bytes(content)

    found = read_checkpoint(tmp_path / "x.pth")

    assert int.from_bytes(content[:8], "little") == length
    assert (found.report["format"], found.report["tensors"]) == ("safetensors", 1)


def test_a_header_that_is_not_whole_is_asked_for_last(tmp_path: Path) -> None:
    from export.checkpoint.kinds import kind

    header = (128).to_bytes(8, "little") + b"{"

    assert kind(header, 136) == "safetensors"
    assert kind(header, 135) == "pickle"
    assert kind((999).to_bytes(8, "little") + b"{", 100) == "safetensors"
