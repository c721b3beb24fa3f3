"""``--report``: one HTML page of what a command did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

ReportOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE.html",
        help="Also write one HTML page of it that needs nothing else (extra: report).",
    ),
]
