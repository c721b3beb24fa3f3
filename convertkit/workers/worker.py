"""A worker: opens what a recipe says, and answers for photos until nobody asks any more.

    python -m convertkit.workers.worker DESCRIPTOR

Both sides are the same convertkit of the same user, so that a recipe travels as a pickle.
"""

from __future__ import annotations

import base64
import pickle
import queue
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from convertkit.children.answers import answer
from convertkit.datasets.coco import CocoImage
from convertkit.detection.types import Detections
from convertkit.rungs.journal import Found
from convertkit.rungs.stream import StreamError, Timing
from convertkit.storage.urls import where
from convertkit.workers.recipe import Recipe, Station

Pair = tuple[CocoImage, Detections]


class Worker:
    """The station of this process, and the photos that it has in hand."""

    def __init__(self) -> None:
        self._station: Station | None = None
        self._line: _Line | None = None

    @property
    def functions(self) -> dict[str, Callable[..., dict[str, Any]]]:
        """By question."""
        return {"open": self.open, "detect": self.detect}

    def open(self, recipe: str) -> dict[str, Any]:
        """Opens a pickled recipe, in base64."""
        found: Recipe = pickle.loads(base64.b64decode(recipe))
        self._station = found.open()
        return {}

    def detect(self, photos: list[dict[str, Any]], last: bool) -> dict[str, Any]:
        """Takes photos in hand, and answers once there is room for another: with what was found meanwhile.

        Args:
            photos: as :class:`CocoImage` has them.
            last: there are no more: everything is answered for, with the seconds of each stage.

        Returns:
            ``found``: :class:`Found` in JSON for each photo that is done, in the order in which they were given; or
            ``failed``: what a stage said.
        """
        assert self._station is not None
        line = self._line or _Line(self._station)
        self._line = None if last else line
        try:
            found, busy = line.take(
                [CocoImage(**{**photo, "path": where(photo["path"])}) for photo in photos], last
            )
        except StreamError as error:
            return {"failed": error.message}
        seen = [msgspec.json.encode(Found.of(image.sha256, one)).decode() for image, one in found]
        return {"found": seen, "busy": dict(busy)}


class _Line:
    """A station at work in a thread, which is given photos one after the other."""

    def __init__(self, station: Station) -> None:
        self._images: queue.SimpleQueue[CocoImage | None] = queue.SimpleQueue()
        self._events: queue.SimpleQueue[Pair | Timing | BaseException | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, args=(station,), daemon=True).start()

    def take(self, images: Sequence[CocoImage], last: bool) -> tuple[list[Pair], Mapping[str, float]]:
        """Waits until the last of the images was begun, or all are done where no more come."""
        for image in (*images, None) if last else images:
            self._images.put(image)
        found: list[Pair] = []
        while (event := self._events.get()) is not None or last:
            if isinstance(event, BaseException):
                raise event
            if isinstance(event, Timing):
                return found, event.busy
            if event is not None:
                found.append(event)
        return found, {}

    def _run(self, station: Station) -> None:
        try:
            done = station.detect(self._begun(), lambda image, found: self._events.put((image, found)))
            self._events.put(done)
        except BaseException as error:
            self._events.put(error)

    def _begun(self) -> Iterator[CocoImage]:
        """The images; an event that is None says when none is left to begin, so that the next one is there in time."""
        while (image := self._images.get()) is not None:
            if self._images.empty():
                self._events.put(None)
            yield image


if __name__ == "__main__":
    answer(int(sys.argv[1]), Worker().functions)
