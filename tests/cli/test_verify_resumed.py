"""``verify`` after it was cut off: it goes on where it was, and ends with the same figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from convertkit.rungs.journal import Journals
from convertkit.storage.files import tree_digest
from convertkit.storage.journal import Appender, lines_of, record_in
from tests.conftest import Cli, Outcome
from tests.finder import SIDE, dataset, write_finder


class Scene:
    """Photos that differ, a model that finds something else in each, and ``verify`` of the two."""

    def __init__(self, root: Path, photos: int) -> None:
        self.model = write_finder(root / "finder", spread=0.004)
        self.photos, self.file = root / "photos", root / "instances.json"
        self.photos.mkdir()
        rng = np.random.default_rng(0)
        for number in range(1, photos + 1):
            picture = rng.integers(0, 256, (SIDE, SIDE, 3)) * rng.random()
            cv2.imwrite(str(self.photos / f"{number}.png"), picture.astype(np.uint8))
        self.file.write_text(json.dumps(dataset(photos=photos)))

    @property
    def words(self) -> list[str]:
        words = ["verify", self.model, "--annotations", self.file, "--images", self.photos]
        return [*map(str, words), "--runtime", "stock", "--json"]


def figures(done: Outcome) -> Any:
    """All that a verification says but for the time it took."""
    assert done.code in (0, 1), done.err
    found = done.json
    for rung in found["rungs"]:
        rung.pop("images_per_second"), rung.pop("stages")
    return found


def photos_in(root: Path) -> list[str]:
    """The photo of every record of the journals below ``root``, in their order."""
    files = sorted((root / "journals").glob("*.jsonl"))
    return [json.loads(record_in(line) or b"null")["photo"] for file in files for _, line in lines_of(file)]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path, 12)


def cut_off(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Ctrl-C once ``after`` photos are in the journal."""
    adds, left = Appender.add, [after]

    def add(self: Appender, record: bytes) -> int:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return adds(self, record)

    monkeypatch.setattr(Appender, "add", add)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journals stay at the end, to be looked at."""
    monkeypatch.setattr(Journals, "discard", lambda self: None)


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("after", [0, 1, 7, 11])
def test_a_run_that_was_cut_off_goes_on_with_the_same_figures(
    cli: Cli, scene: Scene, own_home: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    with monkeypatch.context() as patch:
        cut_off(patch, after)
        assert cli(*scene.words).code == 130
    before = photos_in(own_home)

    resumed = cli(*scene.words)

    assert len(before) == after
    assert ("going on with" in resumed.err) == (after > 0)
    assert after == 0 or f"rung stock: going on with {after} of 12 photos" in resumed.err
    photos = photos_in(own_home)
    assert (photos[:after], len(photos), len(set(photos))) == (before, 12, 12)
    for file in (own_home / "journals").iterdir():
        file.unlink()
    assert figures(resumed) == figures(cli(*scene.words))


def test_at_the_end_no_journal_is_left_and_the_next_run_measures(
    cli: Cli, scene: Scene, own_home: Path
) -> None:
    for _ in range(2):
        done = cli(*scene.words)
        assert "going on" not in done.err
        assert done.json["rungs"][0]["images_per_second"] > 0
        assert not (own_home / "journals").exists()


def test_a_limit_is_no_reason_to_run_a_photo_again(
    cli: Cli, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        cut_off(patch, 7)
        cli(*scene.words)

    assert "going on with 5 of 5 photos" in cli(*scene.words, "--limit", 5).err


@pytest.mark.parametrize("change", ["weights", "plugin", "photo", "threshold"])
def test_what_was_changed_is_run_again(
    cli: Cli, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    with monkeypatch.context() as patch:
        cut_off(patch, 7)
        cli(*scene.words)
    if change == "weights":
        other = write_finder(tmp_path / "other", spread=0.002)
        (scene.model / "small.onnx").write_bytes((other / "small.onnx").read_bytes())
    elif change == "plugin":
        plugin = scene.model / "plugin.py"
        plugin.write_text(plugin.read_text().replace("0.5)", "0.4)"))
        tree_digest.cache_clear()  # another process would have none
    elif change == "threshold":
        spec = scene.model / "model.yaml"
        spec.write_text(spec.read_text() + "postprocess: {score_threshold: 0.2}\n")
    else:
        (scene.photos / "1.png").write_bytes((scene.photos / "12.png").read_bytes())

    said = cli(*scene.words).err

    assert ("going on with 6 of 12 photos" in said) == (change == "photo")
    assert ("going on" in said) == (change == "photo")


def test_with_results_the_journal_lies_beside_them(
    cli: Cli, scene: Scene, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*scene.words, "--results", str(tmp_path / "results")]
    with monkeypatch.context() as patch:
        cut_off(patch, 7)
        cli(*words)

    assert not (own_home / "journals").exists()
    assert "going on with 7 of 12 photos" in cli(*words).err
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == ["shard.json", "stock.jsonl"]


KILLED = """
import os, signal, sys
from convertkit.storage import journal

left = int(sys.argv[1])

class Torn:
    def __init__(self, stream):
        self.stream = stream
    def __getattr__(self, name):
        return getattr(self.stream, name)
    def write(self, line):
        global left
        part = line[:left]
        self.stream.write(part)
        left -= len(part)
        if not left:
            self.stream.flush()
            os.kill(os.getpid(), signal.SIGKILL)

enters = journal.Appender.__enter__
def enter(self):
    enters(self)
    self._stream = Torn(self._stream)
    return self
journal.Appender.__enter__ = enter

from convertkit.cli.app import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.slow
def test_killed_at_many_bytes_of_its_journal_it_ends_with_the_same_figures(
    cli: Cli, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, 500)
    monkeypatch.setattr(Journals, "discard", lambda self: None)
    rng, seen = np.random.default_rng(0), list[str]()
    for _ in range(20):
        killed = [sys.executable, "-c", KILLED, str(rng.integers(1, 8000)), *scene.words]
        assert subprocess.run(killed, capture_output=True, check=False, env=os.environ).returncode == -9
        photos = photos_in(own_home)
        assert photos[: len(seen)] == seen
        seen = photos

    resumed = cli(*scene.words)

    photos = photos_in(own_home)
    assert photos[: len(seen)] == seen
    assert len(photos) == len(set(photos)) == 500
    for file in (own_home / "journals").iterdir():
        file.unlink()
    assert figures(resumed) == figures(cli(*scene.words))
