"""``--input_shape``: which sizes each input has, fixed, free or within a range."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from convertkit.api import targets

FREE = -1
"""A size that a dynamic option, or the caller at run time, decides."""

Dim: TypeAlias = "int | tuple[int, int]"
"""A size: positive, :data:`FREE`, or an inclusive range ``(1, 10)`` (ascend-facts: atc-shapes)."""

_DIGITS = "[0-9]{1,18}"
"""A size that fits 64 bits."""

_SAMPLE = 'write it like "input:1,3,1216,1216;other:-1,1~10"'


@dataclass(frozen=True)
class InputShape:
    """The shape of one graph input; ``dims`` is empty for a scalar."""

    name: str
    dims: tuple[Dim, ...]

    @property
    def free(self) -> tuple[int, ...]:
        """The axes whose size is :data:`FREE`."""
        return tuple(axis for axis, dim in enumerate(self.dims) if dim == FREE)

    @property
    def ranged(self) -> bool:
        return any(isinstance(dim, tuple) for dim in self.dims)

    def __str__(self) -> str:
        return f"{self.name}:{','.join(_text(dim) for dim in self.dims)}"


def parse_shapes(text: str) -> tuple[InputShape, ...]:
    """The shapes in the notation of ``--input_shape``: ``name:1,3,H,W;other:...``.

    The sizes stand after the last colon, so names may hold colons.

    Raises:
        UsageError: the text is not in that notation.
    """
    return tuple(_parse(part) for part in text.split(";") if part.strip())


def shapes_text(shapes: Iterable[InputShape]) -> str:
    """The value of ``--input_shape``, unquoted."""
    return ";".join(str(shape) for shape in shapes)


def _parse(text: str) -> InputShape:
    name, colon, sizes = text.rpartition(":")
    if not colon or not name.strip():
        raise targets.UsageError(f"--input_shape: {text!r} names no input", hint=_SAMPLE)
    dims = tuple(_dim(size.strip(), text) for size in sizes.split(",")) if sizes.strip() else ()
    return InputShape(name.strip(), dims)


def _dim(text: str, whole: str) -> Dim:
    if found := re.fullmatch(rf"({_DIGITS})~({_DIGITS})", text):
        return int(found[1]), int(found[2])
    if re.fullmatch(f"-?{_DIGITS}", text):
        return int(text)
    raise targets.UsageError(f"--input_shape: {text!r} in {whole!r} is not a size", hint=_SAMPLE)


def _text(dim: Dim) -> str:
    return f"{dim[0]}~{dim[1]}" if isinstance(dim, tuple) else str(dim)
