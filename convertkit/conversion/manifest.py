"""``manifest.json``: what an artifact is made of, as a chain of hashes that anyone can follow.

It holds no times, no paths of a machine and no measured floating-point values: two builds of the same inputs give
the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from convertkit.conversion.keys import step_key
from convertkit.errors import SpecError
from convertkit.storage.files import sha256_bytes
from convertkit.storage.reading import read_json

FORMAT = 1
NAME = "manifest.json"
MOST_BYTES = 16 << 20
"""Of a manifest; that of r50 has 13 kB."""
LONGEST = 200
"""Bytes of a file's name: room for what a temporary name adds."""


class StepEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """One step of the chain.

    Attributes:
        kind: ``stock``, ``pass`` or ``compile``.
        key: :func:`~convertkit.conversion.keys.step_key` of kind, facts and the previous step's key.
        facts: everything the result depends on besides the previous step.
        result: digest of the graph the step left (of the file table, for ``compile``).
        summary: what a reader wants to know: nodes, operators added and removed.
    """

    kind: str
    key: str
    facts: dict[str, Any]
    result: str
    summary: dict[str, Any] = field(default_factory=dict)


class FileEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the artifact."""

    sha256: str
    bytes: int


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """The manifest of one artifact directory; ``digest`` is the sha256 of all the rest."""

    format: int
    convertkit: str
    model: str
    variant: str
    target: str
    size: tuple[int, int]
    steps: tuple[StepEntry, ...]
    files: dict[str, FileEntry]
    digest: str = ""

    @property
    def key(self) -> str:
        """The key of the whole build."""
        return self.steps[-1].key

    @property
    def target_graph(self) -> str:
        """Digest of the graph after all passes, as the compiler was given it."""
        return [step.result for step in self.steps if step.kind != "compile"][-1]

    def encode(self) -> bytes:
        """The file's bytes: indented JSON with sorted keys."""
        return msgspec.json.format(msgspec.json.encode(self, order="sorted"), indent=1) + b"\n"

    def sealed(self) -> Manifest:
        """The same with the right digest."""
        bare = msgspec.structs.replace(self, digest="")
        return msgspec.structs.replace(self, digest=sha256_bytes(bare.encode()))

    def check_chain(self) -> str | None:
        """The first break in the chain as one line, or None: every key must follow from its facts and predecessor."""
        previous = None
        for position, step in enumerate(self.steps, 1):
            if step.key != step_key(step.kind, step.facts, previous):
                return f"step {position} ({step.kind}): its key does not follow from its facts"
            previous = step.key
        return None


def is_untouched(path: Path, manifest: Manifest) -> bool:
    """Whether the file a manifest was read from is, byte for byte, what convertkit wrote."""
    return path.read_bytes() == manifest.sealed().encode()


def read_manifest(path: Path) -> Manifest:
    """Reads a manifest.

    Raises:
        SpecError: missing, not JSON, or not a manifest of a known format.
    """
    manifest = read_json(path, Manifest, "a convertkit manifest", most=MOST_BYTES, error=SpecError)
    if manifest.format != FORMAT or not manifest.steps:
        raise SpecError(
            f"{path}: manifest format {manifest.format} is not known (this convertkit writes {FORMAT})"
        )
    for name in manifest.files:
        if Path(name).name != name or name in ("", ".."):
            raise SpecError(f"{path}: file name {name!r} leaves the artifact directory")
        if not name.isprintable() or len(name.encode()) > LONGEST or name == NAME:
            raise SpecError(f"{path}: {name[:LONGEST]!r} is no name for a file of an artifact")
    return manifest
