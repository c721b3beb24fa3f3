"""A model whose photos wait: a run cannot end before what a test does to it, however busy the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tests.cli.test_verify_resumed import Scene, photos_in

HEAD = "    def preprocess(self, image, size, spec):\n"

WAITING = """\
        import os, pathlib, time
        (pathlib.Path(MARKS) / str(os.getpid())).touch()
        limit, journals = pathlib.Path(LIMIT), pathlib.Path(JOURNALS)
        while sum(file.read_bytes().count(b"\\n") for file in journals.glob("*.jsonl")) >= int(limit.read_text()):
            time.sleep(0.02)
        time.sleep(SECONDS)
"""


class Pace:
    """Lets as many photos into the journal as :meth:`until` says, and one more for every worker."""

    def __init__(self, scene: Scene, root: Path, seconds: float = 0.0) -> None:
        self.marks, self._limit, self._root = scene.model.parent / "marks", root / "limit", root
        self.marks.mkdir()
        self._let(0)
        plugin = scene.model / "plugin.py"
        told = {"MARKS": self.marks, "LIMIT": self._limit, "JOURNALS": root / "journals"}
        waiting = WAITING.replace("SECONDS", str(seconds))
        for name, path in told.items():
            waiting = waiting.replace(name, repr(str(path)))
        plugin.write_text(plugin.read_text().replace(HEAD, HEAD + waiting))

    def until(self, photos: int) -> None:
        """Waits until the journal has so many."""
        self._let(photos)
        wait_for(lambda: len(photos_in(self._root)) >= photos)

    def without_end(self) -> None:
        self._let(1 << 30)

    def workers(self) -> list[int]:
        """The process of every worker there was, the first to begin first."""
        return [
            int(mark.name) for mark in sorted(self.marks.iterdir(), key=lambda mark: mark.stat().st_ctime)
        ]

    def _let(self, photos: int) -> None:
        new = self._limit.with_suffix(".new")
        new.write_text(str(photos))
        new.replace(self._limit)  # whoever reads meanwhile finds a number


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to that")
