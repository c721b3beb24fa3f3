"""Tables on standard output."""

from __future__ import annotations

from collections.abc import Sequence

from convertkit.api.commands.tables import figures, table


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """As :func:`convertkit.api.commands.tables.table`."""
    print(table(columns, rows, right=right))


def print_figures(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """As :func:`convertkit.api.commands.tables.figures`."""
    print(figures(columns, rows))
