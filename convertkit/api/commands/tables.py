"""Tables for people and for other programs: aligned, wrapped where a terminal is too narrow."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

from convertkit.errors import visible


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """A plain aligned table; columns whose index is in ``right`` are flush right.

    What is wider than the terminal (or ``COLUMNS``) moves together and wraps at blanks; no word is ever cut. For other
    programs a row is one line.
    """
    from rich.cells import cell_len
    from rich.console import Console
    from rich.rule import Rule
    from rich.table import Table
    from rich.text import Text

    lines = _lines(columns, rows)
    cells = list(zip(*lines, strict=True))
    least = [max(cell_len(word) for cell in column for word in cell.split(" ")) for column in cells]
    most = [max(map(cell_len, column)) for column in cells]
    console, gaps = Console(color_system=None, force_jupyter=False), len(columns) - 1
    console.width = _room() or sum(most) + 2 * gaps
    gap = 2 if sum(least) + 2 * gaps <= console.width else 1
    console.width = max(console.width, sum(least) + gap * gaps)
    widths = _widths(least, most, console.width - gap * gaps)
    grid = Table.grid(padding=(0, gap, 0, 0))
    for place, width in enumerate(widths):
        grid.add_column(justify="right" if place in right else "left", width=width)
    grid.add_row(*map(Text, lines[0]))
    grid.add_row(*[Rule(characters="-", style="") for _ in columns])
    for line in lines[1:]:
        grid.add_row(*map(Text, line))
    with console.capture() as page:
        console.print(grid)
    return "\n".join(line.rstrip() for line in page.get().splitlines())


def figures(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of figures, which stay whole: columns that a terminal has no room for stand below, beside the first.

    All but the first column are flush right. For other programs it is one table.
    """
    parts = []
    for shown in _blocks(_lines(columns, rows), _room()):
        named = [[line[place] for place in shown] for line in (columns, *rows)]
        parts.append(table(named[0], named[1:], right=range(1, len(shown))))
    return "\n\n".join(parts)


def _blocks(lines: Sequence[Sequence[str]], room: int | None) -> list[list[int]]:
    """The first column with as many of the others as there is room for, until all had their turn."""
    from rich.cells import cell_len

    first, *most = (max(map(cell_len, column)) for column in zip(*lines, strict=True))
    blocks, used = [[0]], first
    for place, wide in enumerate(most, 1):
        if room is not None and used + 2 + wide > room and len(blocks[-1]) > 1:
            blocks, used = [*blocks, [0]], first
        blocks[-1].append(place)
        used += 2 + wide
    return blocks


def _room() -> int | None:
    """Letters of a line on the terminal, or in ``COLUMNS``; None for other programs, whose lines have no end."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return None
    return shutil.get_terminal_size().columns


def _lines(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """The cells as a terminal may have them, names of columns first."""
    return [[visible(text).replace("\n", "\\n") for text in line] for line in (columns, *rows)]


def _widths(least: Sequence[int], most: Sequence[int], room: int) -> list[int]:
    """Of columns that want between ``least`` and ``most``: those that want little more have it, the others share."""
    widths, room = list(least), room - sum(least)
    for done, place in enumerate(sorted(range(len(least)), key=lambda place: most[place] - least[place])):
        more = min(most[place] - least[place], room // (len(least) - done))
        widths[place], room = widths[place] + more, room - more
    return widths
