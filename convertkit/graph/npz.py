"""Named arrays in ``.npz`` files: inputs of a graph, and what it made of them."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convertkit.errors import UsageError

Named = dict[str, NDArray[Any]]


def read_arrays(path: Path) -> Named:
    """The arrays of an ``.npz`` file by name.

    Raises:
        UsageError: no such file, no ``.npz`` file, or one that holds Python objects.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"{path}: no such file")
    try:
        with path.open("rb") as stream, zipfile.ZipFile(stream) as archive:
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            return {name.removesuffix(".npy"): _read(archive, name) for name in names}
    except (ValueError, OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise UsageError(
            f"{path}: not an .npz file of plain arrays", hint="numpy.savez writes one by input name"
        ) from error


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes arrays under their names; tensor names may hold slashes, and ``file`` is a name like any other."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, np.asarray(array), allow_pickle=False)


def require_inputs(arrays: Mapping[str, NDArray[Any]], names: tuple[str, ...], where: Path) -> None:
    """Refuses arrays that lack an input of a graph (UsageError)."""
    missing = [name for name in names if name not in arrays]
    if missing:
        have = ", ".join(arrays) or "nothing"
        raise UsageError(f"{where}: input {missing[0]!r} is missing", hint=f"the file has {have}")


def _read(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(name) as stream:
        array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
        return array
