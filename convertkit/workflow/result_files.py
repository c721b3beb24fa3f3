"""The files a runtime left: ``<stem>_<output index>.bin`` or ``.npy``, found by their exact names.

Three layouts, of the old and the new ais_bench (facts 1.6 and 4.5): the files in the directory itself; in one
sub-directory named after the time of the run; and, where several devices shared the work, in ``device<N>`` below.
A name is looked up, never searched for: ``10_0.bin`` is no result of photo ``0``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convertkit.errors import UsageError
from convertkit.workflow import arrays
from convertkit.workflow.interface import TensorInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RESULT = re.compile(r".+_\d+\.(?:bin|npy|txt)")
_RUN = re.compile(r"\d{4}_\d{2}_\d{2}-\d{2}_\d{2}_\d{2}")
_DEVICE = re.compile(r"device\d+")

MISSING = "missing"


@dataclass(frozen=True)
class ResultFiles:
    """The result files of one run.

    Attributes:
        root: the directory they were found in.
        outputs: of the compiled model, in the order of its files.
        paths: every result file by its name.
    """

    root: Path
    outputs: tuple[TensorInfo, ...]
    paths: dict[str, Path]

    @classmethod
    def open(cls, directory: Path, outputs: Sequence[TensorInfo]) -> ResultFiles:
        """Finds the files of a run.

        Raises:
            UsageError: no such directory, no result in it, results of several runs, or one name on two devices.
        """
        if not directory.is_dir():
            raise UsageError(f"{directory}: no such directory of results")
        root = _root(directory)
        paths: dict[str, Path] = {}
        for place in (root, *_matching(root, _DEVICE)):
            for path in place.iterdir():
                if not _RESULT.fullmatch(path.name):
                    continue
                if path.name in paths:
                    raise UsageError(f"{path} and {paths[path.name]} are results of the same photo")
                paths[path.name] = path
        if not paths:
            raise UsageError(
                f"{directory}: no result in it",
                hint="results are called STEM_0.bin, STEM_1.bin, ... (or .npy)",
            )
        return cls(root, tuple(outputs), paths)

    def problems(self, stems: Iterable[str], *, partial: bool = False) -> list[str]:
        """What is wrong, one line each: missing files, files of another size or dtype, files of no photo.

        Args:
            stems: of the photos that were prepared.
            partial: a missing file is no problem.
        """
        found, expected = [], set()
        for stem in stems:
            for index, tensor in enumerate(self.outputs):
                names = [f"{stem}_{index}.{suffix}" for suffix in arrays.FORMATS]
                expected.update(names)
                problem = self._problem(names, tensor)
                if problem and not (partial and problem.endswith(MISSING)):
                    found.append(problem)
        extra = sorted(set(self.paths) - expected)
        return found + [f"{name}: {self._why_extra(name)}" for name in extra]

    def complete(self, stem: str) -> bool:
        """Whether every output of a photo is there."""
        return all(self._find(stem, index) is not None for index in range(len(self.outputs)))

    def read(self, stem: str) -> dict[str, NDArray[Any]]:
        """The outputs of a photo by name, in the order of the graph.

        Raises:
            UsageError: a file is missing or not what the output should be.
        """
        found = {}
        for index, tensor in enumerate(self.outputs):
            path = self._find(stem, index)
            if path is None:
                raise UsageError(f"{self.root}: {stem}_{index}.bin is missing")
            found[tensor.name] = arrays.read(path, tensor)
        return found

    def _find(self, stem: str, index: int) -> Path | None:
        names = (f"{stem}_{index}.{suffix}" for suffix in arrays.FORMATS)
        return next((self.paths[name] for name in names if name in self.paths), None)

    def _problem(self, names: Sequence[str], tensor: TensorInfo) -> str | None:
        present = [name for name in names if name in self.paths]
        if not present:
            return f"{names[0]}: {MISSING}"
        if len(present) > 1:
            return f"{' and '.join(present)}: two files of one output"
        wrong = arrays.problem(self.paths[present[0]], tensor)
        return f"{present[0]}: {wrong}" if wrong else None

    def _why_extra(self, name: str) -> str:
        if name.endswith(".txt"):
            return "text results lose digits and are not read; run again for BIN or NPY"
        index = int(name.rpartition("_")[2].partition(".")[0])
        if index >= len(self.outputs):
            return f"the model has {len(self.outputs)} outputs only"
        return "no photo of that name was prepared"


def _root(directory: Path) -> Path:
    """The directory itself if there are results in it, else that of the one run below it."""
    if any(_RESULT.fullmatch(path.name) for path in directory.iterdir()) or _matching(directory, _DEVICE):
        return directory
    runs = _matching(directory, _RUN)
    if len(runs) > 1:
        raise UsageError(
            f"{directory}: results of {len(runs)} runs ({runs[0].name} ... {runs[-1].name})",
            hint="give the directory of one of them",
        )
    return runs[0] if runs else directory


def _matching(directory: Path, pattern: re.Pattern[str]) -> list[Path]:
    return sorted(path for path in directory.iterdir() if pattern.fullmatch(path.name) and path.is_dir())
