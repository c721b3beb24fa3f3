"""Reading and writing ONNX files without trusting them."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx.external_data_helper import uses_external_data

from convertkit.errors import GraphError
from convertkit.graph import wire
from convertkit.graph.domains import WayBack, adopted
from convertkit.graph.external import remove_external, require_bounded, write_external
from convertkit.graph.integrity import check_integrity
from convertkit.graph.light import LightModel, detach
from convertkit.graph.outputs import with_output_types
from convertkit.graph.validate import validate
from convertkit.storage.files import atomic_write
from convertkit.storage.reading import require_regular

MAX_PROTO = 2**31 - 1
"""protobuf cannot hold more bytes than this in one message."""


Source = str | Path | onnx.ModelProto
"""A graph: its file, or the model in memory."""


def load(source: Source) -> LightModel:
    """Reads an ONNX file; external data is read from its own directory only. A model in memory stays as it is.

    Raises:
        GraphError: the file is missing, is no ONNX model or a damaged one, or refers to data that is absent or
            outside its directory.
    """
    if isinstance(source, onnx.ModelProto):
        return _taken(source)
    path = Path(source)
    require_regular(path, GraphError)
    if not path.stat().st_size:  # so are files of the system, some of which make a reader wait
        raise GraphError(f"{path}: not an ONNX file, it is empty")
    model = _read_fast(path) or _read_slowly(path)
    try:
        check_integrity(model)
    except GraphError as error:
        raise GraphError(f"{path}: damaged: {error}") from error
    return model


def _taken(proto: onnx.ModelProto) -> LightModel:
    if any(map(uses_external_data, wire.tensors(proto.graph))):
        raise GraphError("the model's external data is not loaded", hint="give its file")
    if not proto.graph.output:
        raise GraphError("the model has no graph with outputs")
    try:
        model = detach(deepcopy(proto))
        check_integrity(model)
    except (GraphError, ValueError, TypeError) as error:
        raise GraphError(f"the model is damaged: {error}") from error
    return model


def load_valid(source: Source) -> LightModel:
    """As :func:`load_foreign`, for whoever writes no file of the same kind."""
    return load_foreign(source)[0]


def load_foreign(source: Source) -> tuple[LightModel, WayBack]:
    """As :func:`load`, but only what the ONNX checker accepts: passes need not mend what they were given.

    Outputs without a type or a shape get one, operators of known domains the domain of their schema; the second
    value takes a graph back to the domains of the file.

    Raises:
        GraphError: also where the graph is not valid.
    """
    model, back = adopted(load(source))
    model = with_output_types(model)
    try:
        validate(model)
    except GraphError as error:
        name = "the model" if isinstance(source, onnx.ModelProto) else source
        raise GraphError(f"{name} is not a valid graph: {error.message}", hint=error.hint) from error
    return model, back


def _read_slowly(path: Path) -> LightModel:
    try:
        proto = onnx.load_model(path, load_external_data=False)
        require_bounded(filter(uses_external_data, wire.tensors(proto.graph)), path.parent)
        onnx.load_external_data_for_model(proto, str(path.parent))
    except GraphError as error:
        raise GraphError(f"{path}: {error.message}", hint=error.hint) from error
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


def save(model: LightModel, path: Path) -> tuple[Path, ...]:
    """Writes the model under a temporary name and renames it; returns the files it is in.

    That is one, unless the model passes protobuf's limit of 2 GiB: then the weights lie in a second one beside it.

    Raises:
        GraphError: the graph alone passes the limit.
    """
    size = model.proto.ByteSize()
    if size > MAX_PROTO:
        raise GraphError(
            f"{path}: {size} bytes do not fit into one ONNX file of 2 GiB, its large weights not counted"
        )
    if size + sum(len(data) for data in model.weights.values()) > MAX_PROTO:
        return path, write_external(model, path)
    atomic_write(path, wire.write(model))
    remove_external(path)
    return (path,)


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
