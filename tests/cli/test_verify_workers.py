"""``verify --workers``: the figures of one process, to the bit, whatever becomes of the workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from convertkit.rungs.journal import Journals
from tests.cli.paced import Pace, wait_for
from tests.cli.test_verify_resumed import Scene, figures, photos_in
from tests.conftest import Cli
from tests.finder import SIDE
from tests.processes import alive, wait_until_dead

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="children that stay are not there")

ROUNDS = int(os.environ.get("KILL_ROUNDS", "3"))
"""Of three kills each, here and on a Ray cluster: 7 make the 42 that docs/benchmarks.md tells of."""

DEADLY = """
    def preprocess(self, image, size, spec):
        import os, pathlib, signal
        if image.min() == image.max() == 255:
            marks = pathlib.Path(MARKS)
            with (marks / str(os.getpid())).open("w"):
                pass
            if len(list(marks.iterdir())) <= DEATHS:
                os.kill(os.getpid(), signal.SIGKILL)
"""


def deadly(scene: Scene, photo: int, deaths: int) -> Path:
    """Makes a photo that ends the first so many workers that see it; where each of them leaves its number."""
    marks = scene.model.parent / "marks"
    marks.mkdir()
    cv2.imwrite(str(scene.photos / f"{photo}.png"), np.full((SIDE, SIDE, 3), 255, np.uint8))
    plugin, head = scene.model / "plugin.py", "    def preprocess(self, image, size, spec):\n"
    text = DEADLY.lstrip("\n").replace("MARKS", repr(str(marks))).replace("DEATHS", str(deaths))
    plugin.write_text(plugin.read_text().replace(head, text))
    return marks


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path, 12)


@pytest.mark.slow
@pytest.mark.parametrize("rung", ["stock", "after:set-opset-window", "target"])
def test_workers_find_what_one_process_finds(cli: Cli, scene: Scene, tmp_path: Path, rung: str) -> None:
    words = [*scene.words, "--runtime", rung]
    one = cli(*words, "--results", tmp_path / "one")

    three = cli(*words, "--workers", 3, "--results", tmp_path / "three")

    assert three.json["rungs"][0]["stages"]["run"] > 0
    assert figures(three) == figures(one)
    for file in (tmp_path / "one").iterdir():
        assert (tmp_path / "three" / file.name).read_bytes() == file.read_bytes()


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced_and_nothing_is_lost(
    cli: Cli, scene: Scene, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = deadly(scene, 7, deaths=1)
    monkeypatch.setattr(Journals, "discard", lambda self: None)

    done = cli(*scene.words, "--workers", 2)

    assert len(list(marks.iterdir())) == 2
    photos = photos_in(own_home)
    assert len(photos) == len(set(photos)) == 12
    for file in (own_home / "journals").iterdir():
        file.unlink()
    assert figures(done) == figures(cli(*scene.words))


@pytest.mark.slow
def test_a_photo_that_ends_two_workers_is_named_and_left_out_only_if_asked_for(
    cli: Cli, scene: Scene, tmp_path: Path
) -> None:
    marks = deadly(scene, 7, deaths=99)

    ended = cli(*scene.words, "--workers", 2)

    said = "7.png: two workers ended with it: the last was killed by SIGKILL (out of memory?)"
    assert (ended.code, len(list(marks.iterdir()))) == (4, 2)
    assert f"{said} (--skip-bad-photos leaves it out)" in ended.err

    words = [*scene.words, "--runtime", "after:set-opset-window"]
    skipped = cli(*words, "--workers", 2, "--skip-bad-photos")

    assert skipped.json["left_out"] == {"photos": 1, "annotations": 2, "first": said}
    (scene.photos / "7.png").unlink()
    without = cli(*words, "--skip-bad-photos").json
    assert [rung["scores"] for rung in skipped.json["rungs"]] == [rung["scores"] for rung in without["rungs"]]
    assert skipped.json["differences"] == without["differences"]


@pytest.mark.slow
def test_an_error_of_a_worker_is_that_of_one_process(cli: Cli, scene: Scene) -> None:
    plugin = scene.model / "plugin.py"
    plugin.write_text(plugin.read_text().replace("dets[:, :4]", "dets[:, :3]"))

    one, two = cli(*scene.words), cli(*scene.words, "--workers", 2)

    kinds = [(done.code, done.json["error"]["kind"], "postprocess failed" in done.err) for done in (one, two)]
    assert kinds[0] == kinds[1]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_what_ends_the_run_ends_its_workers_and_the_next_goes_on(
    cli: Cli, own_home: Path, tmp_path: Path, number: int
) -> None:
    scene = Scene(tmp_path, 60)
    pace = Pace(scene, own_home)
    command = [sys.executable, "-m", "convertkit", *scene.words, "--workers", "3"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=os.environ) as run:
        pace.until(6)
        wait_for(lambda: len(pace.workers()) == 3)
        run.send_signal(number)
        run.communicate()
    pace.without_end()

    assert wait_until_dead(pace.workers()) == []
    before = len(photos_in(own_home))
    assert 6 <= before < 60
    resumed = cli(*scene.words, "--workers", 3)
    assert f"going on with {before} of 60 photos" in resumed.err
    assert figures(resumed) == figures(cli(*scene.words))


@pytest.mark.slow
def test_killed_again_and_again_worker_and_whole_it_ends_with_the_same_figures(
    cli: Cli, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, gap = Scene(tmp_path, 500), 420 // (3 * ROUNDS)
    pace = Pace(scene, own_home)
    command = [sys.executable, "-m", "convertkit", *scene.words, "--workers", "3"]
    seen: list[str] = []
    for _ in range(ROUNDS):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            for step in (1, 2, 3):
                pace.until(len(seen) + gap * step)
                living = [worker for worker in pace.workers() if alive(worker)]
                (os.kill(living[0], signal.SIGKILL) if step < 3 else run.kill())
        wait_until_dead(pace.workers())
        photos = photos_in(own_home)
        assert photos[: len(seen)] == seen
        seen = photos
    pace.without_end()
    monkeypatch.setattr(Journals, "discard", lambda self: None)

    resumed = cli(*scene.words, "--workers", 3)

    photos = photos_in(own_home)
    assert (photos[: len(seen)], len(photos), len(set(photos))) == (seen, 500, 500)
    for file in (own_home / "journals").iterdir():
        file.unlink()
    assert figures(resumed) == figures(cli(*scene.words))


@pytest.mark.slow
def test_a_worker_that_cannot_begin_says_nothing_against_a_photo(
    cli: Cli, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convertkit.workers.local.CHILD", (sys.executable, "-c", "raise SystemExit(3)"))

    done = cli(*scene.words, "--workers", 2)

    assert done.code == 4
    assert "failed with exit code 3, while it opened the runtime" in done.err
    assert "two workers" not in done.err
