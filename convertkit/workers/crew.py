"""The engine of several workers: each has its own runtime, and is given the next photo when it has room for one.

Memory is bounded: what a worker has in hand, which the stream in it bounds, and at most :data:`WAITING` answers for
each that nobody has taken yet. A worker that ends is replaced, and what it had in hand is tried one by one; a photo
that then ends another worker, alone, is named.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from convertkit.children.child import ChildError
from convertkit.datasets.coco import CocoImage
from convertkit.detection.types import Detections
from convertkit.errors import ProcessError
from convertkit.rungs.hands import Hand, LostPhotosError, NodeLostError, NoRoomError
from convertkit.rungs.stream import Timing

WAITING = 2
POLL_SECONDS = 0.2

OPENINGS = 3
"""Workers that may end one after the other before they have seen a photo."""

NODES = 3
"""Nodes that may go while they have a photo alone, before it is blamed as for a worker."""

Pair = tuple[CocoImage, Detections]


@dataclass(frozen=True)
class Crew:
    """The engine.

    Args:
        hire: makes the worker of a number.
        workers: how many there are at once, at most.
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
        """As :class:`convertkit.rungs.rung.Engine` has it."""
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


@dataclass(frozen=True)
class _Task:
    """What a worker is to do: take a photo, alone or beside others; without one, answer for all that it has."""

    image: CocoImage | None = None
    alone: bool = False


class _Shift:
    """One engine's threads at work, one for each worker."""

    def __init__(self, crew: Crew, images: Sequence[CocoImage]) -> None:
        self._crew, self._fresh = crew, iter(images)
        self._all = self._left = len(images)
        numbers = range(1, min(crew.workers, len(images)) + 1)
        self._suspects: dict[int, deque[CocoImage]] = {number: deque() for number in numbers}
        self._spared: Counter[int] = Counter()
        self._changed = threading.Condition()
        self._over = threading.Event()
        self._hands: dict[int, Hand] = {}
        self._ready: set[int] = set()
        self._answers: queue.Queue[list[Pair] | BaseException] = queue.Queue(WAITING * len(numbers))
        self.lost: dict[int, str] = {}
        self.busy: Counter[str] = Counter()
        self._threads = [
            threading.Thread(
                target=self._work, args=(number,), name=f"convertkit-worker-{number}", daemon=True
            )
            for number in numbers
        ]
        for thread in self._threads:
            thread.start()

    def pairs(self) -> Iterator[Pair]:
        """Photos and what is in them, as they come; raises what went wrong."""
        missing, at_work = self._all, len(self._threads)
        while missing > len(self.lost):
            answer = self._answers.get()
            if isinstance(answer, NoRoomError) and at_work > 1:
                at_work -= 1
            elif isinstance(answer, BaseException):
                raise answer
            else:
                missing -= len(answer)
                yield from answer

    def end(self) -> None:
        """Ends all workers; returns when they are gone."""
        with self._changed:
            self._over.set()
            self._changed.notify_all()
            for number, hand in self._hands.items():
                if self._left or number not in self._ready:
                    hand.stop()
        for thread in self._threads:
            thread.join()

    def _work(self, number: int) -> None:
        in_hand: deque[CocoImage] = deque()
        try:
            while (hand := self._hand(number)) and (task := self._next(number, idle=not in_hand)):
                self._give(number, hand, task, in_hand)
        except BaseException as error:
            self._put(error)
        finally:
            self._gone(number)

    def _next(self, number: int, *, idle: bool) -> _Task | None:
        """What was in hand when this worker's predecessor ended comes first, when that of others did, last."""
        own = self._suspects[number]
        with self._changed:
            while self._left and not self._over.is_set():
                if own:
                    return _Task(own.popleft(), alone=True)
                if (image := next(self._fresh, None)) is not None or not idle:
                    return _Task(image)
                if others := next(filter(None, self._suspects.values()), None):
                    return _Task(others.popleft(), alone=True)
                self._changed.wait()
        return None

    def _give(self, number: int, hand: Hand, task: _Task, in_hand: deque[CocoImage]) -> None:
        """One task more for a worker; if that ends it, each photo that it had is to be tried alone."""
        in_hand.extend([] if task.image is None else [task.image])
        try:
            found, busy = hand.detect(task.image)
            if task.alone:
                rest, busy = hand.detect(None)
                found = [*found, *rest]
        except ChildError as error:
            self._gone(number)
            self._ended(number, task, in_hand, error)
            return
        with self._changed:
            self.busy.update(busy)
        self._settle([(in_hand.popleft(), one) for one in found])

    def _settle(self, found: list[Pair]) -> None:
        if found:
            self._count(len(found))
            self._put(found)

    def _count(self, settled: int) -> None:
        with self._changed:
            self._left -= settled
            if not self._left:
                self._changed.notify_all()

    def _put(self, answer: list[Pair] | BaseException) -> None:
        while not self._over.is_set():
            with contextlib.suppress(queue.Full):
                self._answers.put(answer, timeout=POLL_SECONDS)
                return

    def _ended(self, number: int, task: _Task, in_hand: deque[CocoImage], error: ChildError) -> None:
        if task.alone and task.image is not None and self._blamed(task.image, error):
            in_hand.clear()
            self._give_up(task.image, error)
            return
        with self._changed:
            self._suspects[number].extend(in_hand)
            self._changed.notify_all()
        in_hand.clear()

    def _blamed(self, image: CocoImage, error: ChildError) -> bool:
        self._spared[image.id] += isinstance(error, NodeLostError)
        return not self._over.is_set() and (
            not isinstance(error, NodeLostError) or self._spared[image.id] >= NODES
        )

    def _give_up(self, image: CocoImage, ended: ChildError) -> None:
        last = f": {ended.last_line}" if ended.last_line else ""
        lost = {image.id: f"{image}: two workers ended with it: the last {ended.reason}{last}"}
        if not self._crew.skip_bad:
            raise LostPhotosError(lost)
        with self._changed:
            self.lost |= lost
        self._count(1)
        self._put([])  # whoever waits for answers looks what is missing

    def _hand(self, number: int) -> Hand | None:
        """The worker of a number, ready for photos; None where it is not needed any more."""
        if number in self._ready:
            return self._hands[number]
        for _ in range(OPENINGS):
            if self._over.is_set():
                return None
            hand = self._crew.hire(number)
            with self._changed:
                self._hands[number] = hand
                if self._over.is_set():  # before it could be stopped
                    return None
            try:
                hand.open()
            except ChildError as error:
                self._gone(number)
                ended = error
            else:
                self._ready.add(number)
                return hand
        if self._over.is_set():
            return None
        raise ProcessError(f"{ended.message}, while it opened the runtime") from ended

    def _gone(self, number: int) -> None:
        with self._changed:
            hand = self._hands.pop(number, None)
            self._ready.discard(number)
        if hand is not None:
            hand.close()
