"""What a record shows, once for terminals and for notebooks: lines and tables."""

from __future__ import annotations

import html
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from convertkit.api.commands.tables import figures, table

Mark = Callable[[str, str], str]
"""Puts a mark, ``ok``, ``BAD`` or ``?``, in front of a line."""


@dataclass(frozen=True)
class Table:
    """Rows under names of columns; those in ``right`` are flush right. ``whole``: figures, which no line breaks."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Sequence[int] = ()
    whole: bool = False


@dataclass(frozen=True)
class Judged:
    """A line with a mark in front of it, padded to four letters."""

    mark: str
    text: str


Block: TypeAlias = str | Judged | Table
"""A line (an empty one parts what follows), or a table."""


def text_of(blocks: Iterable[Block], mark: Mark = "{} {}".format) -> str:
    """For a terminal, as wide as it is."""
    return "\n".join(_text(block, mark) for block in blocks)


def html_of(blocks: Iterable[Block]) -> str:
    """For a notebook: lines that stand together are a paragraph."""
    return "".join(
        "".join(map(_html_table, group)) if tabular else _paragraphs(group)
        for tabular, group in itertools.groupby(blocks, lambda block: isinstance(block, Table))
    )


def json_text(value: Any) -> str:
    """Indented JSON; floats as they are, records by their fields, paths as text."""
    import msgspec

    try:
        return msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode()
    except UnicodeEncodeError:  # the name of a file that is no text: JSON can say it in escapes
        return json.dumps(msgspec.to_builtins(value, enc_hook=str), indent=2)


def shortened(text: str, most: int) -> str:
    """Names and values come out of a file, and may be as long as that."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


class Shown:
    """A record that shows itself: in a terminal as its command prints it, in a notebook as HTML."""

    __slots__ = ()

    def page(self) -> Iterator[Block]:
        raise NotImplementedError

    def __repr__(self) -> str:
        return text_of(self.page())

    def _repr_html_(self) -> str:
        return html_of(self.page())


def _text(block: Block, mark: Mark) -> str:
    if isinstance(block, str):
        return block
    if isinstance(block, Judged):
        return mark(block.mark, block.text)
    if block.whole:
        return figures(block.columns, block.rows)
    return table(block.columns, block.rows, right=block.right)


def _paragraphs(blocks: Iterable[Block]) -> str:
    lines = [html.escape(_text(block, "{} {}".format)) for block in blocks]
    parts = "\n".join(lines).split("\n\n")
    return "".join(f"<p>{part.strip().replace(chr(10), '<br>')}</p>" for part in parts if part.strip())


def _html_table(block: Block) -> str:
    assert isinstance(block, Table)
    right = range(1, len(block.columns)) if block.whole else block.right
    rows = "".join(_row("td", line, right) for line in block.rows)
    return f"<table><thead>{_row('th', block.columns, right)}</thead><tbody>{rows}</tbody></table>"


def _row(kind: str, cells: Sequence[str], right: Sequence[int]) -> str:
    sides = ["right" if place in right else "left" for place in range(len(cells))]
    done = (
        f'<{kind} style="text-align:{side}">{html.escape(cell)}</{kind}>'
        for side, cell in zip(sides, cells, strict=True)
    )
    return f"<tr>{''.join(done)}</tr>"
