"""Which versions are at work here: for ``--version --json``, the doctor, and what it packs."""

from __future__ import annotations

import platform
import re
from importlib.metadata import PackageNotFoundError, entry_points, requires, version

from msgspec import Struct

from convertkit.plugins.loading import GROUP

OURS = "convertkit-compiler"
"""The distribution."""


class Versions(Struct, frozen=True):
    """What a report of a fault needs first.

    Attributes:
        python: with its implementation where that is not CPython.
        system: the operating system, its release and the processor's architecture.
        tools: distributions that convertkit is made on, with their versions; ``-`` where one is not installed.
        plugins: names of installed plugins, each with its distribution and version; none of their code is run.
    """

    convertkit: str
    python: str
    system: str
    tools: dict[str, str]
    plugins: dict[str, str]


def versions() -> Versions:
    """Those of this interpreter."""
    kind = platform.python_implementation()
    python = platform.python_version()
    points = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    return Versions(
        version(OURS),
        python if kind == "CPython" else f"{kind} {python}",
        platform.platform(),
        {name: _version(name) for name in _needed()},
        {point.name: f"{point.dist.name} {point.dist.version}" if point.dist else "-" for point in points},
    )


def _needed() -> list[str]:
    """The distributions that ours asks for, optional ones too."""
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in requires(OURS) or ())
    return list(dict.fromkeys(match[0] for match in found if match))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "-"
