"""Photos with what the files of a runtime say about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convertkit.datasets.coco import decode, photo_bytes
from convertkit.detection.types import Detections
from convertkit.drawing.paint import paint, write_picture
from convertkit.errors import UsageError
from convertkit.offline.prepared import PreparedPhoto


@dataclass(frozen=True)
class Painter:
    """Draws detections into photos.

    Attributes:
        images: the directory the photos' names start from.
        directory: where ``<stem>.jpg`` goes.
        classes: names by class index; without one the index is written.
        above: only detections with a greater score.
    """

    images: Path
    directory: Path
    classes: Sequence[str] = ()
    above: float = 0.3

    def __call__(self, photo: PreparedPhoto, found: Detections) -> Path:
        """Draws one photo and returns the image's path.

        Raises:
            UsageError: the photo cannot be read.
        """
        path = self.images / photo.name
        try:
            source = photo_bytes(path)
        except UsageError as error:
            error.hint = "say where it is with --images"
            raise
        place = self.directory / f"{photo.stem}.jpg"
        write_picture(place, paint(decode(path, source), found, self.classes, self.above))
        return place
