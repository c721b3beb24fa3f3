"""``convertkit detect``: photos in, pictures of what a model finds in them out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from convertkit.cli import options as shared
from convertkit.cli.requests import request_of
from convertkit.cli.tables import print_table
from convertkit.cli.ui import BuildView, json_text, note, print_json, progress_bar
from convertkit.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from convertkit.detection.types import Detections
    from convertkit.verification.detect import Seen, Subject
    from convertkit.verification.rung_names import RungName

HERE = Path("detections")
MOST_NAMED = 4
"""Classes that the table names of a photo."""


def _located(word: str) -> Path:
    from convertkit.conversion.manifest import NAME

    return Path(word) if (Path(word) / NAME).is_file() else shared.located(word)


BuiltArgument: TypeAlias = Annotated[
    Path,
    typer.Argument(
        help="Model package, or the directory of an artifact.", metavar="MODEL|ARTIFACT", parser=_located
    ),
]
PackageOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--package",
        help="The model package of an artifact, where it is not found by its name.",
        metavar="MODEL",
        parser=shared.located,
    ),
]


def detect(
    model: BuiltArgument,
    photos: Annotated[
        list[Path], typer.Argument(help="Photos, or directories of photos.", metavar="PHOTO...")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Directory of the pictures, or a file: .png or .jpg for one photo, .json for the detections alone; "
            f"default: {HERE}.",
        ),
    ] = None,
    rung: Annotated[
        list[str] | None,
        typer.Option("--rung", "-r", help="As verify's --runtime; several are drawn side by side."),
    ] = None,
    above: Annotated[
        float, typer.Option("--above", min=0, max=1, help="Only scores greater than this.")
    ] = 0.3,
    limit: shared.LimitOption = None,
    variant: shared.VariantOption = None,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="Default: cpu, or the artifact's.")
    ] = None,
    weights: shared.WeightsOption = None,
    origin: shared.OriginOption = "auto",
    profile: shared.ProfileOption = None,
    package: PackageOption = None,
    device: shared.DeviceOption = 0,
    option: shared.SettingOption = None,
    python: shared.PythonOption = None,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Draw what a model finds in photos: boxes, masks, names and scores.

    Builds first what is missing, as verify does.
    """
    from convertkit.offline.photos import photos_at
    from convertkit.targets.context import RuntimeOptions

    paths = [photo.path for photo in photos_at(photos, limit)]
    places = _places(output, paths, as_json=as_json)
    words: dict[str, Any] = {
        "variant": variant,
        "weights": weights,
        "origin": origin,
        "option": option,
        "python": python,
        "profile": profile,
    }
    subject = _subject(model, package, target, plugin, words)
    rungs = _rungs(subject, rung or [])
    _refuse_device(subject, rungs, device)
    _build(subject, rungs)
    found = {}
    for name in rungs:
        with progress_bar(name.text, len(paths)) as advance:
            found[name.text] = subject.detect(
                name, paths, options=RuntimeOptions(device=device), report=BuildView(), on_progress=advance
            )
    seen = list(_seen(subject, paths, found, places, above))
    if output is not None and output.suffix.lower() == ".json":
        _write(output, seen)
    if as_json:
        print_json(seen)
    else:
        _show(seen, output or HERE)


def _subject(
    model: Path, package: Path | None, target: str | None, plugin: list[Path] | None, words: dict[str, Any]
) -> Subject:
    """A package to build, or the artifact of one.

    Raises:
        UsageError: it is neither, or the artifact's package is not found or has changed.
    """
    from convertkit.conversion.manifest import NAME, read_manifest
    from convertkit.detection.profiles import size_text
    from convertkit.models.places import package_named
    from convertkit.verification.detect import Subject

    if not (model / NAME).is_file():
        if model.is_dir() and not (model / "model.yaml").is_file():
            raise UsageError(f"{model}: neither a model package (model.yaml) nor an artifact ({NAME})")
        shared.refuse_meaningless("a model package", {"--package": package})
        request = request_of(model, plugin, target=target or "cpu", **words)
        return Subject(request, request.directory)
    shared.refuse_meaningless(
        "an artifact, which is built",
        {"--target": target, "--weights": words["weights"], "--profile": words["profile"]},
    )
    made = read_manifest(model / NAME)
    try:
        root = package or package_named(made.model)
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
    from convertkit.targets.capabilities import emulations, runtime_names
    from convertkit.verification.rung_names import parse_rung

    target = subject.request.target
    passes = [] if subject.built else [step.name for step in subject.request.pipeline.steps]
    parse = partial(parse_rung, passes=passes, emulations=emulations(target), runtimes=runtime_names(target))
    return [parse(name) for name in dict.fromkeys(names or [target.rung])]


def _refuse_device(subject: Subject, rungs: Sequence[RungName], device: int) -> None:
    if not (subject.request.target.runtimes and any(rung.source == "target" for rung in rungs)):
        names = ", ".join(rung.text for rung in rungs)
        where = f"{subject.request.target.name} {names}, which runs on the host"
        shared.refuse_meaningless(where, {"--device": device or None})


def _build(subject: Subject, rungs: Sequence[RungName]) -> None:
    from convertkit.conversion.engine import build

    if not subject.built and any(rung.source == "target" for rung in rungs):
        build(subject.request, subject.directory, report=BuildView())


def _places(output: Path | None, photos: Sequence[Path], *, as_json: bool) -> list[Path] | None:
    """Where the picture of each photo goes; None where only data are asked for.

    Raises:
        UsageError: one file for several photos, a file of another kind, or a photo would be written over.
    """
    suffix = "" if output is None or output.is_dir() else output.suffix.lower()
    if suffix == ".json" or (output is None and as_json):
        return None
    kinds = (".png", ".jpg", ".jpeg")
    if output is not None and suffix in kinds:
        if len(photos) > 1:
            raise UsageError(f"{output}: one picture for {len(photos)} photos", hint="give a directory")
        places = [output]
    elif suffix:
        raise UsageError(f"{output}: neither a directory nor one of {', '.join(kinds)}, .json")
    else:
        ends = [".png" if photo.suffix.lower() == ".png" else ".jpg" for photo in photos]
        places = [(output or HERE) / f"{photo.stem}{end}" for photo, end in zip(photos, ends, strict=True)]
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
    from convertkit.datasets.coco import decode, photo_bytes
    from convertkit.drawing.paint import paint, side_by_side, write_picture
    from convertkit.verification.detect import Seen, things

    classes = subject.request.package.spec.classes
    for number, photo in enumerate(photos):
        pixels = decode(photo, photo_bytes(photo))
        here = {name: each[number] for name, each in found.items()}
        if places is not None:
            drawn = {name: paint(pixels, each, classes, above) for name, each in here.items()}
            write_picture(places[number], side_by_side(drawn))
        height, width = pixels.shape[:2]
        rungs = {name: things(each, classes, above) for name, each in here.items()}
        yield Seen(photo, width, height, rungs, places[number] if places else None)


def _write(path: Path, seen: Sequence[Seen]) -> None:
    from convertkit.storage.files import atomic_write

    atomic_write(path, json_text(seen) + "\n")
    note(f"wrote {path}")


def _show(seen: Sequence[Seen], where: Path) -> None:
    names = list(seen[0].rungs)
    rows = [[each.photo.name, *(_summary(each, name) for name in names)] for each in seen]
    print_table(["photo", *names], rows)
    print(f"\n{'drawn in' if seen[0].picture else 'written to'} {where}")


def _summary(seen: Seen, rung: str) -> str:
    """``3 person, 1 dog``; the commonest classes first, no more than :data:`MOST_NAMED` of them."""
    counts = Counter(thing.name for thing in seen.rungs[rung]).most_common()
    named = [f"{count} {name}" for name, count in counts[:MOST_NAMED]]
    rest = sum(count for _, count in counts[MOST_NAMED:])
    return ", ".join([*named, *([f"{rest} more"] if rest else [])]) or "nothing"
