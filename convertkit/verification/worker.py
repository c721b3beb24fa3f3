"""A worker: opens what a recipe says, and answers for photos until nobody asks any more.

    python -m convertkit.verification.worker DESCRIPTOR

Both sides are the same convertkit of the same user, so that a recipe travels as a pickle.
"""

from __future__ import annotations

import base64
import pickle
import sys
from pathlib import Path
from typing import Any

import msgspec

from convertkit.children.answers import answer
from convertkit.datasets.coco import CocoImage
from convertkit.verification.journal import Found
from convertkit.verification.recipe import Recipe, Station
from convertkit.verification.stream import StreamError


class Worker:
    """The station of this process."""

    def __init__(self) -> None:
        self._station: Station | None = None

    def open(self, recipe: str) -> dict[str, Any]:
        """Opens a pickled recipe, in base64."""
        found: Recipe = pickle.loads(base64.b64decode(recipe))
        self._station = found.open()
        return {}

    def detect(self, photos: list[dict[str, Any]]) -> dict[str, Any]:
        """What is in photos, each as :class:`Found` in JSON, and how long each stage took; or which stage failed."""
        assert self._station is not None
        images = [CocoImage(**{**photo, "path": Path(photo["path"])}) for photo in photos]
        try:
            seen, timing = self._station.detect(images)
        except StreamError as error:
            return {"failed": error.message}
        found = [Found.of(image.sha256, one) for image, one in zip(images, seen, strict=True)]
        return {"found": [msgspec.json.encode(one).decode() for one in found], "busy": dict(timing.busy)}


if __name__ == "__main__":
    worker = Worker()
    answer(int(sys.argv[1]), {"open": worker.open, "detect": worker.detect})
