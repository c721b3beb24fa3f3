"""Models of more bytes than one protobuf message holds: the weights lie in a file beside the graph."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from pathlib import Path

import onnx

from convertkit.children.limits import LIFT, Limits
from convertkit.errors import GraphError
from convertkit.graph.light import LightModel, weight_key
from convertkit.storage.files import atomic_write, sha256_bytes

BLOCK = 512
"""Bytes that ``st_blocks`` counts in."""

PAGE = 4096
"""Weights begin at multiples of this, so that they can be mapped into memory."""


def require_bounded(tensors: Iterable[onnx.TensorProto], directory: Path) -> None:
    """Holes of a sparse file, or tensors that share their bytes, may ask for any number of bytes to be read.

    Raises:
        GraphError: they ask for more than what is on the disk can need.
    """
    asked, there = 0, {}
    for tensor in tensors:
        facts = {entry.key: entry.value for entry in tensor.external_data}
        file = (directory / facts.get("location", "")).stat()
        there[file.st_ino] = min(
            getattr(file, "st_blocks", file.st_size) * BLOCK, file.st_size
        )  # Windows has none
        rest = max(file.st_size - int(facts.get("offset") or 0), 0)
        asked += int(facts.get("length") or rest)
    if asked > Limits().of(sum(there.values())).memory:
        raise GraphError(
            f"its external data: {asked} bytes are asked for, {sum(there.values())} are on the disk",
            hint=LIFT,
        )


def write_external(model: LightModel, path: Path) -> Path:
    """Writes the weights, then the graph that names them; returns the weights' file.

    That has the weights' hash in its name: whoever is killed in between leaves the old graph with its own weights. The
    file of a graph that was here before goes at the end.
    """
    places: dict[str, int] = {}
    end = 0
    for key, data in model.weights.items():
        places[key] = -(-end // PAGE) * PAGE
        end = places[key] + len(data)
    digest = sha256_bytes("".join(places))[:12]
    beside = path.with_name(f"{path.name}.{digest}.data")
    atomic_write(beside, _pieces(model, places))
    atomic_write(path, _pointing(model, places, beside.name).SerializeToString(deterministic=True))
    remove_external(path, but=beside)
    return beside


def remove_external(path: Path, *, but: Path | None = None) -> None:
    """Removes the files of weights of graphs that were here before, known by their names."""
    ours = re.compile(re.escape(path.name) + r"\.[0-9a-f]{12}\.data")
    for file in path.parent.iterdir():
        if ours.fullmatch(file.name) and file.is_file() and file != but:
            file.unlink(missing_ok=True)


def _pieces(model: LightModel, places: dict[str, int]) -> Iterator[bytes]:
    end = 0
    for key, place in places.items():
        yield bytes(place - end)
        yield model.weights[key]
        end = place + len(model.weights[key])


def _pointing(model: LightModel, places: dict[str, int], location: str) -> onnx.ModelProto:
    proto = deepcopy(model.proto)
    for tensor in proto.graph.initializer:
        key = weight_key(tensor)
        if key is not None:
            del tensor.external_data[:]
            facts = {"location": location, "offset": places[key], "length": len(model.weights[key])}
            for name, value in facts.items():
                tensor.external_data.add(key=name, value=str(value))
    return proto
