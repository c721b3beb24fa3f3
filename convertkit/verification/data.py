"""Which photos a verification runs on: those the user names, else those of the variant."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from convertkit.datasets.coco import CocoDataset
from convertkit.downloads.named import dataset_of
from convertkit.errors import SpecError, UsageError, nearest
from convertkit.models.package import ModelPackage, Variant
from convertkit.models.spec import DatasetSpec
from convertkit.plugins.packages import package_attribute
from convertkit.storage.files import atomic_directory, canonical_json, home, sha256_bytes, tree_digest
from convertkit.storage.urls import Where


@dataclass(frozen=True)
class Source:
    """Where a dataset lies.

    Attributes:
        annotations: the COCO instances file.
        images: the directory its file names start from.
        own: whether it is the variant's own dataset, for which the accuracy spec was written.
    """

    annotations: Where
    images: Where
    own: bool

    def open(self, limit: int | None, **options: Any) -> CocoDataset:
        """The dataset, all of it examined; arguments and errors as :meth:`CocoDataset.open`."""
        return CocoDataset.open(self.annotations, self.images, limit, **options)


def find_source(
    package: ModelPackage,
    variant: Variant,
    *,
    annotations: Where | None = None,
    images: Where | None = None,
    dataset: str | None = None,
    note: Callable[[str], object] = lambda line: None,
) -> Source:
    """The dataset to verify on.

    Args:
        annotations: the user's instances file; needs ``images`` beside it.
        dataset: one that was fetched, by name, instead.
        note: told in one line when scenes have to be drawn first.

    Raises:
        UsageError: only one of the two is given, the variant has no dataset of its own, or the named one is not here.
        UnknownNameError: nobody knows the named one.
    """
    if dataset is not None:
        if annotations is not None or images is not None:
            raise UsageError("--dataset and --annotations exclude each other", hint="give one of them")
        named = dataset_of(dataset)
        annotations, images = Path(named.annotations), Path(named.images)
    if (annotations is None) != (images is None):
        given, missing = ("--annotations", "--images") if images is None else ("--images", "--annotations")
        raise UsageError(f"{given} needs {missing} as well")
    if annotations is not None and images is not None:
        return Source(annotations, images, own=_is_own(variant, annotations))
    spec = variant.spec.dataset
    if spec is None:
        raise UsageError(
            f"variant {variant.name} has no dataset of its own",
            hint="give --annotations and --images",
        )
    if spec.generator is not None:
        return _generated(package, spec, spec.generator, note)
    if spec.annotations is None or spec.images is None:
        raise SpecError(f"variant {variant.name}: dataset needs annotations and images, or a generator")
    return Source(variant.path(spec.annotations), variant.path(spec.images), own=True)


def _is_own(variant: Variant, annotations: Where) -> bool:
    """A variant without data of its own (full val2017 is 1 GB) is judged by the number of images alone."""
    spec = variant.spec.dataset
    return spec is None or (
        spec.annotations is not None and variant.path(spec.annotations) == annotations.resolve()
    )


def _generated(
    package: ModelPackage, spec: DatasetSpec, generator: str, note: Callable[[str], object]
) -> Source:
    """Draws the dataset once into the cache; the key covers the generator's sources and what they draw with."""
    path, _, name = generator.partition(":")
    if not name or spec.count is None:
        raise SpecError(f"dataset generator {generator!r}: expected FILE.py:FUNCTION, and a count")
    known = {item.dataset.generator for item in package.spec.variants.values() if item.dataset}
    if generator not in known:
        known.discard(None)
        named = nearest(generator, map(str, known), f"known: {', '.join(map(str, known)) or 'none'}")
        raise SpecError(
            f"dataset generator {generator!r}: model.yaml of the package names no such", hint=named
        )
    file = (package.root / path).resolve()
    if not file.is_file() or package.root not in file.parents:
        raise SpecError(f"dataset generator {file}: no such file in the package")
    facts = [tree_digest(file.parent), generator, spec.split, spec.count, version("numpy"), _opencv_version()]
    key = sha256_bytes(canonical_json(facts))[:12]
    directory = home() / "datasets" / f"{package.spec.name}-{spec.split}{spec.count}-{key}"
    if not directory.is_dir():
        note(f"drawing {spec.count} {spec.split} scenes, once")
        write = package_attribute(package.root, file, name)
        if not inspect.isfunction(write):
            raise SpecError(f"dataset generator {generator!r} is no function")
        with atomic_directory(directory) as scratch:
            _draw(generator, write, scratch, spec)
    return Source(directory / "instances.json", directory / "images", own=_drawn_alike(spec, note))


def _drawn_alike(spec: DatasetSpec, note: Callable[[str], object]) -> bool:
    """Whether the scenes are the images of the accuracy spec: OpenCV 4 turns and fills other pixels than 5."""
    have, least = _opencv_version(), spec.opencv or "0.0"
    alike = tuple(map(int, have.split(".")[:2])) >= tuple(map(int, least.split(".")))
    if not alike:
        words = f"OpenCV {have} draws other images than the accuracy spec was written for"
        note(f"note: {words}, so nothing is judged (install opencv-python-headless>={least})")
    return alike


def _draw(generator: str, write: Callable[..., object], scratch: Path, spec: DatasetSpec) -> None:
    try:
        write(scratch, spec.split, spec.count)
    except OSError:
        raise
    except Exception as error:
        raise SpecError(f"dataset generator {generator!r} failed: {type(error).__name__}: {error}") from error
    if not (scratch / "instances.json").is_file():
        raise SpecError(f"dataset generator {generator!r} wrote no instances.json")


def _opencv_version() -> str:
    import cv2

    return str(cv2.__version__)
