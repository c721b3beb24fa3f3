"""The codes ATC and its compilers may print, with cause and fix in our own words (ascend-facts: atc-errors)."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass, replace
from importlib import resources

CODE = r"(?:E(?:\d{5}|[A-Z]\d{4})|W\d{5})"
"""A code as a regular expression: ``E10016``, ``EZ9999``, ``W11001``."""

_INNER = re.compile(r"E(?:\d|[A-Z])9999")

FOLLOW_UPS = frozenset({"E10042", "E20001", "E22001", "E40021", "E90000", "EA0000", "EB0000"})
"""Codes that say that something failed because something else did; another code beside them tells more."""

IMPORTS = frozenset({"E40000", "E40020", "EC0010"})
"""Codes that say that a Python module could not be imported; the reason may stand anywhere in the output."""


@dataclass(frozen=True)
class CodeInfo:
    """One code.

    Attributes:
        family: the part of the compiler that reports it.
        meaning, cause, fix: one line each; cause and fix are empty where only the message itself can tell.
        alias: the number of the same error in other releases; empty where there is none.
        since: the release that brought it where it is not in 8.1; empty otherwise.
    """

    code: str
    family: str
    meaning: str
    cause: str
    fix: str
    alias: str = ""
    since: str = ""

    @property
    def inner(self) -> bool:
        """Whether it says no more than that something inside went wrong (``E19999``, ``EZ9999``)."""
        return is_inner(self.code)


def is_inner(code: str) -> bool:
    return _INNER.fullmatch(code) is not None


@functools.cache
def codes() -> dict[str, CodeInfo]:
    """All that is known, by code."""
    text = resources.files("convertkit_ascend.atc.errors").joinpath("codes.json").read_text()
    return {code: CodeInfo(code=code, **row) for code, row in json.loads(text)["codes"].items()}


def lookup(code: str) -> CodeInfo | None:
    """What is known of ``code``, if need be by its number in another release; None if nothing is."""
    if code in codes():
        return codes()[code]
    other = next((info for info in codes().values() if info.alias == code), None)
    return None if other is None else replace(other, code=code, alias=other.code)
