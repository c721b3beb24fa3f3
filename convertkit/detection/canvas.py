"""Memory of canvases, lent again once nobody holds an array of it: fresh pages cost as much as all of a letterbox."""

from __future__ import annotations

import weakref
from collections import deque
from typing import Any

import numpy as np

from convertkit.detection.types import Array

KEPT = 4
"""Canvases that wait for the next photos: 71 MB at 1216 x 1216, and a stream has not more of them at once."""

_free: deque[Array] = deque(maxlen=KEPT)


class _Lent:
    """The owner of an array, which numpy keeps alive for as long as the array or a part of it is held anywhere."""

    def __init__(self, memory: Array) -> None:
        self.__array_interface__: dict[str, Any] = memory.__array_interface__
        weakref.finalize(self, _free.append, memory).atexit = False


def canvas(shape: tuple[int, ...]) -> Array:
    """An array of this shape, float32 and C-contiguous; what is in it nobody knows."""
    while _free:
        try:
            memory = _free.popleft()
        except IndexError:  # another thread has taken it
            break
        if memory.shape == shape:
            return np.asarray(_Lent(memory))
    return np.asarray(_Lent(np.empty(shape, np.float32)))
