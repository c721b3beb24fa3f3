"""Workers as processes of this machine, and what those of any machine have in common: a recipe, and photos in JSON."""

from __future__ import annotations

import base64
import pickle
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Protocol

import msgspec

from convertkit.children.child import ChildError
from convertkit.children.dialogue import Dialogue
from convertkit.datasets.coco import CocoImage
from convertkit.detection.types import Detections
from convertkit.errors import ProcessError
from convertkit.rungs.hands import Hand
from convertkit.rungs.journal import Found
from convertkit.rungs.stream import StreamError
from convertkit.workers.recipe import Recipe

CHILD = (sys.executable, "-m", "convertkit.workers.worker")
OPENING, RUNNING = 1800.0, 3600.0
"""Seconds after which a worker is given up: a photo on an emulated chip may take minutes."""


class Talk(Protocol):
    """Who asks a :class:`convertkit.workers.worker.Worker`; :class:`Dialogue` asks one in a child process."""

    def ask(self, question: str, *, timeout: float, **given: Any) -> dict[str, Any]: ...

    def stop(self) -> None: ...

    def close(self) -> None: ...


class RecipeHand:
    """A worker with the runtime of a recipe, as :class:`convertkit.rungs.hands.Hand` has it."""

    def __init__(self, recipe: Recipe, talk: Talk) -> None:
        self._recipe, self._talk = recipe, talk

    def open(self) -> None:
        recipe = base64.b64encode(pickle.dumps(self._recipe)).decode()
        self._talk.ask("open", timeout=OPENING, recipe=recipe)

    def detect(self, image: CocoImage | None) -> tuple[list[Detections], Mapping[str, float]]:
        photos = [] if image is None else [{**asdict(image), "path": str(image.path.absolute())}]
        answer = self._talk.ask("detect", timeout=RUNNING, photos=photos, last=image is None)
        if "failed" in answer:
            raise StreamError(answer["failed"])
        found = [msgspec.json.decode(text, type=Found).detections() for text in answer["found"]]
        return found, answer["busy"]

    def stop(self) -> None:
        self._talk.stop()

    def close(self) -> None:
        self._talk.close()


def local(recipe: Recipe, needs: Mapping[str, float], number: int) -> Hand:
    """A supervised process of this machine, whose chip is shared by all: ``needs`` are a cluster's."""
    try:
        return RecipeHand(recipe, Dialogue(CHILD, name=f"worker {number}"))
    except ChildError as error:  # which would be taken for the end of a worker that was there
        raise ProcessError(error.message) from error
