"""What there is to prepare, what its files depend on, and the record that is left beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from convertkit.detection.settings import PreprocessSpec
from convertkit.models.package import ModelPackage, Variant, describe
from convertkit.offline.interface import TensorInfo
from convertkit.offline.photos import Photo
from convertkit.offline.prepared import FORMAT, Prepared, PreparedPhoto
from convertkit.storage.files import canonical_json, sha256_bytes, tree_digest


@dataclass(frozen=True)
class Job:
    """What to prepare.

    Attributes:
        inputs: those of the graph, in its order, one picture's part; preprocessing may give more.
        images: the directory of photos.
        annotations: the COCO instances file the photos came from, if any.
        own: whether these are all the photos that the accuracy spec was written for.
    """

    package: ModelPackage
    variant: Variant
    preprocess: PreprocessSpec
    inputs: tuple[TensorInfo, ...]
    photos: tuple[Photo, ...]
    images: Path
    annotations: Path | None = None
    own: bool = False
    suffix: Literal["bin", "npy"] = "bin"


def key_of(job: Job) -> str:
    """Stands for everything the files depend on besides the photo itself."""
    facts = {
        "model": tree_digest(job.package.root),
        "preprocess": describe(job.preprocess),
        "size": list(job.variant.spec.size),
        "inputs": [str(tensor) for tensor in job.inputs],
        "suffix": job.suffix,
        "tools": [version("convertkit-compiler"), str(cv2.__version__), np.__version__],
    }
    return sha256_bytes(canonical_json(facts))


def record_of(job: Job, photos: Sequence[PreparedPhoto]) -> Prepared:
    """The record of a finished job."""
    given = job.variant.given
    return Prepared(
        format=FORMAT,
        model=job.package.spec.name,
        variant=str(Path(given).resolve()) if given.endswith((".yaml", ".yml")) else given,
        size=job.variant.spec.size,
        preprocess=job.preprocess,
        suffix=job.suffix,
        inputs=job.inputs,
        images=str(job.images.resolve()),
        annotations=None if job.annotations is None else str(job.annotations.resolve()),
        own=job.own,
        photos=tuple(photos),
        batch=job.variant.spec.batch,
    )
