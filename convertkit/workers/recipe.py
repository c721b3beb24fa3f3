"""How another process comes to the same runtime: plain data that can be pickled, and what is opened from it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from convertkit.conversion import manifest
from convertkit.conversion.engine import BuildResult
from convertkit.conversion.events import silent
from convertkit.conversion.request import Asked, BuildRequest, make_request
from convertkit.datasets.coco import CocoDataset, CocoImage
from convertkit.detection.types import Detections
from convertkit.errors import ProcessError
from convertkit.graph.session import Session
from convertkit.plugins.loading import open_plugins
from convertkit.rungs.keys import rung_key
from convertkit.rungs.names import RungName
from convertkit.rungs.rung import detections_of
from convertkit.rungs.stream import Timing
from convertkit.rungs.subjects import Subject, takes_pixels
from convertkit.storage.copies import here, origin
from convertkit.storage.urls import Where
from convertkit.targets.capabilities import Runtime
from convertkit.targets.context import RuntimeOptions


@dataclass(frozen=True)
class Recipe:
    """A rung for another process of this machine, or of one with the same files and the same convertkit.

    Attributes:
        asked: one for each profile, or the only one; their paths start from ``directory``.
        plugins: files that were loaded besides what is installed.
        artifacts: the directory of each, or its URL, for ``target``; else None.
        options: for the runtime of each.
        key: of the rung: what is opened must have the same.
    """

    rung: RungName
    asked: tuple[Asked, ...]
    plugins: tuple[Path, ...]
    artifacts: tuple[Where | None, ...]
    options: tuple[RuntimeOptions | None, ...]
    directory: Path
    key: str

    @classmethod
    def of(
        cls,
        rung: RungName,
        requests: Sequence[BuildRequest],
        built: Sequence[BuildResult | None],
        options: Sequence[RuntimeOptions | None],
        key: str,
    ) -> Recipe:
        """Of requests that were made in this process, from the directory that it is in."""
        origins = requests[0].plugins.origins
        return cls(
            rung,
            tuple(request.asked for request in requests),
            tuple(Path(name) for name, origin in origins.items() if name == origin and Path(name).is_file()),
            tuple(None if result is None else result.directory.resolve() for result in built),
            tuple(options),
            Path.cwd(),
            key,
        )

    def abroad(self) -> Recipe:
        """The same for a machine that has not this process's copies of what has a URL."""
        return replace(self, artifacts=tuple(place and origin(here(place)) for place in self.artifacts))

    def open(self) -> Station:
        """Opens the runtimes.

        Raises:
            ProcessError: they are not those of the process that asks, or are not here.
        """
        self._refuse_missing()
        here = Path.cwd()
        os.chdir(self.directory)
        try:
            plugins = open_plugins(self.plugins)
            requests = tuple(make_request(asked, plugins) for asked in self.asked)
            parts = zip(requests, map(_artifact, self.artifacts), self.options, strict=True)
            subjects = [Subject.of(self.rung, *part, silent) for part in parts]
        finally:
            os.chdir(here)
        if rung_key(self.rung, requests, [subject.digest for subject in subjects]) != self.key:
            raise ProcessError(
                f"rung {self.rung.text}: model, code or versions changed while it was measured"
            )
        pixels = takes_pixels(self.rung, requests[0])
        return Station(requests, tuple(subject.open() for subject in subjects), pixels)

    def _refuse_missing(self) -> None:
        models = (asked.model for asked in self.asked)
        artifacts = (place for place in self.artifacts if isinstance(place, Path))
        for path in (self.directory, *models, *self.plugins, *artifacts):
            if not (self.directory / path).exists():
                hint = "every machine needs it under the same path"
                raise ProcessError(f"{self.directory / path}: there is no such file or directory", hint=hint)


@dataclass(frozen=True)
class Station:
    """Runtimes that are open, and all that goes before and after them."""

    requests: tuple[BuildRequest, ...]
    runtimes: tuple[Runtime | Session, ...]
    pixels: bool

    def detect(self, images: Iterable[CocoImage], sink: Callable[[CocoImage, Detections], object]) -> Timing:
        """Photos and what is in them, in their order, as :func:`convertkit.rungs.stream.stream` has it."""
        return detections_of(
            self.runtimes, self.requests, images, read=CocoDataset.read, sink=sink, pixels=self.pixels
        )


def _artifact(where: Where | None) -> BuildResult | None:
    if where is None:
        return None
    place = here(where)
    return BuildResult(place, manifest.read_manifest(place / manifest.NAME), (), fresh=False)
