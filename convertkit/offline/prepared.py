"""``preprocess.json`` beside the prepared files: what they were made from, and the way back for every photo."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from convertkit.detection.settings import PreprocessSpec
from convertkit.detection.types import Placement
from convertkit.errors import SpecError, UsageError
from convertkit.offline.interface import Interface, TensorInfo
from convertkit.storage.files import atomic_write
from convertkit.storage.reading import read_json

NAME = "preprocess.json"
FORMAT = 1
SHOWN = 60
"""Letters of a name that an error quotes."""


class PreparedPhoto(Struct, frozen=True, forbid_unknown_fields=True):
    """One photo.

    Attributes:
        stem: of its files.
        name: of the photo, from the directory of photos.
        placement: where the image lies on the canvas; None for a model that needs none.
        sha256: of its file, by input.
        id: in the annotation file, where there is one.
    """

    stem: str
    name: str
    placement: Placement | None
    sha256: dict[str, str]
    id: int | None = None


class Prepared(Struct, frozen=True, forbid_unknown_fields=True):
    """A directory of prepared files.

    Attributes:
        model: name of the model package.
        variant: as it was given on the command line: a name, or the absolute path of a YAML file.
        size: height and width of the network input, pixels.
        preprocess: the settings in force.
        suffix: ``bin`` or ``npy``.
        inputs: of the graph, in its order, one picture's part: several have a sub-directory each.
        images: the directory of photos, absolute.
        annotations: the COCO instances file, absolute, if the photos came from one.
        own: whether these are all the photos that the accuracy spec was written for.
        photos: in the order of the annotation file, or of their names.
        batch: how many pictures one run takes. A file is of one: the runtime puts them together and its results apart.
    """

    format: int
    model: str
    variant: str
    size: tuple[int, int]
    preprocess: PreprocessSpec
    suffix: Literal["bin", "npy"]
    inputs: tuple[TensorInfo, ...]
    images: str
    annotations: str | None
    own: bool
    photos: tuple[PreparedPhoto, ...]
    batch: int = 1

    def directories(self, root: Path) -> dict[str, Path]:
        """Where the files of each input lie: one input in ``root`` itself, several in a sub-directory each."""
        names = [tensor.name for tensor in self.inputs]
        return {name: directory_of(root, name, names) for name in names}

    def interface(self, root: Path, graph: Interface) -> Interface:
        """What the files of one picture hold; refuses those prepared before the graph was built, or built anew.

        Raises:
            UsageError: an input of the graph was not prepared, or with another dtype, shape or number of pictures.
        """
        one = graph.of_one(self.batch)
        known = {tensor.name: tensor for tensor in self.inputs}
        for tensor in one.inputs:
            if known.get(tensor.name) != tensor:
                have = ", ".join(map(str, self.inputs))
                raise UsageError(
                    f"{root}: the graph takes {tensor}, prepared is {have}",
                    hint="run convertkit preprocess again, for the artifact that was run",
                )
        return one

    def write(self, root: Path) -> None:
        """Writes the record into the directory of the files."""
        text = msgspec.json.format(msgspec.json.encode(self), indent=1)
        atomic_write(root / NAME, text + b"\n")


def directory_of(root: Path, name: str, names: list[str]) -> Path:
    """The directory of one input's files; a character that is not safe in a path becomes ``_``."""
    if len(names) == 1:
        return root
    return root / "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)


def read_record(root: Path) -> Prepared:
    """The record of a directory that ``convertkit preprocess`` filled.

    Raises:
        UsageError: there is none: the directory is another one, or preprocessing has not finished.
        SpecError: it is damaged or of a format this convertkit does not know.
    """
    path = root / NAME
    if not path.exists():
        raise UsageError(
            f"{root}: there is no {NAME} in it",
            hint="give a directory that convertkit preprocess has finished",
        )
    record = read_json(path, Prepared, "a record of convertkit preprocess", error=SpecError)
    if record.format != FORMAT:
        raise SpecError(f"{path}: format {record.format} is not known (this convertkit writes {FORMAT})")
    for photo in record.photos:
        _refuse_leaving(path, photo)
    return record


def _refuse_leaving(path: Path, photo: PreparedPhoto) -> None:
    """A record may be somebody's: its names become parts of paths that are read and written.

    Raises:
        SpecError: a name leaves its directory, or is none.
    """
    plain = Path(photo.stem).name == photo.stem != ".."
    inside = not Path(photo.name).is_absolute() and ".." not in Path(photo.name).parts
    if not (plain and inside) or "\0" in photo.stem + photo.name:
        raise SpecError(
            f"{path}: photo {photo.name[:SHOWN]!r} of stem {photo.stem[:SHOWN]!r} leaves its directory"
        )
