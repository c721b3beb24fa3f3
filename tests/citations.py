"""Citations of docs/ascend-facts.md: what they look like, and which statements there are.

A citation is ``ascend-facts:`` and the headings of one or more statements, ``ascend-facts: nms-limits, roi-bins``.
Every heading has a hyphen, so that the words behind a list of them are no part of it.
"""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PAGE = REPOSITORY / "docs" / "ascend-facts.md"

_NAME = r"[a-z0-9]+(?:-[a-z0-9]+)+"
_GAP = r"\s+(?:# )?"
CITATION = re.compile(rf"ascend-facts:{_GAP}({_NAME}(?:,{_GAP}{_NAME})*)")
STATEMENT = re.compile(r"^### (\S+)$", re.MULTILINE)


def statements() -> dict[str, str]:
    """Heading -> text of every statement, in the order of the page."""
    _, *parts = STATEMENT.split(PAGE.read_text(encoding="utf-8"))
    texts = (re.split(r"^## ", text, flags=re.MULTILINE)[0].strip() for text in parts[1::2])
    return dict(zip(parts[::2], texts, strict=True))


def cited(text: str) -> list[str]:
    """The headings that a text cites, in order."""
    return [name for match in CITATION.finditer(text) for name in re.findall(_NAME, match[1])]


def linked(text: str) -> str:
    """A text of docs/ with its citations as links; the words around them stay."""
    return CITATION.sub(
        lambda match: re.sub(_NAME, lambda name: f"[{name[0]}](ascend-facts.md#{name[0]})", match[1]), text
    )
