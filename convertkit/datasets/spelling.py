"""Names that are meant to be the same."""

from __future__ import annotations

import unicodedata

UNSPELT = ("Cc", "Cf", "Zs", "Zl", "Zp", "Pd", "Pc")
"""Kinds of characters that make no other name: control and invisible ones, blanks, dashes, underscores."""


def spelt(name: str) -> str:
    """What is left of a name without case, the form of its letters, blanks, dashes, ``_`` and what nobody sees.

    >>> spelt("Traffic\u200b_Light")
    'trafficlight'
    """
    letters = unicodedata.normalize("NFKC", name).casefold()
    return "".join(letter for letter in letters if unicodedata.category(letter) not in UNSPELT)
