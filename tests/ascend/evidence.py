"""What convertkit believes of the vendor's side, how good the evidence is, and the tests that stand on it.

Citations are those of docs/ascend-facts.md, which says where each statement comes from. Nothing in any table has been
seen on hardware by us.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).parents[2]

Seen = Literal["documented", "reported", "run", "read", "derived", "assumed"]

MEANINGS: Mapping[Seen, str] = {
    "documented": "the vendor's manual, README, error table or guide says so",
    "reported": "users say so, with the text of what they saw",
    "run": "seen when the vendor's open sources were executed on x86, without a chip",
    "read": "read in public sources or in files of the toolkit; not executed",
    "derived": "our own conclusion from such statements",
    "assumed": "nobody says; chosen as what any program may do, or on the strict side",
}
"""Best evidence first."""


@dataclass(frozen=True)
class Claim:
    """One statement.

    Attributes:
        says: one line.
        basis: where it was found; for what was assumed, what it is about.
        seen: how good that is.
        tests: ``path::function``, all of which would fail if convertkit held something else.
    """

    says: str
    basis: str
    seen: Seen
    tests: tuple[str, ...]


def is_test(name: str) -> bool:
    """Whether ``path::function`` is in the tree."""
    path, _, function = name.partition("::")
    file = ROOT / path
    return file.is_file() and f"\ndef {function}(" in file.read_text()
