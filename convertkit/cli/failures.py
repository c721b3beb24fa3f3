"""Every way a command can fail, as a record: the line that people read, and with ``--json`` the object for programs.

With ``--json`` standard output is one JSON document whatever happens: the result, or where there is none
``{"error": {...}}``. The line stays on standard error, as those of ``gh``, ``kubectl`` and ``cargo`` do. A command that
has shown its result and then fails by it (an accuracy, a lint) adds nothing: the result says so, and the exit code.
"""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Sequence

import typer

from convertkit import errors
from convertkit.api.commands.failures import Failure
from convertkit.cli import output
from convertkit.cli.volume import painted
from convertkit.errors import ConvertkitError, shortened, visible

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 + SIGINT, as shells have it."""

DEFECT = 70
"""``EX_SOFTWARE`` of sysexits.h."""


INTERRUPTION = Failure("interrupted", "interrupted; finished steps are kept", None, INTERRUPTED)


def wants_json(words: Sequence[str]) -> bool:
    """Whether ``--json`` is among the options: also where they are so wrong that nobody can read them."""
    return "--json" in (words[: words.index("--")] if "--" in words else words)


def failure_of(error: BaseException) -> Failure:
    """What an error means for who called the command."""
    if isinstance(error, ConvertkitError):
        return Failure(kind_of(error), error.message, error.hint, error.exit_code, error.details.rstrip())
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return INTERRUPTION
    if isinstance(error, SystemExit):
        return Failure("defect", f"a plugin ended the program with exit code {error.code}", None, DEFECT)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        return Failure("system", f"{where}{error.strerror or error}", None, 4 if full else 2)
    if isinstance(error, MemoryError):
        return Failure("memory", "not enough memory", None, 3)
    if hasattr(error, "format_message"):  # of the command line's parser
        return Failure("usage", error.format_message(), None, 2)
    loop = error.__context__
    if isinstance(loop, OSError) and loop.errno == errno.ELOOP:  # pathlib makes a RuntimeError of it
        return failure_of(loop)
    # Not a user's mistake: a traceback is what helps, but only where it was asked for.
    reason = f"{type(error).__name__}: {error}"
    return Failure("defect", f"a defect in convertkit or a plugin: {reason}", "--debug shows where", DEFECT)


def kind_of(error: ConvertkitError) -> str:
    """``unknown-name`` of UnknownNameError; an error of a plugin's own has the kind of its nearest known base."""
    known = next(cls for cls in type(error).__mro__ if vars(errors).get(cls.__name__) is cls)
    name = "Other" if known is ConvertkitError else known.__name__.removesuffix("Error")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def report(failure: Failure, *, as_json: bool) -> int:
    """Prints the line, and the object where standard output has no result yet; returns the exit code."""
    if failure.details:
        print(shortened(visible(failure.details)), file=sys.stderr)
    word = painted("error:", "bad", sys.stderr)
    print(f"{word} {shortened(visible(failure.line))}", file=sys.stderr)
    if as_json and not output.answered():
        output.print_json({"error": failure})
    return failure.exit_code
