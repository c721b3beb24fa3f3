"""Reading and writing ONNX files without trusting them."""

from __future__ import annotations

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from convertkit.errors import GraphError
from convertkit.files import atomic_write
from convertkit.graph import wire
from convertkit.graph.integrity import check_integrity
from convertkit.graph.light import LightModel, detach
from convertkit.reading import require_regular

MAX_PROTO = 2**31 - 1
"""protobuf cannot hold more bytes than this in one message."""


def load(path: Path) -> LightModel:
    """Reads an ONNX file; external data is read from its own directory only.

    Raises:
        GraphError: the file is missing, is no ONNX model or a damaged one, or refers to data that is absent or
            outside its directory.
    """
    path = Path(path)
    require_regular(path, GraphError)
    model = _read_fast(path) or _read_slowly(path)
    try:
        check_integrity(model)
    except GraphError as error:
        raise GraphError(f"{path}: damaged: {error}") from error
    return model


def _read_slowly(path: Path) -> LightModel:
    try:
        proto = onnx.load_model(path, load_external_data=True)
    except DecodeError as error:
        raise GraphError(f"{path}: not an ONNX file ({error})") from error
    except (onnx.checker.ValidationError, ValueError, OSError) as error:
        raise GraphError(f"{path}: its external data cannot be read ({_first_line(error)})") from error
    if not proto.graph.output:
        raise GraphError(f"{path}: not an ONNX model, it has no graph with outputs")
    try:
        return detach(proto)
    except (ValueError, TypeError) as error:
        raise GraphError(f"{path}: damaged: an initializer does not fill its shape ({error})") from error


def save(model: LightModel, path: Path) -> None:
    """Writes the self-contained model under a temporary name and renames it.

    Raises:
        GraphError: the model would pass protobuf's limit of 2 GiB.
    """
    if model.size > MAX_PROTO:
        raise GraphError(f"{path}: {model.size} bytes do not fit into one ONNX file of 2 GiB")
    atomic_write(path, wire.write(model))


def _read_fast(path: Path) -> LightModel | None:
    """The model, unless the onnx library has to read it or to say what is wrong with it."""
    try:
        with path.open("rb") as stream:
            model = wire.read(stream, path.stat().st_size)
    except (OSError, wire.UnusualFileError):
        return None
    return model if model.proto.graph.output else None


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
