"""An explanation as one screen of text."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from convertkit_ascend.atc.errors.catalogue import lookup
from convertkit_ascend.atc.errors.explain import Explanation

WIDTH, HEIGHT = 100, 24
"""Columns and lines of one screen."""

_LABEL = 10

_HEAD = 4
"""Of a text that is too long so many parts, of which the first is shown; the others are its end."""

_SPARE = 20
"""Columns that wrapping and the dots take."""


def render(explanation: Explanation, facts: Mapping[str, str] | None = None) -> str:
    """At most :data:`HEIGHT` lines of at most :data:`WIDTH` columns; paths are never broken.

    Args:
        facts: further lines for the end, by label: where the log is, how to repeat it.
    """
    head = [*_entry("atc", explanation.what, 2), *_entry("cause", explanation.cause, 3)]
    head += _entry("fix", explanation.fix, 3)
    foot = [f"{label:<{_LABEL}}{text}" for label, text in (facts or {}).items()]
    middle: list[str] = []
    if explanation.said and explanation.said not in explanation.cause:
        middle += _entry("it said", explanation.said, 3)
    for node in explanation.nodes[:3]:
        kind = f" ({node.op_type})" if node.op_type else ""
        origin = f", from {node.origin}" if node.origin else ""
        middle += _entry("node", f"{node.name}{kind}{origin}", 2)
    for other in explanation.others[:3]:
        info = lookup(other.code)
        middle += _entry("also", f"{other.code} {info.meaning if info else other.text}", 1)
    for line in explanation.around or explanation.trace[-3:]:
        middle += _entry("|", line.strip(), 1)
    room = HEIGHT - len(head) - len(foot)
    return "\n".join([*head, *middle[: max(room, 0)], *foot])


def _entry(label: str, text: str, most: int) -> list[str]:
    """``text`` wrapped under its label, in at most ``most`` lines."""
    words = _within(" ".join(text.split()), (WIDTH - _LABEL) * most)
    lines = textwrap.wrap(words, WIDTH - _LABEL, max_lines=most, placeholder=" ...") or [""]
    cut = [line[: WIDTH - _LABEL] for line in lines]
    return [f"{label if number == 0 else '':<{_LABEL}}{line}" for number, line in enumerate(cut)]


def _within(text: str, room: int) -> str:
    """``text`` without its middle where it is too long: paths come first, and what is wrong comes last."""
    if len(text) <= room:
        return text
    room -= _SPARE
    head = text[: room // _HEAD].rpartition(" ")[0]
    tail = text[len(text) - (room - len(head)) :]
    return f"{head} ... {tail.partition(' ')[2] or tail}".strip()
