"""Bytes by key: in the order in which they came, in memory or in a file without a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from convertkit.errors import StoreError
from convertkit.storage import shelf as module
from convertkit.storage.shelf import Shelf


@pytest.mark.parametrize("held", [3, 1000])
def test_bytes_come_back_by_key_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(module, "HELD", held)
    shelf = Shelf[str]()
    for key, data in (("a", b"one"), ("b", b"two"), ("a", b""), ("a", b"three")):
        shelf.add(key, data)
        assert shelf.of("c") == b""

    assert (shelf.of("a"), shelf.of("b")) == (b"onethree", b"two")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shelf = Shelf[str]()
    monkeypatch.setattr(
        shelf._file, "write", lambda data: (_ for _ in ()).throw(OSError(28, "No space left"))
    )

    with pytest.raises(StoreError, match=r"No space left|no room|full"):
        shelf.add("a", b"one")
