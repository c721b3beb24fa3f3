"""Several sizes of the network input: which one a picture goes to."""

from __future__ import annotations

import re
from collections.abc import Sequence

Size = tuple[int, int]

_SIZE = re.compile(r"([1-9]\d{0,4})x([1-9]\d{0,4})")


def fitting_scale(height: int, width: int, size: tuple[int, int]) -> float:
    """The largest scale at which an image of ``height`` x ``width`` pixels fits inside ``size``."""
    return min(size[1] / width, size[0] / height)


def best_size(height: int, width: int, sizes: Sequence[Size]) -> Size:
    """The size, height and width, in which a picture keeps the largest scale; of equal ones the first."""
    return max(sizes, key=lambda size: fitting_scale(height, width, size))


def size_text(size: Size) -> str:
    """``800x1216``: height and width in pixels, as an option and a directory have them."""
    return f"{size[0]}x{size[1]}"


def parse_size(text: str) -> Size | None:
    """The size that :func:`size_text` wrote; None for another text."""
    match = _SIZE.fullmatch(text)
    return (int(match[1]), int(match[2])) if match else None
