"""How Sphinx makes the site of docs/: `make site`. The pages are plain Markdown and know nothing of it.

docs/README.md is the front page and the table of contents: what a section of it links to is a part of the menu.
Links to files outside of docs/ (tests, sources) lead to copies of those files.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1]
sys.path.insert(0, str(DOCS.parent))

from bench import reference  # noqa: E402

SECTION = re.compile(r"^## (.+)\n((?:(?!## ).*\n?)*)", re.MULTILINE)
PAGE = re.compile(r"\]\(([\w/-]+)\.md\)")

project = "convertkit"
author = "The convertkit founders"
extensions = ["myst_parser"]
root_doc = "README"
exclude_patterns = ["site"]
html_theme = "furo"
html_title = "convertkit"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_copyright = False
myst_heading_anchors = 4
suppress_warnings = ["misc.highlighting_failure"]


def contents(text: str) -> str:
    """The menu: a toctree for every section of the front page, of the pages it links to."""
    trees = (
        "\n".join(
            [f"```{{toctree}}\n:hidden:\n:caption: {title}\n", *dict.fromkeys(PAGE.findall(body)), "```"]
        )
        for title, body in SECTION.findall(text)
    )
    return "\n\n".join(trees)


def with_contents(app: Any, docname: str, source: list[str]) -> None:
    if docname == root_doc:
        source[0] += "\n\n" + contents(source[0]) + "\n"


def with_files(app: Any, docname: str, source: list[str]) -> None:
    """A link to a directory of the repository, or to a page outside of docs/, becomes its name."""
    here = (DOCS / docname).parent

    def plain(match: re.Match[str]) -> str:
        there = (here / match[2]).resolve()
        outside = there.suffix == ".md" and DOCS not in there.parents
        return match[1] if outside or there.is_dir() else match[0]

    source[0] = re.sub(r"\[([^\]]+)\]\(([^)#:\s]+)(?:#[^)\s]+)?\)", plain, source[0])


def setup(app: Any) -> None:
    reference.write()
    app.connect("source-read", with_contents)
    app.connect("source-read", with_files)
