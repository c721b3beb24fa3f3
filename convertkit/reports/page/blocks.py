"""What a page shows, as plain data: nothing in it is markup, and nothing in it has been drawn yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

Tone = Literal["", "good", "bad", "unsure"]
"""How something is to be taken; the text says it too, so that no colour is needed."""


@dataclass(frozen=True)
class Cell:
    """A text with a tone."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    kind: ClassVar = "words"
    text: str
    tone: Tone = ""


@dataclass(frozen=True)
class Log:
    """Lines as a tool wrote them."""

    kind: ClassVar = "log"
    caption: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Rows below a caption; ``numbers`` are the columns that are aligned to the right."""

    kind: ClassVar = "table"
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell | str, ...], ...]
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True)
class _Drawn:
    """Below a caption; ``said`` is what a chart says, for those who do not see it."""

    kind: ClassVar = "chart"
    caption: str
    said: str


@dataclass(frozen=True)
class Bars(_Drawn):
    """A bar for each name."""

    names: tuple[str, ...]
    values: tuple[float, ...]
    unit: str


@dataclass(frozen=True)
class Spread:
    """A value by name, with the ends of its interval (None: only the value is known)."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Intervals(_Drawn):
    """Dots with intervals, one below the other; ``zero``: a line where the difference is none."""

    spreads: tuple[Spread, ...]
    unit: str
    zero: bool = False


@dataclass(frozen=True)
class Lines(_Drawn):
    """Curves over one axis, ``(x, y)`` each, both in 0..1."""

    names: tuple[str, ...]
    curves: tuple[tuple[tuple[float, float], ...], ...]
    axes: tuple[str, str]


@dataclass(frozen=True)
class Dot:
    """A point by name; ``low`` and ``high`` are the ends of ``y``, ``joined``: the line goes through it."""

    name: str
    x: float
    y: float
    low: float
    high: float
    joined: bool = False


@dataclass(frozen=True)
class Dots(_Drawn):
    """Points over two axes, with a line through those that are joined."""

    dots: tuple[Dot, ...]
    axes: tuple[str, str]


@dataclass(frozen=True)
class Heat(_Drawn):
    """Counts by row and column; shades are shares of the row."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    axes: tuple[str, str]


@dataclass(frozen=True)
class Spot:
    """A node of a drawn graph: ``layer`` from the left, ``place`` from the top, both in nodes."""

    label: str
    tone: Tone
    layer: int
    place: float


@dataclass(frozen=True)
class Wiring(_Drawn):
    """A part of a graph: nodes, and edges between them by their numbers."""

    spots: tuple[Spot, ...]
    edges: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Picture(_Drawn):
    """A JPEG of ``width`` x ``height`` pixels."""

    kind: ClassVar = "picture"
    data: bytes
    width: int
    height: int


@dataclass(frozen=True)
class Fold:
    """Blocks that are shown when somebody asks for them."""

    kind: ClassVar = "fold"
    title: str
    blocks: tuple[Block, ...]
    open: bool = False


Chart: TypeAlias = Bars | Intervals | Lines | Dots | Heat | Wiring
Block: TypeAlias = Words | Log | Table | Chart | Picture | Fold


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading; ``id`` is where the list of contents leads to."""

    id: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """All of it.

    Attributes:
        title: what was built or verified, in a few words.
        verdict: what came out.
        facts: name and value of what a reader wants to know first.
    """

    title: str
    verdict: Cell
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
