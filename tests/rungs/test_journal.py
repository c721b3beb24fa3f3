"""A journal gives back what it was given, to the bit, and believes nothing that was cut off or damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convertkit.detection.types import Detections
from convertkit.rungs.journal import Journals

MASK = {"size": [4, 6], "counts": b"24"}


def detections(seed: int = 0, *, masks: bool = True, count: int = 3) -> Detections:
    rng = np.random.default_rng(seed)
    boxes, scores = rng.random((count, 4), np.float32) * 1e4, rng.random(count, np.float32)
    found = tuple(dict(MASK) for _ in range(count)) if masks else None
    return Detections(boxes, scores, rng.integers(0, 80, count), found)


def same(one: Detections, other: Detections) -> bool:
    pairs = [(one.boxes, other.boxes), (one.scores, other.scores), (one.labels, other.labels)]
    bits = all(a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in pairs)
    return bits and (one.masks is None) == (other.masks is None) and len(one) == len(other)


def fill(root: Path, count: int = 4) -> Path:
    """Photos ``0`` to ``count - 1`` in the journal ``key``; its file."""
    with Journals(root).open("key", "stock", []) as journal:
        for number in range(count):
            journal.add(str(number), detections(number))
    return root / "key.jsonl"


def known(root: Path, photos: int = 4) -> tuple[list[str], list[str]]:
    """What the next run knows of, and what it says."""
    said: list[str] = []
    names = [str(number) for number in range(photos)]
    with Journals(root, lambda event: said.append(str(getattr(event, "text", "")))).open(
        "key", "stock", names
    ) as journal:
        for name in names:
            assert name not in journal or same(journal.find(name), detections(int(name)))
        return [name for name in names if name in journal], said


@pytest.mark.parametrize("masks", [True, False])
@pytest.mark.parametrize("count", [0, 1, 100])
def test_what_was_found_comes_back_to_the_bit(tmp_path: Path, masks: bool, count: int) -> None:
    found = detections(masks=masks, count=count)

    with Journals(tmp_path).open("key", "stock", []) as journal:
        journal.add("photo", found)
        assert same(journal.find("photo"), found)
    with Journals(tmp_path).open("key", "stock", []) as journal:
        assert same(journal.find("photo"), found)


def test_the_next_run_says_in_one_line_how_much_is_known(tmp_path: Path) -> None:
    file = fill(tmp_path)

    assert known(tmp_path, 6) == (["0", "1", "2", "3"], [f"rung stock: going on with 4 of 6 photos ({file})"])


def test_wherever_it_was_cut_off_all_whole_records_are_known(tmp_path: Path) -> None:
    file = fill(tmp_path)
    whole = file.read_bytes()
    ends = [index + 1 for index, byte in enumerate(whole) if byte == ord("\n")]

    for cut in sorted({*ends, *(end - 1 for end in ends), *range(0, len(whole), 37)}):
        file.write_bytes(whole[:cut])
        names, said = known(tmp_path)
        assert names == [str(number) for number in range(sum(end <= cut for end in ends))]
        assert "damaged" not in " ".join(said)
        assert file.stat().st_size == max([0, *(end for end in ends if end <= cut)])


def test_what_is_added_behind_a_torn_record_is_found(tmp_path: Path) -> None:
    file = fill(tmp_path)
    file.write_bytes(file.read_bytes()[:-20])

    with Journals(tmp_path).open("key", "stock", []) as journal:
        journal.add("3", detections(3))
        assert same(journal.find("3"), detections(3))
    assert known(tmp_path)[0] == ["0", "1", "2", "3"]


def test_a_damaged_record_is_named_and_its_photo_unknown(tmp_path: Path) -> None:
    file = fill(tmp_path)
    lines = file.read_bytes().split(b"\n")
    lines[1] = lines[1].replace(b"24", b"25", 1)
    file.write_bytes(b"\n".join(lines))

    names, said = known(tmp_path)

    assert names == ["0", "2", "3"]
    assert said[0] == f"rung stock: {file}: line 2 is damaged, and its photo is run again"


def test_a_photo_that_is_added_again_counts_as_the_last_one(tmp_path: Path) -> None:
    fill(tmp_path)

    with Journals(tmp_path).open("key", "stock", []) as journal:
        journal.add("0", detections(7))
    with Journals(tmp_path).open("key", "stock", []) as journal:
        assert same(journal.find("0"), detections(7))


def test_of_another_key_nothing_is_known(tmp_path: Path) -> None:
    fill(tmp_path)

    with Journals(tmp_path).open("other", "stock", []) as journal:
        assert "0" not in journal


def test_without_a_key_nothing_is_kept(tmp_path: Path) -> None:
    journals = Journals(tmp_path)
    for _ in range(2):
        with journals.open("", "offline", []) as journal:
            assert "0" not in journal
            journal.add("0", detections())

    assert list(tmp_path.iterdir()) == []


def test_the_figures_are_there_and_the_journals_go(tmp_path: Path) -> None:
    root = tmp_path / "journals"
    fill(root)
    journals = Journals(root)
    with journals.open("key", "stock", []):
        pass

    journals.discard()

    assert not root.exists()
