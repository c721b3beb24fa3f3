"""Photos before and after the graph: letterbox, masks, and both together as a stream of photos.

mmdet's side runs in its export environment, a call whenever it is asked, so that both sides take turns. What both make
is compared first: the same bits of a letterbox, and masks that are the same but for pixels at the threshold.
"""

from __future__ import annotations

import contextlib
import functools
import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pycocotools.mask as mask_utils

from bench.page import exporter
from bench.record import MASKRCNN, Plan, Record, by_turns, seconds
from convertkit.detection.letterbox import letterbox
from convertkit.detection.masks import paste
from convertkit.exporting.interpreter import child_variables
from convertkit.models.base import Model
from convertkit.models.package import read_spec
from convertkit.models.photos import noise
from convertkit.rungs.stream import stream

SIDE = 1216
"""Of the canvas, pixels."""
MASKS, TIMES = 100, 5
GOAL = 100.0
"""Photos per second through all that is not the graph, on two cores."""


@contextlib.contextmanager
def mmdet(what: str, **given: Any) -> Iterator[tuple[Callable[[], float], Path]]:
    """What has mmdet run once and gives its seconds, and the file with its first result."""
    python = exporter()
    if not python.is_file():
        raise ModuleNotFoundError("no export environment: convertkit env build models/maskrcnn")
    with tempfile.TemporaryDirectory(prefix="convertkit-bench-") as room:
        arrays, result = Path(room, "given.npz"), Path(room, "result.npy")
        np.savez(arrays, **given)
        words: list[str | Path] = [python, Path(__file__).with_name("of_mmdet.py"), what, arrays, result]
        child = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=child_variables(python, {"PYTHONPATH": str(MASKRCNN / "export" / "shims")}),
        )  # fmt: skip

        def ask(times: int = TIMES) -> float:
            print(times, file=child.stdin, flush=True)
            if child.stdout is None or not (line := child.stdout.readline()):
                raise RuntimeError(f"mmdet: {child.communicate()[1].strip()[-300:]}")
            return float(line)

        try:
            ask(times=1)
            yield ask, result
        finally:
            child.communicate()


def letterboxes(plan: Plan) -> Iterator[Record]:
    """To the float tensor of the network, from a photo of 640 x 480 that was read."""
    spec, image = read_spec(MASKRCNN).preprocess, next(noise(1))
    work = functools.partial(letterbox, image, (SIDE, SIDE), spec)
    with mmdet("letterbox", image=image, side=SIDE, mean=spec.mean, std=spec.std) as (ask, result):
        np.testing.assert_array_equal(work()[0][0], np.load(result))
        pairs = by_turns(plan.rounds(15), seconds(work, TIMES), ask)
    yield Record.of_pairs(
        f"letterbox to {SIDE} x {SIDE}",
        "mmdet's Resize, Normalize, Pad, ImageToTensor, same bits",
        _ms(pairs),
        unit="ms",
    )


def pasted(plan: Plan) -> Iterator[Record]:
    """Masks of one photo as COCO's run lengths, from probabilities and boxes, at COCO's size and at twice as much."""
    rounds = plan.rounds(15)
    for scale in (1, 2):
        given = masks, boxes, height, width = scene(scale)
        name = f"{MASKS} masks pasted and encoded, {width} x {height}"
        work = functools.partial(paste, *given)
        for peer, cut in PEERS.items():
            other = functools.partial(cut, *given)
            _alike(work(), [found["counts"] for found in other()], height, width, least=0.9)
            pairs = by_turns(rounds, seconds(work, TIMES), seconds(other, TIMES))
            yield Record.of_pairs(name, peer, _ms(pairs), unit="ms", why=WHY)
        with mmdet("paste", masks=masks, boxes=boxes, shape=(height, width)) as (ask, result):
            _alike(work(), json.loads(result.read_text()), height, width, least=0.999)
            pairs = by_turns(rounds, seconds(work, TIMES), ask)
        yield Record.of_pairs(name, "mmdet's get_seg_masks and encode, same masks", _ms(pairs), unit="ms")


def streamed(plan: Plan) -> Iterator[Record]:
    """Photos of a file to detections with masks, all but the graph, whose outputs are there at once."""
    package = read_spec(MASKRCNN)
    masks, boxes, _, width = scene()
    dets = np.concatenate([boxes * (SIDE / width), np.full((MASKS, 1), 0.9, np.float32)], axis=1)
    outputs = {"dets": dets, "labels": np.zeros(MASKS, np.int64), "masks": masks}
    model = Model(package)
    with tempfile.TemporaryDirectory(prefix="convertkit-bench-") as room:
        files = _photos(plan, Path(room))
        rates, busy = [], Counter[str]()
        for _ in range(plan.rounds(5)):
            found = stream(
                [files[number % len(files)] for number in range(50 if plan.quick else 300)],
                read=lambda path: cv2.imread(str(path)),
                preprocess=lambda image: model.preprocess(image, (SIDE, SIDE), package.preprocess),
                run=lambda inputs: outputs,
                postprocess=lambda said, place: model.postprocess(said, place, package.postprocess),
                sink=lambda image, detections: None,
            )
            rates.append(found.images_per_second)
            busy.update(found.busy)
    parts = ", ".join(
        f"{name} {busy[name] / busy.total():.0%}" for name in ("read", "preprocess", "postprocess")
    )
    yield Record(
        f"read, letterbox to {SIDE} x {SIDE}, paste {MASKS} masks", unit="photos/s", ours=float(np.median(rates)),
        goal=GOAL, of="ours", at_least=True, runs=len(rates),
        why=f"Of the threads' time: {parts}.",
    )  # fmt: skip


def scene(scale: int = 1) -> tuple[Any, Any, int, int]:
    """Masks ``(100, 28, 28)`` of blobs, boxes of half a photo's sides at most, its height and width."""
    rng, (height, width) = np.random.default_rng(0), (480 * scale, 640 * scale)
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 28)] * 2), axis=-1)
    centres, radii = rng.uniform(-0.2, 0.2, (MASKS, 1, 1, 2)), rng.uniform(0.6, 1.0, (MASKS, 1, 1))
    distance = np.linalg.norm(grid - centres, axis=-1) - radii
    masks = (1 / (1 + np.exp(8 * distance))).astype(np.float32)
    sides = rng.uniform(20, 320, (MASKS, 2)) * scale
    corners = rng.uniform(0, 1, (MASKS, 2)) * (np.array([width, height]) - sides)
    return masks, np.concatenate([corners, corners + sides], axis=1).astype(np.float32), height, width


def canvases(masks: Any, boxes: Any, height: int, width: int) -> list[Any]:
    """Every mask resized into a canvas of its own, which pycocotools encodes."""
    found = []
    for mask, (left, top, right, bottom) in zip(masks, boxes.round().astype(int).tolist(), strict=True):
        canvas = np.zeros((height, width), np.uint8, order="F")
        canvas[top:bottom, left:right] = cv2.resize(mask, (right - left, bottom - top)) >= 0.5
        found.append(mask_utils.encode(canvas))
    return found


def cropwise(masks: Any, boxes: Any, height: int, width: int) -> list[Any]:
    """The columns of the box alone; their run lengths are shifted to where the box is."""
    runs = []
    for mask, (left, top, right, bottom) in zip(masks, boxes.round().astype(int).tolist(), strict=True):
        columns = np.zeros((right - left, height), np.bool_)
        columns[:, top:bottom] = (cv2.resize(mask, (right - left, bottom - top)) >= 0.5).T
        flat = np.pad(columns.ravel(), 1)
        edges = np.flatnonzero(flat[1:] != flat[:-1]) + left * height
        counts = np.diff(edges, prepend=0, append=height * width).tolist()
        runs.append({"size": [height, width], "counts": counts})
    found: list[Any] = mask_utils.frPyObjects(runs, height, width)
    return found


PEERS = {"OpenCV, crop by crop": cropwise, "OpenCV, a canvas for each": canvases}
WHY = "cv2.resize makes other masks: the box is rounded to pixels, the mask clamped at its edge; ours are mmdet's."


def _alike(ours: Any, theirs: list[Any], height: int, width: int, least: float) -> None:
    """Refuses a peer that makes other masks (AssertionError); the smallest overlap has to be ``least``."""
    others = [{"size": [height, width], "counts": counts} for counts in theirs]
    overlaps = mask_utils.iou(ours, others, [0] * len(others)).diagonal()
    assert overlaps.min() >= least, f"masks overlap by {overlaps.min():.4f}"


def _photos(plan: Plan, room: Path) -> list[Path]:
    """Real ones where they are, else drawn."""
    real = sorted((plan.data / "coco_val57" / "images").rglob("*.jpg"))
    for number, image in enumerate([] if real else noise(8)):
        cv2.imwrite(str(room / f"{number}.jpg"), image)
    return real or sorted(room.glob("*.jpg"))


def _ms(pairs: list[list[float]]) -> list[list[float]]:
    return [[1000 * one for one in pair] for pair in pairs]
