"""From the records of a page to one file that needs nothing else: no network, no script."""

from __future__ import annotations

import base64
import importlib.util
import itertools
from pathlib import Path
from typing import Any

from convertkit.errors import UnavailableError, UsageError, visible
from convertkit.reports.page.blocks import Cell, Chart, Page
from convertkit.storage.files import atomic_write

HERE = Path(__file__).parent
NEEDED = ("jinja2", "matplotlib")
LONG, WORD = 40, 55
"""Letters beyond which a cell is a sentence, and a word has to be broken."""


def require(path: Path) -> None:
    """Looks before the work begins whether a page can be written at its end.

    Raises:
        UsageError: the file is called otherwise. UnavailableError: the libraries that write it are not installed.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--report {path}: a page is written", hint=f"say {path.with_suffix('.html').name}")
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UnavailableError(
            f"--report needs {' and '.join(missing)}", hint="pip install 'convertkit-compiler[report]'"
        )


def write_page(path: Path, page: Page) -> int:
    """Writes a page and says how many bytes it has.

    Raises:
        StoreError: it cannot be written.
    """
    data = html(page).encode()
    atomic_write(path, data)
    return len(data)


def html(page: Page) -> str:
    """All of a page. Every text is escaped, and control characters are written out."""
    import jinja2
    from markupsafe import Markup

    from convertkit.reports.page.charts import NARROW, has_width, svg

    numbers = itertools.count(1)

    def drawn(chart: Chart) -> list[tuple[str, Any]]:
        """By the class of the screens that it is for."""
        number = next(numbers)
        if has_width(chart):
            return [("any", Markup(svg(chart, f"c{number}-")))]
        narrow = svg(chart, f"n{number}-", NARROW)
        return [("desktop", Markup(svg(chart, f"c{number}-"))), ("phone", Markup(narrow))]

    def form(value: Cell | str, column: int, numbers: frozenset[int]) -> str:
        """The class of a cell: numbers, hashes and other words without an end, sentences."""
        text = value if isinstance(value, str) else value.text
        if column in numbers:
            return "number"
        if max(map(len, text.split()), default=0) > WORD:
            return "hash"
        return "prose" if len(text) > LONG else "plain"

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    environment.filters["drawn"] = drawn
    environment.filters["form"] = form
    environment.filters["base64"] = lambda data: base64.b64encode(data).decode()
    style = Markup((HERE / "page.css").read_text(encoding="utf-8"))
    return environment.get_template("page.html").render(page=page, style=style)
