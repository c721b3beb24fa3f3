"""The requirements file of an export environment, read line by line.

Each requirement becomes an installation step of its own, so only what makes sense alone is accepted: requirements,
and index options (``--find-links DIR`` ...), which go with every step. Lines for pip, setuptools and wheel are
the build tools: they are installed together and first.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from convertkit.errors import SpecError
from convertkit.storage.reading import read_file

BUILD_TOOLS = frozenset({"pip", "setuptools", "wheel"})
BUILD_HELPERS = frozenset({"ninja", "cmake", "cython", "pybind11", "psutil"})
INDEX_OPTIONS = ("--index-url", "-i", "--extra-index-url", "--find-links", "-f", "--no-index", "--pre")

_COMMENT = re.compile(r"(^|\s)#.*$")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


@dataclass(frozen=True)
class Requirements:
    """What pip installs: the build tools, then the packages one by one, with ``options`` for every call."""

    tools: tuple[str, ...]
    packages: tuple[str, ...]
    options: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """Everything that decides the result, in order; comments and blank lines do not."""
        return (*self.options, *self.tools, *self.packages)

    @property
    def distributions(self) -> tuple[str, ...]:
        """The names of the packages, in order, as their authors write them."""
        return tuple(_name(line) for line in self.packages)

    @property
    def at_run_time(self) -> tuple[str, ...]:
        """The names of the packages that are of use after the installation, in order."""
        return tuple(name for name in self.distributions if name.lower() not in BUILD_HELPERS)


def read_requirements(path: str | Path) -> Requirements:
    """Read a requirements file.

    Raises:
        SpecError: the file is missing, or a line is neither a requirement nor an index option.
    """
    path = Path(path)
    try:
        text = read_file(path, error=SpecError).decode()
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: cannot be read: {error}") from error
    return parse_requirements(text, origin=str(path))


def parse_requirements(text: str, *, origin: str = "requirements") -> Requirements:
    """Read the text of a requirements file; ``origin`` is what errors call it.

    >>> parse_requirements("setuptools<81  # pkg_resources\\ntorch==2.13.0").packages
    ('torch==2.13.0',)
    """
    tools, packages, options = [], [], []
    for number, raw in enumerate(text.splitlines(), 1):
        line = _COMMENT.sub("", raw).strip()
        if not line:
            continue
        if line.startswith("-"):
            options += _options(line, f"{origin}:{number}")
        elif not _NAME.match(line) or line.endswith("\\"):
            raise SpecError(f"{origin}:{number}: {line!r} is not a requirement", hint="write NAME==VERSION")
        elif _name(line).lower() in BUILD_TOOLS:
            tools.append(line)
        else:
            packages.append(line)
    return Requirements(tuple(tools), tuple(packages), tuple(options))


def _options(line: str, where: str) -> list[str]:
    words = shlex.split(line.replace("=", " ", 1))
    if words[0] not in INDEX_OPTIONS:
        raise SpecError(f"{where}: {words[0]!r} cannot be used here", hint="one requirement per line")
    return words


def _name(line: str) -> str:
    match = _NAME.match(line)
    assert match is not None
    return match.group()
