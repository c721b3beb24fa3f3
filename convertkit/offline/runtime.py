"""A runtime that computes nothing: it knows its inputs by their bytes and gives the results another machine left."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convertkit.detection.batch import apart, stacked
from convertkit.errors import UsageError
from convertkit.offline import arrays
from convertkit.offline.interface import Interface
from convertkit.offline.prepared import read_record
from convertkit.offline.result_files import ResultFiles
from convertkit.targets.file_tool import FileTool

if TYPE_CHECKING:
    from numpy.typing import NDArray


class OfflineRuntime:
    """Answers for the prepared files of one directory with the result files of another.

    Args:
        inputs: the directory that ``convertkit preprocess`` filled.
        results: where a runtime left ``<stem>_<output>.bin`` or ``.npy``.
        interface: of the compiled model.
        tools: what may have left them, where that is not in the plain form.

    Raises:
        UsageError: there is no record of the inputs, or one of other inputs; a result is missing or wrong.
    """

    def __init__(self, inputs: Path, results: Path, interface: Interface, *tools: FileTool) -> None:
        self._record = read_record(inputs)
        outputs = self._record.interface(inputs, interface).outputs
        self._files = ResultFiles.open(
            results, outputs, (photo.stem for photo in self._record.photos), *tools
        )
        problems = self._files.problems()
        if problems:
            more = f", and {len(problems) - 1} more like it" if len(problems) > 1 else ""
            raise UsageError(f"{self._files.root}: {problems[0]}{more}", hint=self._files.summary)
        self._stems = {self._key(photo.sha256): photo.stem for photo in self._record.photos}

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The recorded outputs for inputs that are, bit for bit, those of prepared photos: as many as a run takes.

        Raises:
            UsageError: they are not.
        """
        batch = self._record.batch
        return stacked([self._of_one(picture) for picture in apart(inputs, batch)], batch)

    def _of_one(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        hashes = {}
        for tensor in self._record.inputs:
            array = inputs.get(tensor.name)
            if array is None:
                raise UsageError(f"input {tensor.name!r} is missing")
            little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
            hashes[tensor.name] = hashlib.sha256(arrays.encode(little, self._record.suffix)).hexdigest()
        stem = self._stems.get(self._key(hashes))
        if stem is None:
            raise UsageError(
                "these inputs are not among the prepared ones",
                hint="prepare them with the settings and the model they are run with now",
            )
        return self._files.read(stem)

    def _key(self, hashes: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(hashes[tensor.name] for tensor in self._record.inputs)
