"""How much is said on standard error, and whether in colour."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from typing import IO, Annotated, Literal, TypeAlias

import typer

from convertkit.errors import UsageError, shortened, visible

QuietOption: TypeAlias = Annotated[
    bool, typer.Option("--quiet", "-q", help="Only the result, and errors: no progress, no notes.")
]
VerboseOption: TypeAlias = Annotated[
    int,
    typer.Option("--verbose", "-v", count=True, help="Say what is loaded, run and reused; -vv: and more."),
]

Style: TypeAlias = Literal["good", "bad", "doubt"]

_CODES: dict[Style, str] = {"good": "32", "bad": "1;31", "doubt": "33"}
"""SGR parameters: green, bold red, yellow, of the terminal's own palette."""

MARKS: dict[str, Style] = {"ok  ": "good", "BAD ": "bad", "?   ": "doubt"}
"""What stands in front of a line that judges."""

LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)

_quiet = False


def set_volume(*, quiet: bool = False, verbose: int = 0) -> None:
    """For the command that follows.

    Raises:
        UsageError: both are asked for.
    """
    global _quiet
    if quiet and verbose:
        raise UsageError("--quiet and --verbose exclude each other", hint="give one of them")
    _quiet = quiet
    logger = logging.getLogger("convertkit")
    logger.setLevel(LEVELS[min(verbose, len(LEVELS) - 1)])
    logger.handlers = [_Lines()]


def is_quiet() -> bool:
    """Whether nothing but the result and errors is wanted."""
    return _quiet


def is_moving() -> bool:
    """Whether standard error is a terminal on which a line may move."""
    return sys.stderr.isatty() and not _quiet


def width() -> int:
    """Letters of a moving line: one that wraps cannot be taken back."""
    return shutil.get_terminal_size().columns - 1


def is_colourful(stream: IO[str]) -> bool:
    """A terminal has colour, unless ``NO_COLOR`` is set; ``FORCE_COLOR`` gives it to anything else.

    As https://no-color.org and https://force-color.org have it: an empty variable counts as none.
    """
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def painted(text: str, style: Style, stream: IO[str]) -> str:
    """The text in colour, where the stream has any."""
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if is_colourful(stream) else text


def marked(mark: str, text: object) -> str:
    """A line of standard output with its mark, ``ok``, ``BAD`` or ``?``, in front."""
    return f"{painted(mark, MARKS[mark], sys.stdout)} {text}"


class _Lines(logging.Handler):
    """Log records as lines of standard error, whatever that is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        line = f"{record.levelname.lower()}: {record.name}: {record.getMessage()}"
        print(shortened(visible(line)), file=sys.stderr, flush=True)
