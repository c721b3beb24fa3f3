"""The store of finished steps: named by what went in, sealed with what came out.

Layout below ``<home>/store``::

    steps/<key>/      graph.onnx (without large weights), record.json, seal.json (sha256 of each file)
    weights/<sha256>  the data of one tensor, shared by every graph that uses it
    locks/<key>       held while a step is being made

Everything appears by rename; an entry whose bytes do not match its seal is removed and made again.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from convertkit.conversion.pruning import prune_store, store_limit
from convertkit.storage.files import FileLock, atomic_directory, atomic_write, home, sha256_bytes, sha256_file
from convertkit.storage.locks import store_error
from convertkit.storage.reading import own_file

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel

_SEAL = "seal.json"
_GRAPH = "graph.onnx"
_RECORD = "record.json"

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """A sealed step on disk; its files were verified when it was found."""

    key: str
    directory: Path

    def record(self) -> bytes:
        """The step's record, JSON."""
        return (self.directory / _RECORD).read_bytes()

    def files(self) -> dict[str, str]:
        """File name -> sha256, without the seal itself."""
        return read_seal(self.directory) or {}


class Store:
    """Finished steps, below a home directory.

    Args:
        root: the store's directory; ``<home>/store`` by default.
        notice: told in one line when a damaged entry is dropped.

    Raises:
        UsageError: ``CONVERTKIT_STORE_SIZE`` is no size.
    """

    def __init__(
        self, root: Path | None = None, *, notice: Callable[[str], object] = lambda line: None
    ) -> None:
        self.root = root or home() / "store"
        self._most = store_limit()  # a wrong setting is said before the work
        self._notice = notice

    def find(self, key: str) -> Entry | None:
        """The entry of a key, or None; a damaged one is dropped and counts as absent."""
        directory = self._step(key)
        if not directory.exists():
            return None
        seal = read_seal(directory)
        if seal is not None and all(_matches(directory / name, digest) for name, digest in seal.items()):
            with contextlib.suppress(OSError):  # a home that cannot be written
                os.utime(directory / _SEAL)  # what is used stays longest
            LOG.info("%s is in the store", key[:12])
            return Entry(key, directory)
        self._drop(key, "its files do not match their seal")
        return None

    def load(self, entry: Entry) -> LightModel | None:
        """The graph of an entry with its weights; None (and the entry dropped) where a weight is gone or damaged."""
        import onnx

        from convertkit.graph.light import LightModel, weight_key

        proto = onnx.load_model(entry.directory / _GRAPH, load_external_data=False)
        weights: dict[str, bytes] = {}
        for tensor in proto.graph.initializer:
            digest = weight_key(tensor)
            if digest is None or digest in weights:
                continue
            data = self._read_weight(digest)
            if data is None:
                self._drop(entry.key, f"the weights of {tensor.name!r} are missing or damaged")
                return None
            weights[digest] = data
        return LightModel(proto, weights)

    def put(self, key: str, model: LightModel, record: msgspec.Struct) -> Entry:
        """Seals a graph and its record under a key."""
        for digest, data in model.weights.items():
            path = self._weight(digest)
            if not path.is_file() or path.stat().st_size != len(data):
                atomic_write(path, data)
        files = {
            _GRAPH: model.proto.SerializeToString(deterministic=True),
            _RECORD: msgspec.json.encode(record),
        }
        return self.put_files(key, files.items())

    def put_files(self, key: str, files: Iterable[tuple[str, bytes | Path]]) -> Entry:
        """Seals plain files (bytes, or paths to copy) under a key; an intact entry that is there already stays."""
        if (known := self.find(key)) is not None:
            return known
        try:
            with atomic_directory(self._step(key)) as directory:
                seal = {name: _fill(directory / name, content) for name, content in files}
                (directory / _SEAL).write_text(json.dumps(seal, sort_keys=True))
        except OSError as error:
            raise store_error(self._step(key), error) from error
        LOG.info("%s is stored in %s", key[:12], self._step(key))
        return Entry(key, self._step(key))

    def bound(self) -> None:
        """Removes what was not used for longest where the store has grown past its limit."""
        prune_store(self.root, self._most)

    def lock(self, key: str, on_wait: Callable[[str], None] | None = None) -> FileLock:
        """Held while a step is made, so that two builds do not do the same long work twice."""
        return FileLock(self.root / "locks" / key, on_wait=on_wait)

    def _read_weight(self, digest: str) -> bytes | None:
        path = self._weight(digest)
        data = own_file(path)
        if data is None or sha256_bytes(data) == digest:
            return data
        path.unlink(missing_ok=True)
        return None

    def _drop(self, key: str, why: str) -> None:
        self._notice(f"cache entry {key[:12]} is damaged and will be made again: {why}")
        if self._step(key).is_file():
            self._step(key).unlink(missing_ok=True)
        shutil.rmtree(self._step(key), ignore_errors=True)

    def _step(self, key: str) -> Path:
        return self.root / "steps" / key

    def _weight(self, digest: str) -> Path:
        return self.root / "weights" / digest[:2] / digest


def read_seal(directory: Path) -> dict[str, str] | None:
    """File name -> sha256 of a sealed directory; None where the seal is missing or unreadable."""
    try:
        return msgspec.json.decode(own_file(directory / _SEAL) or b"", type=dict[str, str])
    except (UnicodeDecodeError, msgspec.MsgspecError):
        return None


def _fill(path: Path, content: bytes | Path) -> str:
    """Writes one file and returns its sha256."""
    if isinstance(content, Path):
        shutil.copyfile(content, path)
    else:
        path.write_bytes(content)
    return sha256_file(path)


def _matches(path: Path, digest: str) -> bool:
    return path.is_file() and sha256_file(path) == digest
