"""A worker as its engine sees it, and the ways in which one is lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from convertkit.children.child import ChildError
from convertkit.datasets.coco import CocoImage
from convertkit.detection.types import Detections
from convertkit.errors import ConvertkitError, ProcessError


class LostPhotosError(ConvertkitError):
    """Photos that ended two workers each, with the reason; all others were measured."""

    exit_code = 4

    def __init__(self, lost: Mapping[int, str]) -> None:
        super().__init__(next(iter(lost.values())), hint="--skip-bad-photos leaves it out")
        self.lost = lost


class NodeLostError(ChildError):
    """A worker is gone with the machine that it was on, which says little against the photos that it had."""


class NoRoomError(ProcessError):
    """There is nowhere to put a worker now; others may do its work."""


class Hand(Protocol):
    """A worker as its engine sees it: a process of this machine, or of another one."""

    def open(self) -> None:
        """Waits until it is ready for photos.

        Raises:
            ChildError: it is gone. NoRoomError: it never was. ConvertkitError: what it said.
        """
        ...

    def detect(self, image: CocoImage | None) -> tuple[list[Detections], Mapping[str, float]]:
        """Gives it a photo, and waits until it has room for another; None waits until it has nothing in hand.

        Returns:
            what is in the photos that are done and not answered for, in the order in which they were given, and the
            seconds of each stage, once it has nothing in hand.

        Raises:
            ChildError: the worker is gone. ConvertkitError: what it said.
        """
        ...

    def stop(self) -> None:
        """Ends it, from any thread; whoever waits for its answer gets a ChildError."""
        ...

    def close(self) -> None:
        """Ends it, when it has nothing to do."""
        ...
