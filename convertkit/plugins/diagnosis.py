"""What the doctor says about one thing on this machine."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

State = Literal["ok", "note", "missing"]


class Diagnosis(Struct, frozen=True):
    """One thing looked at.

    Attributes:
        state: ``ok``, ``note`` (works, but) or ``missing`` (something will not work).
        what: what was looked at, a few words.
        found: what is there, one line.
        advice: what to do about it, one line; empty where nothing is to be done.
    """

    state: State
    what: str
    found: str
    advice: str = ""
