"""Sizes of graph inputs as people write them, ``images:1,3,640,640``, and the line that asks for open ones."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from convertkit.errors import UsageError

if TYPE_CHECKING:
    import onnx

Shapes = dict[str, tuple[int, ...]]
"""Sizes by input name; -1 for one that stays open."""

_SIZE = re.compile(r"-1|[1-9][0-9]{0,17}")
"""What fits 64 bits. A graph that says 0 means that it does not know, so nobody can mean it."""

_EXAMPLE = 'like "image:1,3,640,640"'


def split_shapes(text: str) -> list[str]:
    """The parts of ``name:1,3,640,640;other:1,4``. A name with a semicolon can only be written in a list of its own."""
    return [part.strip() for part in text.split(";") if part.strip()]


def texts_of(shapes: Mapping[str, Sequence[int]]) -> list[str]:
    """What :func:`parse_shapes` reads."""
    return [f"{name}:{','.join(map(str, sizes))}" for name, sizes in shapes.items()]


def parse_shapes(texts: Iterable[str], who: str = "--input-shape") -> Shapes:
    """The sizes in texts ``name:1,3,640,640``; they stand after the last colon, so names may hold colons and commas.

    Args:
        who: where the texts were written, for errors.

    Raises:
        UsageError: one is not of that form, or names an input twice; or there is none.
    """
    found: Shapes = {}
    for text in texts:
        name, colon, numbers = text.rpartition(":")
        sizes = [size.strip() for size in numbers.split(",")] if numbers.strip() else []
        if not colon or not name.strip():
            raise UsageError(f"{who} {text!r} is not NAME:SIZE,SIZE,...", hint=_EXAMPLE)
        for size in sizes:
            if not _SIZE.fullmatch(size):
                line = f"{who} {text!r} is not NAME:SIZE,SIZE,...: {size!r} is no size"
                raise UsageError(line, hint="sizes are whole numbers from 1; -1 leaves one open")
        if name.strip() in found:
            raise UsageError(f"{who} names {name.strip()!r} twice", hint="give every input once")
        found[name.strip()] = tuple(map(int, sizes))
    if not found:
        raise UsageError(f"{who} is empty", hint=_EXAMPLE)
    return found


def free_inputs(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """The graph inputs that no initializer gives a value."""
    given = {tensor.name for tensor in graph.initializer}
    return [value for value in graph.input if value.name not in given]


def remedy(inputs: Iterable[Any]) -> str:
    """``axes 0 (batch), 2 of x are open: --input-shape "x:N,3,N,64"``, of several inputs; empty where nothing is open.

    What the graph states stands there, N for everything else.

    Args:
        inputs: of a ``GraphProto`` or of a graph under edit, initializers left out.
    """
    named = [(_shown(value.name), _dims(value)) for value in inputs]
    waiting = [(name, dims) for name, dims in named if any(isinstance(dim, str) for dim in dims)]
    if not waiting:
        return ""
    told = [
        f"{name}:{','.join('N' if isinstance(dim, str) else str(dim) for dim in dims)}"
        for name, dims in waiting
    ]
    if any(";" in name for name, _ in waiting):
        option = f"set-input-shape{{shapes=[{', '.join(map(_quoted, told))}]}} in front of the other passes"
    else:
        option = f"--input-shape {_quoted(';'.join(told))}"
    return f"{'; '.join(_open_axes(name, dims) for name, dims in waiting)}: {option}"


def _open_axes(name: str, dims: Sequence[int | str]) -> str:
    found = [(axis, dim) for axis, dim in enumerate(dims) if isinstance(dim, str)]
    said = ", ".join(f"{axis} ({_shown(dim)})" if dim else str(axis) for axis, dim in found)
    return f"axis {said} of {name} is open" if len(found) == 1 else f"axes {said} of {name} are open"


def _shown(name: str) -> str:
    """In one line, whatever a file calls it."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in name)


def _quoted(text: str) -> str:
    """For a shell, and for the text of a pass."""
    return f'"{text}"' if not re.search(r'["$`\\!]', text) else shlex.quote(text)


def _dims(value: Any) -> list[int | str]:
    """Sizes of an input: a number where one is stated, else its symbol, which may be empty."""
    if not hasattr(value, "shape"):  # of graphsurgeon both have a type
        dims = value.type.tensor_type.shape.dim
        return [dim.dim_value if dim.dim_value > 0 else dim.dim_param for dim in dims]
    shape = value.shape or ()
    return [dim if isinstance(dim, str) or (isinstance(dim, int) and dim > 0) else "" for dim in shape]
