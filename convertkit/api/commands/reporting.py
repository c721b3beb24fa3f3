"""One HTML page of what a command did, where one is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from convertkit.api.commands.places import Place, path_of
from convertkit.conversion.events import Report, Said
from convertkit.storage.files import megabytes

if TYPE_CHECKING:
    from convertkit.reports.page.blocks import Page


def page_file(path: Place | None) -> Path | None:
    """Where a page is to go.

    Raises:
        UsageError, UnavailableError: it could not be written there, or not without the extra ``report``.
    """
    found = path_of(path)
    if found is not None:
        from convertkit.reports.page.render import require

        require(found)
    return found


def written(path: Path, page: Page, report: Report) -> None:
    """Writes a page and says so."""
    from convertkit.reports.page.render import write_page

    report(Said(f"wrote {path} ({megabytes(write_page(path, page))})"))
