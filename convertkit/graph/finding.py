"""What a pass says about the places it looked at."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Status = Literal["matched", "refused"]


class Finding(Struct, frozen=True):
    """One place in a graph that a pass looked at.

    Attributes:
        status: ``matched``: the pass rewrites it. ``refused``: it was a candidate and stays as it is.
        where: the node (or nodes) the search began at.
        why: one line: what was found, or what is in the way.
        tensor: the tensor at which the search ended; empty where none is to blame.
    """

    status: Status
    where: str
    why: str
    tensor: str = ""


class OpenSize(Finding, frozen=True):
    """A place refused for a size that is not known: its line says how to set those that the inputs leave open."""
