"""The two measurements: one input many times, and photos from bytes to detections."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
from msgspec import Struct

from convertkit.datasets.coco import decode
from convertkit.errors import UsageError
from convertkit.models.package import ModelPackage, Variant
from convertkit.rungs.stream import stream
from convertkit.speed.figures import Figures, throughput
from convertkit.targets.capabilities import Runtime, answers
from convertkit.targets.timing import Timed, Timings

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Repeated(Struct, frozen=True):
    """One input run many times.

    Attributes:
        batch: images per run.
        throughput: images per second of computing alone, copies left out.
        compute: on the device; where the runtime does not know, as ``whole``.
        to_device, from_device: copies; None where the runtime does not know.
        whole: the call of the runtime, everything included; None for a record.
    """

    batch: int
    throughput: float
    compute: Figures
    to_device: Figures | None = None
    from_device: Figures | None = None
    whole: Figures | None = None


class EndToEnd(Struct, frozen=True):
    """Photos from encoded bytes to detections, the stages overlapping.

    Attributes:
        images: how many.
        images_per_second: of wall-clock time.
        stages: milliseconds per image that each stage was busy.
    """

    images: int
    images_per_second: float
    stages: dict[str, float]


def repeat(
    runtime: Runtime,
    inputs: Mapping[str, NDArray[Any]],
    *,
    warmup: int,
    loops: int,
    batch: int = 1,
    on_progress: Callable[[int], object] = lambda count: None,
) -> Repeated:
    """Runs ``inputs`` over and over; the first ``warmup`` times are not counted."""
    for _ in range(warmup):
        answers(runtime, inputs)
    if isinstance(runtime, Timed):
        runtime.take_timings()
    whole = []
    for number in range(loops):
        start = time.perf_counter()
        runtime.run(inputs)
        whole.append(1000 * (time.perf_counter() - start))
        on_progress(number + 1)
    timings = runtime.take_timings() if isinstance(runtime, Timed) else Timings(tuple(whole))
    return summed_up(timings, batch, whole)


def summed_up(timings: Timings, batch: int, whole: Sequence[float] = ()) -> Repeated:
    """Figures of times that were taken now or recorded elsewhere.

    Raises:
        UsageError: there is no time of computing among them.
    """
    compute = Figures.of(timings.compute) or Figures.of(whole)
    if compute is None or not compute.mean > 0:
        raise UsageError("there is no compute time above 0 in the record")
    return Repeated(
        batch,
        throughput(compute, batch),
        compute,
        Figures.of(timings.to_device),
        Figures.of(timings.from_device),
        Figures.of(whole),
    )


def end_to_end(
    runtime: Runtime,
    package: ModelPackage,
    variant: Variant,
    photos: Sequence[bytes],
    count: int,
    *,
    on_progress: Callable[[int], object] = lambda count: None,
) -> EndToEnd:
    """Takes encoded photos (over again until there are ``count``) through decoding, pre-, postprocessing and graph."""
    settings, size = package.preprocess_spec(variant), variant.spec.size
    timing = stream(
        _over_again(photos, count),
        read=lambda photo: decode(photo, photo.data),
        preprocess=lambda pixels: package.model.preprocess(pixels, size, settings),
        run=functools.partial(answers, runtime),
        postprocess=package.detections,
        sink=lambda photo, found: None,
        on_progress=on_progress,
        batch=variant.spec.batch,
    )
    stages = {name: 1000 * seconds / count for name, seconds in timing.busy.items() if name != "sink"}
    return EndToEnd(count, timing.images_per_second, stages)


def sample_photos(package: ModelPackage) -> list[bytes]:
    """The package's sample images as JPEG files, so that reading them costs what it costs."""
    return [cv2.imencode(".jpg", image)[1].tobytes() for image in package.sample_images()]


@dataclass(frozen=True)
class _Photo:
    number: int
    data: bytes

    def __str__(self) -> str:
        return f"photo {self.number}"


def _over_again(photos: Sequence[bytes], count: int) -> Iterator[_Photo]:
    return (_Photo(number, photos[number % len(photos)]) for number in range(count))
