"""The engine of several processes: each has its own runtime, and is given the next photo when it has room for one.

Memory is bounded: what a worker has in hand, which the stream in it bounds, and at most :data:`WAITING` answers for
each that nobody has taken yet. A worker that dies is replaced, and what it had in hand is tried one by one; a photo
that then ends another worker, alone, is named.
"""

from __future__ import annotations

import base64
import contextlib
import pickle
import queue
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import msgspec

from convertkit.children.child import ChildError
from convertkit.children.dialogue import Dialogue
from convertkit.datasets.coco import CocoImage
from convertkit.detection.types import Detections
from convertkit.errors import ConvertkitError, ProcessError
from convertkit.verification.journal import Found
from convertkit.verification.recipe import Recipe
from convertkit.verification.stream import StreamError, Timing

CHILD = (sys.executable, "-m", "convertkit.verification.worker")
OPENING, RUNNING = 1800.0, 3600.0
"""Seconds after which a worker is given up: a photo on an emulated chip may take minutes."""

WAITING = 2
POLL_SECONDS = 0.2

Pair = tuple[CocoImage, Detections]


class LostPhotosError(ConvertkitError):
    """Photos that ended two workers each, with the reason; all others were measured."""

    exit_code = 4

    def __init__(self, lost: Mapping[int, str]) -> None:
        super().__init__(next(iter(lost.values())), hint="--skip-bad-photos leaves it out")
        self.lost = lost


class Hand(Protocol):
    """A worker as its engine sees it; :class:`LocalHand` is a process of this machine."""

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


class LocalHand:
    """A supervised process of this machine, with the runtime of a recipe open."""

    def __init__(self, recipe: Recipe, number: int) -> None:
        try:
            self._child = Dialogue(CHILD, name=f"worker {number}")
        except ChildError as error:  # which would be taken for the end of a worker that had photos
            raise ProcessError(error.message) from error
        self._recipe = recipe
        self._open = False

    def detect(self, image: CocoImage | None) -> tuple[list[Detections], Mapping[str, float]]:
        if not self._open:
            self._begin()
        photos = [] if image is None else [{**asdict(image), "path": str(image.path.absolute())}]
        answer = self._child.ask("detect", timeout=RUNNING, photos=photos, last=image is None)
        if "failed" in answer:
            raise StreamError(answer["failed"])
        found = [msgspec.json.decode(text, type=Found).detections() for text in answer["found"]]
        return found, answer["busy"]

    def stop(self) -> None:
        self._child.stop()

    def close(self) -> None:
        self._child.close()

    def _begin(self) -> None:
        """A worker that dies before it has seen a photo says nothing against the photo."""
        recipe = base64.b64encode(pickle.dumps(self._recipe)).decode()
        try:
            self._child.ask("open", timeout=OPENING, recipe=recipe)
        except ChildError as error:
            raise ProcessError(f"{error.message}, while it opened the runtime") from error
        self._open = True


@dataclass(frozen=True)
class Crew:
    """The engine.

    Args:
        hire: makes the worker of a number.
        workers: how many there are at once.
        skip_bad: go on without photos that end workers, and say at the end which: a :class:`LostPhotosError`.
    """

    hire: Callable[[int], Hand]
    workers: int
    skip_bad: bool = False

    def __call__(
        self,
        images: Sequence[CocoImage],
        *,
        sink: Callable[[CocoImage, Detections], object],
        on_progress: Callable[[int], object],
    ) -> Timing:
        """As :class:`convertkit.verification.rungs.Engine` has it."""
        start, done = time.perf_counter(), 0
        shift = _Shift(self, images)
        try:
            for image, found in shift.pairs():
                sink(image, found)
                done += 1
                on_progress(done)
        finally:
            shift.end()
        if shift.lost:
            raise LostPhotosError(shift.lost)
        return Timing(done, time.perf_counter() - start, dict(shift.busy))


class _Shift:
    """One engine's threads at work, one for each worker."""

    def __init__(self, crew: Crew, images: Sequence[CocoImage]) -> None:
        self._crew, self._images = crew, iter(images)
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._hands: dict[int, Hand] = {}
        self._answers: queue.Queue[list[Pair] | BaseException | None] = queue.Queue(WAITING * crew.workers)
        self.lost: dict[int, str] = {}
        self.busy: Counter[str] = Counter()
        self._threads = [
            threading.Thread(
                target=self._work, args=(number,), name=f"convertkit-worker-{number}", daemon=True
            )
            for number in range(1, crew.workers + 1)
        ]
        for thread in self._threads:
            thread.start()

    def pairs(self) -> Iterator[Pair]:
        """Photos and what is in them, as they come; raises what went wrong."""
        at_work = len(self._threads)
        while at_work:
            answer = self._answers.get()
            if isinstance(answer, BaseException):
                raise answer
            if answer is None:
                at_work -= 1
            else:
                yield from answer

    def end(self) -> None:
        """Ends all workers; returns when they are gone."""
        self._over.set()
        with self._lock:
            for hand in self._hands.values():
                hand.stop()
        for thread in self._threads:
            thread.join()

    def _work(self, number: int) -> None:
        in_hand: deque[CocoImage] = deque()
        try:
            while not self._over.is_set():
                image = self._next()
                if image is None and not in_hand:
                    break
                self._give(number, image, in_hand)
            self._put(None)
        except BaseException as error:
            self._put(error)
        finally:
            if (hand := self._hands.get(number)) is not None:
                hand.close()

    def _next(self) -> CocoImage | None:
        with self._lock:
            return next(self._images, None)

    def _put(self, answer: list[Pair] | BaseException | None) -> None:
        while not self._over.is_set():
            with contextlib.suppress(queue.Full):
                self._answers.put(answer, timeout=POLL_SECONDS)
                return

    def _give(self, number: int, image: CocoImage | None, in_hand: deque[CocoImage]) -> None:
        """One photo more for a worker, or an answer for all; if that ends it, each photo that it had is tried alone."""
        in_hand.extend([] if image is None else [image])
        try:
            found, busy = self._hand(number).detect(image)
        except ChildError:
            self._gone(number)
            while in_hand and not self._over.is_set():
                self._alone(number, in_hand.popleft())
            return
        with self._lock:
            self.busy.update(busy)
        if found:
            self._put([(in_hand.popleft(), one) for one in found])

    def _alone(self, number: int, image: CocoImage) -> None:
        """A photo that was in hand when a worker ended, with no other beside it."""
        try:
            hand = self._hand(number)
            early, _ = hand.detect(image)
            found, _ = hand.detect(None)
        except ChildError as error:
            self._gone(number)
            return None if self._over.is_set() else self._give_up(image, error)
        self._put([(image, one) for one in (*early, *found)])
        return None

    def _gone(self, number: int) -> None:
        with self._lock:
            hand = self._hands.pop(number, None)
        if hand is not None:
            hand.close()

    def _give_up(self, image: CocoImage, ended: ChildError) -> None:
        last = f": {ended.last_line}" if ended.last_line else ""
        lost = {image.id: f"{image}: two workers ended with it: the last {ended.reason}{last}"}
        if not self._crew.skip_bad:
            raise LostPhotosError(lost)
        with self._lock:
            self.lost |= lost

    def _hand(self, number: int) -> Hand:
        with self._lock:
            if number not in self._hands:
                if self._over.is_set():
                    raise ChildError(f"worker {number}", "is not needed any more", returncode=None)
                self._hands[number] = self._crew.hire(number)
            return self._hands[number]


def local(recipe: Recipe, **words: Any) -> Crew:
    """The engine of this machine; ``words`` as :class:`Crew` has them."""
    return Crew(lambda number: LocalHand(recipe, number), **words)
