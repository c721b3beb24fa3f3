"""The errors a user may meet: one small family, each a single line that says what to do.

Everything convertkit raises on purpose derives from :class:`ConvertkitError`. The command line prints
``str(error)`` and exits with ``error.exit_code``; a traceback appears only with ``--debug``. The codes: 1 below
expectation (accuracy, replay, lint), 2 a mistake in what was asked, 3 not available on this machine, 4 a step failed,
5 undecided: more photos are needed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class ConvertkitError(Exception):
    """A mistake or a failure that can be explained in one line.

    Args:
        message: what happened, naming the culprit first.
        hint: what to do about it, a short imperative sentence.
    """

    exit_code = 2
    subject: str = ""
    """What the message begins with, where that is kept apart: a file, a photo."""
    details: str = ""
    """At most one screen more, printed before the line where there is something to see; empty for most errors."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def about(self, subject: object) -> Self:
        """The same error, beginning with what it happened on, unless that was said already.

        >>> str(UsageError("no such file").about("photo.jpg"))
        'photo.jpg: no such file'
        """
        if not self.subject:
            self.subject = str(subject)
            self.message = f"{self.subject}: {self.message}"
        return self

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message} ({self.hint})"


class UsageError(ConvertkitError):
    """The command line or a Python call was given something that cannot work."""


class SpecError(ConvertkitError):
    """A YAML file (model package, variant) says something that cannot be understood."""


class PluginError(ConvertkitError):
    """A plugin could not be loaded, or registers something impossible."""


class UnknownNameError(ConvertkitError):
    """A pass, target, model, variant ... was asked for by a name nobody registered."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        self.kind, self.name, self.known = kind, name, tuple(known)
        super().__init__(f"unknown {kind} {name!r}", hint=suggestion(name, known))


class GraphError(ConvertkitError):
    """A model file is not a graph that convertkit can work on."""


class PassError(ConvertkitError):
    """A pass refused, failed, or left a graph that does not hold up to its declared effect."""

    exit_code = 4

    @classmethod
    def of(cls, step: str, error: ConvertkitError, where: str = "") -> Self:
        """What happened in a pass, with its name in front; a mistake in what was asked of it keeps its exit code."""
        failure = cls(f"{where or step}: {error.message.removeprefix(f'{step}: ')}", hint=error.hint)
        failure.details = error.details
        if isinstance(error, UsageError | UnknownNameError):
            failure.exit_code = error.exit_code
        return failure


class GivenGraphError(PassError):
    """The graph that a pass was given does not hold itself."""


class ProcessError(ConvertkitError):
    """A child process failed, was killed by a signal, or ran past its time limit."""

    exit_code = 4


class TargetError(ConvertkitError):
    """The code of a target failed: its compiler, or its runtime."""

    exit_code = 4


class StoreError(ConvertkitError):
    """The build store or the cache directory cannot be used."""

    exit_code = 4


class AccuracyError(ConvertkitError):
    """A measured accuracy is below what the accuracy spec demands."""

    exit_code = 1


class UndecidedError(ConvertkitError):
    """The photos that were measured do not settle whether the accuracy is what the spec demands."""

    exit_code = 5


class LintError(ConvertkitError):
    """A file breaks rules of the target it is for."""

    exit_code = 1


class UnavailableError(ConvertkitError):
    """Something the request needs is not on this machine: a network, a compiler, an environment."""

    exit_code = 3


def visible(text: str) -> str:
    """Text as a terminal may have it: names in files from elsewhere could hold its control sequences.

    >>> visible("conv\\x1b[31m")
    'conv\\\\x1b[31m'
    """
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", lambda found: f"\\x{ord(found[0]):02x}", text)


LONGEST, LONGEST_WORD = 2000, 500
"""Letters of a printed line, and of a word in it: names in files from elsewhere may be longer than anyone reads."""


def shortened(text: str) -> str:
    """Lines with the middle left out of words and lines that are too long: the end says what to do.

    >>> len(shortened("x" * 500_000 + " y" * 500_000))
    2000
    """
    text = re.sub(rf"\S{{{LONGEST_WORD + 1},}}", lambda word: _cut(word[0], LONGEST_WORD), text)
    return "\n".join(_cut(line, LONGEST) for line in text.split("\n"))


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    gap = f" ... {len(text)} letters ... "
    end = most // 3
    return text[: most - end - len(gap)] + gap + text[-end:]


FEW = 5
"""Names that a hint may mean at once."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """One phrase that points from a wrong name to the right ones.

    >>> suggestion("simplfy", ["simplify", "rename-io"])
    "did you mean 'simplify'? known: rename-io, simplify"
    """
    known = sorted(known)
    if not known:
        return "none is known"
    return " ".join([*_meant(name, known, 0.6), "known: " + ", ".join(known)])


def nearest(name: str, known: Iterable[str], otherwise: str = "", *, cutoff: float = 0.6) -> str:
    """As :func:`suggestion`, where there are too many to list them all.

    Args:
        otherwise: said behind it, or alone where nothing is near.
        cutoff: how near a name must be, in 0..1.

    >>> nearest("conv8", ["conv9", "relu"])
    "did you mean 'conv9'?"
    >>> nearest("pool", ["conv9", "relu"], "show graph lists them")
    'show graph lists them'
    """
    return " ".join([*_meant(name, known, cutoff), *([otherwise] if otherwise else [])])


def _meant(name: str, known: Iterable[str], cutoff: float) -> list[str]:
    """The name that is nearest; where several begin as the name does, all of them: none is nearer than another."""
    longer = [each for each in known if name and each.startswith(name)]
    if 1 < len(longer) <= FEW:
        return [f"did you mean {', '.join(map(repr, longer[:-1]))} or {longer[-1]!r}?"]
    return [f"did you mean {near!r}?" for near in difflib.get_close_matches(name, known, n=1, cutoff=cutoff)]
