"""The files a runtime left: ``<stem>_<output index>.bin`` or ``.npy``, found by their exact names.

A name is looked up, never searched for: ``10_0.bin`` is no result of photo ``0``. What one run may look like is in
:mod:`convertkit.offline.layouts`; several directories are one run as long as no photo is in two of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convertkit.errors import UsageError
from convertkit.offline import arrays
from convertkit.offline.interface import TensorInfo
from convertkit.offline.layouts import TEXT, Tools, naming, places_of, result_of, runs_below, why_none
from convertkit.targets.file_tool import FileTool

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ResultFiles:
    """The result files of one run.

    Attributes:
        root: the directory they were found in.
        runs: the directories of runs that were taken together: one for every device where each took its own time.
        outputs: of the compiled model, in the order of its files.
        stems: of the photos that were prepared, in their order.
        paths: the files of every photo and output.
        extra: what is wrong with each other file that looks like a result.
    """

    root: Path
    runs: tuple[Path, ...]
    outputs: tuple[TensorInfo, ...]
    stems: tuple[str, ...]
    paths: dict[tuple[str, int], tuple[Path, ...]]
    extra: tuple[str, ...]

    @classmethod
    def open(
        cls, directory: Path, outputs: Sequence[TensorInfo], stems: Iterable[str], *tools: FileTool
    ) -> ResultFiles:
        """Finds the files of a run, of any of ``tools``, for the photos that were prepared.

        Raises:
            UsageError: no such directory, no result in it, or one photo in two directories.
        """
        if not directory.is_dir():
            raise UsageError(f"{directory}: no such directory of results")
        photos = dict.fromkeys(stems)
        runs = runs_below(directory, tools)
        if not runs:
            raise UsageError(f"{directory}: no result in it", hint=why_none(directory, photos, tools))
        found: defaultdict[tuple[str, int], list[Path]] = defaultdict(list)
        extra: dict[Path, str] = {}
        for place in (place for run in runs for place in places_of(run, tools)):
            photo_of = naming(place, photos, tools)
            for path in place.iterdir():
                result = result_of(path, tools)
                if result is None:
                    continue
                photo, index = photo_of(result[0]), result[1]
                if path.suffix == ".txt":
                    extra[path] = TEXT
                elif photo is None:
                    extra[path] = "no photo of that name was prepared"
                elif index >= len(outputs):
                    extra[path] = f"the model has {len(outputs)} outputs only"
                else:
                    found[photo, index].append(path)
        _refuse_twice(directory, runs, found, tools)
        return cls(
            root=runs[0] if len(runs) == 1 else directory,
            runs=runs,
            outputs=tuple(outputs),
            stems=tuple(photos),
            paths={key: tuple(sorted(files)) for key, files in found.items()},
            extra=tuple(f"{path.name}: {why}" for path, why in sorted(extra.items())),
        )

    def problems(self, *, partial: bool = False) -> list[str]:
        """What is wrong, one line each: missing files, files of another size or dtype, files of no photo.

        Args:
            partial: a missing file is no problem.
        """
        found: list[str] = []
        count = len(self.outputs)
        for stem in self.stems:
            absent = [index for index in range(count) if (stem, index) not in self.paths]
            names = [f"{stem}_{index}.bin" for index in absent]
            if len(absent) == count > 1:
                names = [f"{names[0]} to {names[-1]}"]
            found += [f"{name}: missing" for name in names if not partial]
            found += [line for index in range(count) if (line := self._wrong(stem, index))]
        return [*found, *self.extra]

    def complete(self, stem: str) -> bool:
        """Whether every output of a photo is there."""
        return all((stem, index) in self.paths for index in range(len(self.outputs)))

    @property
    def count(self) -> int:
        """How many outputs a photo has."""
        return len(self.outputs)

    @property
    def summary(self) -> str:
        """How many of the photos have all of their files, whatever is in them."""
        count = sum(map(self.complete, self.stems))
        return f"{count} of {len(self.stems)} photos have a file for each of {len(self.outputs)} outputs"

    def read(self, stem: str) -> dict[str, NDArray[Any]]:
        """The outputs of a photo by name, in the order of the graph.

        Raises:
            UsageError: a file is missing or not what the output should be.
        """
        found = {}
        for index, tensor in enumerate(self.outputs):
            if (stem, index) not in self.paths:
                raise UsageError(f"{self.root}: {stem}_{index}.bin is missing")
            found[tensor.name] = arrays.read(self.paths[stem, index][0], tensor)
        return found

    def _wrong(self, stem: str, index: int) -> str | None:
        """What is wrong with the files that an output has."""
        present = self.paths.get((stem, index), ())
        if len(present) > 1:
            return f"{' and '.join(path.name for path in present)}: two files of one output"
        wrong = arrays.problem(present[0], self.outputs[index]) if present else None
        return f"{present[0].name}: {wrong}" if wrong else None


def _refuse_twice(
    directory: Path, runs: Sequence[Path], found: dict[tuple[str, int], list[Path]], tools: Tools
) -> None:
    """A photo in two directories: of two runs, or of devices that all computed everything."""
    places: defaultdict[str, dict[Path, Path]] = defaultdict(dict)
    for (stem, _), paths in found.items():
        for path in paths:
            places[stem].setdefault(path.parent, path)
    twice = [stem for stem, files in places.items() if len(files) > 1]
    if not twice:
        return
    first, second = list(places[twice[0]].values())[:2]
    what = f"{first} and {second} are results of the same photo"
    if len(runs) > 1:
        what = f"{directory}: results of {len(runs)} runs ({runs[0].name} ... {runs[-1].name}): {what}"
    more = f", and so for {len(twice) - 1} more" if len(twice) > 1 else ""
    hints = ("give the directory of one of them", *(tool.divides for tool in tools if tool.divides))
    raise UsageError(f"{what}{more}", hint="; ".join(hints))
