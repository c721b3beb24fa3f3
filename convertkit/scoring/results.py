"""COCO results on disk, written as detections come and read with suspicion."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import msgspec
import numpy as np

from convertkit.datasets.annotations import Id
from convertkit.datasets.lists import explain
from convertkit.detection.rle import problem
from convertkit.detection.types import RLE, Detections
from convertkit.errors import GraphError, SpecError, UsageError
from convertkit.storage.locks import store_error
from convertkit.storage.reading import open_regular
from convertkit.storage.system import release
from convertkit.storage.temporary import clean_leftovers, reserve

LINES = (".jsonl", ".ndjson")
"""Names of files with one JSON object a line."""


class Mask(msgspec.Struct, frozen=True, gc=False):
    """Compressed run lengths of one mask; ``size`` is height and width."""

    size: tuple[int, int]
    counts: str


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """One detection as COCO writes it; ``bbox`` is x, y, width, height in pixels of the original image."""

    image_id: Id
    category_id: Id
    score: float
    bbox: tuple[float, float, float, float] | None = None
    segmentation: Mask | None = None


class ResultsWriter:
    """Writes detections to ``path``, which appears when the ``with`` block ends well; memory stays constant.

    Until then it has a temporary name; an exception removes it.

    Args:
        path: one JSON object a line where it is called ``.jsonl``, else one JSON array as ``loadRes`` reads it.
        category_ids: of the dataset, by class index of the model; detections of a class that has none are
            counted in ``left_out`` and not written.

    Raises:
        StoreError: the file cannot be written.
    """

    def __init__(self, path: Path, category_ids: Sequence[int | None]) -> None:
        self.path, self.written, self.left_out = path, 0, 0
        self._ids = tuple(category_ids)
        self._part, self._lock = path, -1
        self._array = path.suffix.lower() not in LINES
        self._encoder = msgspec.json.Encoder()
        self._stream: BinaryIO | None = None

    def __enter__(self) -> ResultsWriter:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            clean_leftovers(self.path.parent, of=self.path.name)
            self._part, self._lock = reserve(self.path, directory=False)
            self._stream = self._part.open("wb")
        except OSError as error:
            raise store_error(self.path, error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stream, self._stream = self._stream, None
        if stream is None:
            return
        try:
            if kind is None:
                if self._array:
                    stream.write(b"\n]\n" if self.written else b"[]\n")
                stream.flush()
                os.fsync(stream.fileno())
                stream.close()  # nothing that is open can be moved on Windows
                self._part.replace(self.path)
        except OSError as failure:
            kind = OSError
            raise store_error(self.path, failure) from failure
        finally:
            with contextlib.suppress(OSError):
                stream.close()
            if kind is not None:
                self._part.unlink(missing_ok=True)
            release(self._lock)

    def write(self, image_id: int, detections: Detections) -> None:
        """Append the detections of one image.

        Raises:
            GraphError: a box or a score is not finite, or a label is no class index of the model.
            StoreError: the disk is full or gone.
        """
        if self._stream is None:
            raise ValueError("write() belongs inside the with block")
        results = list(self._results(image_id, detections))
        try:
            self._stream.write(self._encoded(results))
        except OSError as error:
            raise store_error(self.path, error) from error
        self.written += len(results)
        self.left_out += len(detections) - len(results)

    def _encoded(self, results: Sequence[Result]) -> bytes:
        if not self._array:
            return self._encoder.encode_lines(results)
        if not results:
            return b""
        return (b",\n" if self.written else b"[\n") + b",\n".join(map(self._encoder.encode, results))

    def _results(self, image_id: int, found: Detections) -> Iterator[Result]:
        refuse_unusable(image_id, found, len(self._ids))
        masks: Iterable[RLE | None] = found.masks if found.masks is not None else itertools.repeat(None)
        # float64 before the subtraction, as mmdet's xyxy2xywh does it on Python floats.
        boxes, scores = found.boxes.astype(np.float64), found.scores.astype(np.float64)
        boxes[:, 2:] -= boxes[:, :2]
        for label, box, score, mask in zip(
            found.labels.tolist(), boxes.tolist(), scores.tolist(), masks, strict=False
        ):
            category = self._ids[label]
            if category is not None:
                yield Result(
                    image_id, category, score, tuple(box), None if mask is None else plain_mask(mask)
                )


def refuse_unusable(image_id: int, found: Detections, classes: int) -> None:
    """Raises a GraphError where a box or a score is not finite, or a label is no class index of the model."""
    if not (np.isfinite(found.boxes).all() and np.isfinite(found.scores).all()):
        raise GraphError(f"image {image_id}: a box or a score is not finite")
    for label in found.labels.tolist():
        if not 0 <= label < classes:
            raise GraphError(f"image {image_id}: label {label}, but the model has {classes} classes")


def read_results(
    source: Path | Iterable[Mapping[str, Any]],
    sizes: Mapping[int, tuple[int, int]],
    category_ids: Collection[int],
    *,
    require: Sequence[str] = (),
) -> Iterator[Result]:
    """Read detections from a file (JSON Lines, or one JSON array as COCO's own) or from dictionaries.

    Args:
        source: the file, or COCO result dictionaries.
        sizes: height and width by image id; other images are unknown.
        category_ids: those of the dataset.
        require: keys that every result must have, ``bbox`` or ``segmentation``.

    Raises:
        UsageError: the file is missing or cannot be read.
        SpecError: a result is malformed, names an unknown image or category, or has a mask of another size; the
            message names the file and the line.
    """
    rows = _file_rows(source) if isinstance(source, Path) else _dictionary_rows(source)
    for where, result in rows:
        _check(where, result, sizes, category_ids, require)
        yield result


def _file_rows(path: Path) -> Iterator[tuple[str, Result]]:
    decoder = msgspec.json.Decoder(Result)
    try:
        with open_regular(path) as stream:
            if stream.read(64).lstrip()[:1] == b"[":
                yield from _array_rows(path, stream)
                return
            stream.seek(0)
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    yield f"{path}:{number}", _decode(f"{path}:{number}", decoder, line)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error


def _array_rows(path: Path, stream: BinaryIO) -> Iterator[tuple[str, Result]]:
    stream.seek(0)
    decoder = msgspec.json.Decoder(list[Result])
    for index, result in enumerate(_decode(str(path), decoder, stream.read())):
        yield f"{path}: [{index}]", result


def _dictionary_rows(results: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Result]]:
    for index, result in enumerate(results):
        where, data = f"results[{index}]", dict(result)
        mask = data.get("segmentation")
        if isinstance(mask, dict) and isinstance(mask.get("counts"), bytes):
            data["segmentation"] = {**mask, "counts": mask["counts"].decode("latin-1")}
        try:
            yield where, msgspec.convert(data, Result)
        except msgspec.ValidationError as error:
            raise SpecError(f"{where}: {explain(error)}") from error


def _decode(where: str, decoder: msgspec.json.Decoder[Any], data: bytes) -> Any:
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise SpecError(f"{where}: {explain(error)}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SpecError(f"{where}: not JSON ({error})") from error


def _check(
    where: str,
    result: Result,
    sizes: Mapping[int, tuple[int, int]],
    category_ids: Collection[int],
    require: Sequence[str],
) -> None:
    for key in require:
        if getattr(result, key) is None:
            raise SpecError(f"{where}: no {key}, but it is to be evaluated")
    size = sizes.get(result.image_id)
    if size is None:
        raise SpecError(f"{where}: image_id {result.image_id} is not in the dataset")
    if result.category_id not in category_ids:
        raise SpecError(f"{where}: category_id {result.category_id} is not in the dataset")
    if not all(map(math.isfinite, (result.score, *(result.bbox or ())))):
        raise SpecError(f"{where}: a number is not finite")
    if result.segmentation is not None:
        _check_mask(where, result, result.segmentation, size)


def _check_mask(where: str, result: Result, mask: Mask, size: tuple[int, int]) -> None:
    height, width = size
    if mask.size != size:
        raise SpecError(
            f"{where}: the mask is {mask.size[1]} x {mask.size[0]}, image {result.image_id} is {width} x {height}"
        )
    wrong = problem(height, width, mask.counts)
    if wrong:
        raise SpecError(f"{where}: segmentation: {wrong}")


def plain_mask(mask: RLE) -> Mask:
    counts = mask["counts"]
    return Mask(
        (mask["size"][0], mask["size"][1]), counts if isinstance(counts, str) else counts.decode("ascii")
    )
