"""Photos through a graph, one after the other, while the next are being read and the last are being pasted.

Reading and preprocessing run in threads ahead of the graph, postprocessing in a thread behind it; the graph and
the sink run in the caller's thread. OpenCV, NumPy and onnxruntime let the other threads work while they do. At
most ``prefetch`` photos wait on either side, so memory does not grow with the number of photos.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from convertkit.detection.batch import alike, apart, in_turn, kind_of, stacked
from convertkit.errors import ConvertkitError, UsageError

I = TypeVar("I")  # noqa: E741 - an image, whatever the caller takes for one
D = TypeVar("D")

STAGES = ("read", "preprocess", "run", "postprocess", "sink")

READERS = 2
"""Threads that read and preprocess; decoding a JPEG is the slowest part that is not the graph."""


class StreamError(ConvertkitError):
    """A stage failed on an image; the message names both."""

    exit_code = 4


@dataclass(frozen=True)
class Timing:
    """How long it took, in seconds.

    ``seconds`` is wall-clock time of the whole stream; ``busy`` is what each stage took, added up over its
    threads, by the names in :data:`STAGES`. The stages overlap, so their sum may exceed ``seconds``.
    """

    images: int
    seconds: float
    busy: Mapping[str, float]

    @property
    def images_per_second(self) -> float:
        """Images per second of wall-clock time, everything included."""
        return self.images / self.seconds if self.seconds > 0 else 0.0


def stream(
    images: Iterable[I],
    *,
    read: Callable[[I], Any],
    preprocess: Callable[[Any], tuple[Any, Any]],
    run: Callable[[Any], Any],
    postprocess: Callable[[Any, Any], D],
    sink: Callable[[I, D], object],
    on_progress: Callable[[int], object] | None = None,
    prefetch: int = 2,
    batch: int = 1,
) -> Timing:
    """Take every image through all stages; results reach the sink in the order of the images.

    Args:
        images: taken one by one as there is room; ``str(image)`` names it in errors.
        read: an image to its pixels.
        preprocess: pixels to the inputs of the graph, and whatever ``postprocess`` needs to find the way back.
        run: inputs to outputs; only ever called from the caller's thread.
        postprocess: outputs and what ``preprocess`` handed over, to detections.
        sink: takes an image and its detections; only ever called from the caller's thread.
        on_progress: told the number of finished images after each one.
        prefetch: how many images may wait before the graph, and how many behind it.
        batch: how many images one run takes, of inputs of the same shapes. A run for which there are no more is filled
            up with its last image; what comes out of those is dropped.

    Raises:
        StreamError: a stage failed; everything has stopped, and the message names the image.
        ConvertkitError: raised by a stage, with the image added to its message.
        UsageError: ``prefetch`` is below 1.
    """
    if prefetch < 1:
        raise UsageError(f"prefetch={prefetch} leaves no image to work on", hint="give 1 or more")
    work = _Work(read, preprocess, run, postprocess)
    start, done = time.perf_counter(), 0
    with _pool(min(READERS, prefetch)) as ahead, _pool(1) as behind:
        read_ahead = ((image, ahead.submit(work.prepare, image)) for image in images)
        prepared = _in_order(read_ahead, prefetch)
        runs = alike(prepared, batch, lambda item: kind_of(item[1][0]) if batch > 1 else None)
        ran = (
            (number, (image, behind.submit(work.finish, image, outputs, place)))
            for run in runs
            for (number, (image, (_, place))), outputs in zip(run, work.run(run, batch), strict=False)
        )
        for image, found in _in_order(in_turn(ran), prefetch):
            work.timed("sink", image, sink, image, found)
            done += 1
            if on_progress is not None:
                on_progress(done)
    return Timing(done, time.perf_counter() - start, dict(work.busy))


class _Work:
    """The stages, each timed, each error with the image it happened on."""

    def __init__(
        self,
        read: Callable[[Any], Any],
        preprocess: Callable[[Any], tuple[Any, Any]],
        run: Callable[[Any], Any],
        postprocess: Callable[[Any, Any], Any],
    ) -> None:
        self._read, self._preprocess, self._run, self._postprocess = read, preprocess, run, postprocess
        self._lock = threading.Lock()
        self.busy = dict.fromkeys(STAGES, 0.0)

    def prepare(self, image: object) -> tuple[Any, Any]:
        pixels = self.timed("read", image, self._read, image)
        return cast("tuple[Any, Any]", self.timed("preprocess", image, self._preprocess, pixels))

    def run(self, group: list[tuple[int, tuple[Any, tuple[Any, Any]]]], batch: int) -> list[Any]:
        """The outputs of each image; an error names the first."""
        image, inputs = group[0][1][0], [inputs for _, (_, (inputs, _)) in group]
        if batch == 1:
            return [self.timed("run", image, self._run, inputs[0])]
        return apart(self.timed("run", image, self._run, stacked(inputs, batch)), batch)

    def finish(self, image: object, outputs: Any, place: Any) -> Any:
        return self.timed("postprocess", image, self._postprocess, outputs, place)

    def timed(self, stage: str, image: object, function: Callable[..., Any], *arguments: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*arguments)
        except ConvertkitError as error:
            error.about(image)
            raise
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".rstrip(": ")
            raise StreamError(f"{image}: {stage} failed: {reason}") from error
        finally:
            with self._lock:
                self.busy[stage] += time.perf_counter() - start


def _in_order(submitted: Iterable[tuple[I, Future[D]]], waiting: int) -> Iterator[tuple[I, D]]:
    """Images with the results of their futures, in order; at most ``waiting`` are under way when one is asked for."""
    under_way: deque[tuple[I, Future[D]]] = deque()
    for pair in submitted:
        under_way.append(pair)
        if len(under_way) > waiting:
            image, future = under_way.popleft()
            yield image, future.result()
    for image, future in under_way:
        yield image, future.result()


@contextlib.contextmanager
def _pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """A thread pool that, however the block ends, drops what has not begun and waits for what has."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="convertkit-stream")
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
