"""Photos in, what a model finds in them out, drawn."""

from __future__ import annotations

import base64
import html
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from msgspec import Struct

from convertkit.api.commands.asking import Profile, Settings, refuse_meaningless, request_of
from convertkit.api.commands.pages import Block, Shown, Table, json_text
from convertkit.api.commands.places import Place, copy_of, located
from convertkit.conversion.events import Report, Said, silent
from convertkit.datasets.coco import decode, photo_bytes
from convertkit.detection.drawing.paint import paint, side_by_side, write_picture
from convertkit.detection.types import RLE, Detections, Image
from convertkit.errors import UnknownNameError, UsageError
from convertkit.rungs.names import RungName
from convertkit.storage.progress import Bar, no_bar
from convertkit.verification.detect import Subject, Thing, things

MOST_NAMED = 4
"""Classes that the table names of a photo."""


class Seen(Struct, frozen=True):
    """What was found in one photo of ``width`` x ``height`` pixels, by rung, the surest first; the picture of it."""

    photo: Path
    width: int
    height: int
    rungs: dict[str, tuple[Thing, ...]]
    picture: Path | None = None

    def drawn(self, pixels: Image | None = None) -> Image:
        """The photo with what was found in it, the rungs side by side: ``(H, W, 3) uint8``, BGR.

        Args:
            pixels: the photo, where it has been read already.
        """
        ground = decode(self.photo, photo_bytes(self.photo)) if pixels is None else pixels
        return side_by_side(
            {name: paint(ground, *_detections(found), above=-1.0) for name, found in self.rungs.items()}
        )

    def _repr_png_(self) -> bytes:
        _, data = cv2.imencode(".png", self.drawn())
        return data.tobytes()


class Detected(Shown, tuple[Seen, ...]):
    """What was found in every photo, in their order."""

    def page(self) -> Iterator[Block]:
        names = list(self[0].rungs) if self else []
        rows = [[each.photo.name, *(_summary(each, name) for name in names)] for each in self]
        yield Table(["photo", *names], rows)

    def _repr_html_(self) -> str:
        data = [(html.escape(each.photo.name), base64.b64encode(each._repr_png_()).decode()) for each in self]
        pictures = (f'<p><img alt="{name}" src="data:image/png;base64,{text}"></p>' for name, text in data)
        return super()._repr_html_() + "".join(pictures)


def detect(
    model: Place,
    photos: Place | Sequence[Place],
    *,
    output: Place | None = None,
    rung: str | Sequence[str] = (),
    above: float = 0.3,
    limit: int | None = None,
    variant: str | None = None,
    target: str | None = None,
    weights: Place | None = None,
    origin: str = "auto",
    profile: Profile | None = None,
    package: Place | None = None,
    device: int = 0,
    option: Settings | None = None,
    python: Place | None = None,
    plugin: Sequence[Place] = (),
    report: Report = silent,
    bar: Bar = no_bar,
) -> Detected:
    """Finds what a model sees in photos, and builds first what is missing.

    Args:
        model: a package, by name or directory, or an artifact's directory, or its URL.
        photos: photos, or directories of photos.
        output: where pictures are drawn, or a ``.json`` file; nothing is written without. The others are the options
            of ``convertkit detect``.
        report: told of every step. bar: opened for every rung, with its name and the number of photos.

    Raises:
        ConvertkitError: what was asked cannot be done, or a step failed.
    """
    from convertkit.offline.photos import photos_at
    from convertkit.targets.context import RuntimeOptions

    given = [photos] if isinstance(photos, str | Path) else photos
    paths = [photo.path for photo in photos_at(list(map(Path, given)), limit)]
    file = None if output is None else Path(output)
    places = _places(file, paths)
    words = {"variant": variant, "weights": weights, "origin": origin, "option": option, "python": python}
    subject = _subject(model, package, target, plugin, {**words, "profile": profile, "report": report})
    rungs = _rungs(subject, (rung,) if isinstance(rung, str) else rung)
    _refuse_device(subject, rungs, device)
    _build(subject, rungs, report)
    found = {}
    for name in rungs:
        with bar(name.text, len(paths)) as advance:
            found[name.text] = subject.detect(
                name, paths, options=RuntimeOptions(device=device), report=report, on_progress=advance
            )
    seen = Detected(_seen(subject, paths, found, places, above))
    if file is not None and file.suffix.lower() == ".json":
        _write(file, seen, report)
    return seen


def _subject(
    given: Place, package: Place | None, target: str | None, plugin: Sequence[Place], words: dict[str, Any]
) -> Subject:
    """A package to build, or the artifact of one.

    Raises:
        UsageError: it is neither, or the artifact's package is not found or has changed.
    """
    from convertkit.conversion.manifest import NAME, read_manifest
    from convertkit.detection.profiles import size_text
    from convertkit.models.places import locate, package_named

    built = copy_of(given)
    model = built if (built / NAME).is_file() else located(str(given))
    if not (model / NAME).is_file():
        if model.is_dir() and not (model / "model.yaml").is_file():
            raise UsageError(f"{model}: neither a model package (model.yaml) nor an artifact ({NAME})")
        refuse_meaningless("a model package", {"--package": package})
        request = request_of(model, plugin, target=target or "cpu", **words)
        return Subject(request, request.directory)
    refuse_meaningless(
        "an artifact, which is built",
        {"--target": target, "--weights": words["weights"], "--profile": words["profile"]},
    )
    made = read_manifest(model / NAME)
    try:
        root = package_named(made.model) if package is None else locate(str(package))
    except UnknownNameError as error:
        raise UsageError(
            f"{model}: its model package {made.model} is not found", hint="say where: --package"
        ) from error
    words["variant"] = words["variant"] or made.variant
    batch = made.steps[0].facts.get("batch")
    request = request_of(root, plugin, recorded=made.size, target=made.target, batch=batch, **words)
    spec = request.variant.spec
    if (request.package.spec.name, spec.size) != (made.model, made.size):
        was, now = map(size_text, (made.size, spec.size))
        raise UsageError(
            f"{model} is of {made.model} for {was}, {root} is {request.package.spec.name} for {now}",
            hint="give its own --package and --variant",
        )
    return Subject(request, model, built=True)


def _rungs(subject: Subject, names: Sequence[str]) -> list[RungName]:
    from convertkit.rungs.names import parse_rung
    from convertkit.targets.capabilities import emulations, runtime_names

    target = subject.request.target
    passes = [] if subject.built else [step.name for step in subject.request.pipeline.steps]
    parse = partial(parse_rung, passes=passes, emulations=emulations(target), runtimes=runtime_names(target))
    return [parse(name) for name in dict.fromkeys(names or [target.rung])]


def _refuse_device(subject: Subject, rungs: Sequence[RungName], device: int) -> None:
    if not (subject.request.target.runtimes and any(rung.source == "target" for rung in rungs)):
        names = ", ".join(rung.text for rung in rungs)
        where = f"{subject.request.target.name} {names}, which runs on the host"
        refuse_meaningless(where, {"--device": device or None})


def _build(subject: Subject, rungs: Sequence[RungName], report: Report) -> None:
    from convertkit.conversion.engine import build

    if not subject.built and any(rung.source == "target" for rung in rungs):
        build(subject.request, subject.directory, report=report)


def _places(output: Path | None, photos: Sequence[Path]) -> list[Path] | None:
    """Where the picture of each photo goes; None where only data are asked for.

    Raises:
        UsageError: one file for several photos, a file of another kind, or a photo would be written over.
    """
    suffix = "" if output is None or output.is_dir() else output.suffix.lower()
    if output is None or suffix == ".json":
        return None
    kinds = (".png", ".jpg", ".jpeg")
    if suffix in kinds:
        if len(photos) > 1:
            raise UsageError(f"{output}: one picture for {len(photos)} photos", hint="give a directory")
        places = [output]
    elif suffix:
        raise UsageError(f"{output}: neither a directory nor one of {', '.join(kinds)}, .json")
    else:
        ends = [".png" if photo.suffix.lower() == ".png" else ".jpg" for photo in photos]
        places = [output / f"{photo.stem}{end}" for photo, end in zip(photos, ends, strict=True)]
    photographed = {photo.resolve() for photo in photos}
    for place in places:
        if place.resolve() in photographed:
            raise UsageError(f"{place} is one of the photos", hint="give another --output")
    return places


def _seen(
    subject: Subject,
    photos: Sequence[Path],
    found: dict[str, list[Detections]],
    places: Sequence[Path] | None,
    above: float,
) -> Iterator[Seen]:
    """Draws photo by photo, and says what is in each."""
    classes = subject.request.package.spec.classes
    for number, photo in enumerate(photos):
        pixels = decode(photo, photo_bytes(photo))
        height, width = pixels.shape[:2]
        rungs = {name: things(each[number], classes, above) for name, each in found.items()}
        seen = Seen(photo, width, height, rungs, places[number] if places else None)
        if seen.picture is not None:
            write_picture(seen.picture, seen.drawn(pixels))
        yield seen


def _detections(found: Sequence[Thing]) -> tuple[Detections, list[str]]:
    """As arrays again, and the names of classes by their index."""
    names = {thing.label: thing.name for thing in found}
    masks = tuple(RLE(size=list(mask.size), counts=mask.counts) for each in found if (mask := each.mask))
    made = Detections(
        np.array([thing.box for thing in found], np.float32).reshape(-1, 4),
        np.array([thing.score for thing in found], np.float32),
        np.array([thing.label for thing in found], np.int64),
        masks if found and len(masks) == len(found) else None,
    )
    return made, [names.get(label, "") for label in range(max(names, default=-1) + 1)]


def _write(path: Path, seen: Detected, report: Report) -> None:
    from convertkit.storage.files import atomic_write

    atomic_write(path, json_text(seen) + "\n")
    report(Said(f"wrote {path}"))


def _summary(seen: Seen, rung: str) -> str:
    """``3 person, 1 dog``; the commonest classes first, no more than :data:`MOST_NAMED` of them."""
    counts = Counter(thing.name for thing in seen.rungs[rung]).most_common()
    named = [f"{count} {name}" for name, count in counts[:MOST_NAMED]]
    rest = sum(count for _, count in counts[MOST_NAMED:])
    return ", ".join([*named, *([f"{rest} more"] if rest else [])]) or "nothing"
