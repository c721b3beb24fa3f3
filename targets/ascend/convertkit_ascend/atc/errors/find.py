"""Find error codes in what ATC printed, and what it said around them.

Releases write the same error differently::

    E10016: Opname [x] specified in [--input_shape] is not found in the model.             (up to 7)
    E10016: [PID: 107] 2025-03-18-09:02:18.501.341 Opname [x] specified in ...             (8)
    [PID: 107] 2026-03-18-09:02:18.501.341 Invalid_Argument_Operator_Name(E10016): Opname x ...  (9)

Indented lines follow: ``Possible Cause:``, ``Solution:`` and ``TraceBack (most recent call last):`` with the calls.
An inner error (``E19999: Inner Error!``) has its message in the next line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from convertkit_ascend.atc.errors.catalogue import CODE

_STAMP = r"(?:\[PID: ?\d+\]\s*)?(?:\d{4}-\d\d-\d\d-[\d:.]+\s*)?"
_PLAIN = re.compile(rf"^\s*({CODE})(?::|\b)\s*{_STAMP}(?:\((?:{CODE})\):)?\s*(.*)$")
_TITLED = re.compile(rf"^\s*{_STAMP}(\w*)\(({CODE})\):\s*(.*)$")
_LOGGED = re.compile(rf"^\[(?:ERROR|EVENT)\].*?\b({CODE})\b:?\s*(.*)$")
_PREFIX = re.compile(rf"^(?:{CODE}:?\s*)?{_STAMP}\w*(?:\((?:{CODE})\):)\s*")
_PLACE = re.compile(r"\s*\[FUNC:[^\]]*\]\[FILE:([^\]]*)\]\[LINE:(\d+)\]?")
_CALLED = re.compile(r"\[FUNC:|\[FILE:|\[LINE:")
_LOG_HEAD = re.compile(
    r"^\[(?:ERROR|WARNING|EVENT|INFO|TRACE)\] ?\w+\([^)]*\):[\d.:-]*\s*(?:\[([\w.]+:\d+)\])?(?:\[[^\]]*\])*\s*"
)
_INNER_TEXT = re.compile(r"Inner Error!?\.?")


@dataclass(frozen=True)
class Reported:
    """One error as ATC reported it.

    Attributes:
        code: ``E16002``.
        text: its message, one line.
        line: number of the line it stands in, from 0.
        title: the release's short name for it, ``Unsupported_Operator``; empty in older releases.
        cause, solution: what ATC itself says about it; mostly empty.
        trace: the lines under ``TraceBack``.
    """

    code: str
    text: str
    line: int
    title: str = ""
    cause: str = ""
    solution: str = ""
    trace: tuple[str, ...] = ()


def find(text: str) -> tuple[Reported, ...]:
    """Every error in ``text`` in the order printed; the same code with the same message only once."""
    lines = text.splitlines()
    found: list[Reported] = []
    for number, line in enumerate(lines):
        head = _head(line, number)
        if head is None:
            continue
        if found and found[-1].code == head.code and _INNER_TEXT.fullmatch(found[-1].text):
            found.pop()  # the line after "E19999: Inner Error!" carries its message
        found.append(_with_block(head, lines[number + 1 :]))
    return _unique(found)


def plain(line: str) -> str:
    """``line`` without code, process and time in front; ``(file:line)`` for the place it was written at."""
    bare = _PREFIX.sub("", line.strip())
    return _PLACE.sub(r" (\1:\2)", bare)


def logged(line: str) -> str:
    """``line`` without what a log puts in front: level, module, process and time."""
    match = _LOG_HEAD.match(line)
    rest = line[match.end() :] if match else ""
    return f"{rest} ({match[1]})" if match and rest and match[1] else rest or line.strip()


def _head(line: str, number: int) -> Reported | None:
    if match := _TITLED.match(line):
        return Reported(match[2], match[3].strip(), number, title=match[1])
    if match := _PLAIN.match(line) or _LOGGED.match(line):
        return Reported(match[1], match[2].strip(), number)
    return None


def _with_block(head: Reported, following: Sequence[str]) -> Reported:
    cause = solution = ""
    trace: list[str] = []
    tracing = False
    text = head.text
    for line in following:
        words = line.strip()
        if not words or _head(line, 0) is not None:
            break
        if not (line[0].isspace() or _CALLED.search(line) or words.startswith("TraceBack")):
            break
        if words.startswith("Possible Cause:"):
            cause = words.partition(":")[2].strip()
        elif words.startswith("Solution:"):
            solution = words.partition(":")[2].strip()
        elif words.startswith("TraceBack"):
            tracing = True
        elif tracing:
            trace.append(words)
        elif not text or _INNER_TEXT.fullmatch(text):
            text = words
    return replace(head, text=plain(text), cause=cause, solution=solution, trace=tuple(map(plain, trace)))


def _unique(found: Sequence[Reported]) -> tuple[Reported, ...]:
    first: dict[tuple[str, str], Reported] = {}
    for error in found:
        first.setdefault((error.code, error.text), error)
    return tuple(first.values())
