"""What a roofline needs to know of a machine, each figure with its source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One peak rate.

    Attributes:
        name: the unit as its vendor calls it: ``cube``, ``vector``, ``DDR``.
        rate: per second: operations (a multiplication and an addition are two), element operations, or bytes.
        source: where the number comes from, for people.
    """

    name: str
    rate: float
    source: str


@dataclass(frozen=True)
class Fusion:
    """A chain of nodes that the machine's compiler is said to make one kernel of.

    Attributes:
        starts: operators of ONNX that a chain begins with.
        joins: those that may follow, one after the other, each alone taking what the one before gives.
        most: how many may follow.
        source: where that is said, for people.
    """

    starts: tuple[str, ...]
    joins: tuple[str, ...]
    most: int
    source: str


@dataclass(frozen=True)
class Machine:
    """The peaks of one chip.

    Attributes:
        name: of the chip.
        matrix: operations per second of its matrix units.
        vector: element operations per second of its vector units.
        memory: bytes per second to and from its memory.
        float_bytes: what a floating number takes there, whatever the graph says.
        other_memory: further figures of the memory that are in use, to be shown beside :attr:`memory`.
        fusions: what its compiler is said to fuse, the first that fits wins; empty where nothing is known.
    """

    name: str
    matrix: Figure
    vector: Figure
    memory: Figure
    float_bytes: int
    other_memory: tuple[Figure, ...] = ()
    fusions: tuple[Fusion, ...] = ()
