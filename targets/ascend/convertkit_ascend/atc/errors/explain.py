"""Join what ATC printed with what is known: one cause and one fix, and the rest as evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convertkit_ascend.atc.errors.advice import advise
from convertkit_ascend.atc.errors.catalogue import FOLLOW_UPS, IMPORTS, is_inner, lookup
from convertkit_ascend.atc.errors.find import Reported, find, logged, plain
from convertkit_ascend.atc.errors.nodes import NodeAt, nodes_in
from convertkit_ascend.atc.errors.symptoms import symptom_of

AROUND = 4
"""Lines before and after an error nobody explained."""

EMPTY = (
    "ATC start working now, please wait for a moment.",
    "ATC run failed, Please check the detail log, Try 'atc --help' for more information",
)
"""Lines of every failed run."""

_KNOWN_FIX = "change what the message names"
_UNKNOWN_FIX = "look the code up in CANN's documentation; the lines around it say what was going on"
_NO_REPORT = "ATC said nothing that is known here"


@dataclass(frozen=True)
class Explanation:
    """Why a compilation failed, as far as can be told.

    Attributes:
        what: the failure in a few words, the code first where there is one.
        cause, fix: one line each, never empty.
        said: the line of ATC's that shows it; empty where it said nothing.
        code: the code taken for the cause; empty where there is none.
        nodes: the nodes concerned.
        others: the other errors reported, in order.
        around: lines around what could not be explained.
        trace: the compiler's own calls.
    """

    what: str
    cause: str
    fix: str
    said: str = ""
    code: str = ""
    nodes: tuple[NodeAt, ...] = ()
    others: tuple[Reported, ...] = ()
    around: tuple[str, ...] = ()
    trace: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """What failed, and what shows it or why, in one line."""
        node = next((node for node in self.nodes if node.origin), None)
        where = f"; node {node.name}, from {node.origin}" if node is not None else ""
        return f"{self.what}: {(self.said or self.cause).rstrip('.')}{where}"


@dataclass(frozen=True)
class Ending:
    """How the run ended, and what that means where ATC said nothing."""

    what: str
    cause: str = _NO_REPORT
    fix: str = "run the reproducer with --log=info and ASCEND_SLOG_PRINT_TO_STDOUT=1"
    decisive: bool = False
    """Whether it explains the failure better than any code (a time limit, a missing file)."""


def explain(text: str, ending: Ending, origins: Mapping[str, str] | None = None) -> Explanation:
    """The explanation of a failed run.

    Args:
        text: all that was printed and logged.
        ending: how the run ended.
        origins: node name of the compiled graph -> where it came from, as in ``pass legalize-ascend``.
    """
    errors = [error for error in find(text) if error.code.startswith("E")]
    main = _main(errors)
    others = tuple(error for error in errors if error is not main)
    nodes = nodes_in(_evidence(errors), origins or {})
    trace = main.trace if main is not None else ()
    if ending.decisive:
        tail = [line for line in _tail(text) if main is None and ending.cause not in line]
        said = main.text if main is not None else ""
        return Explanation(
            ending.what, ending.cause, ending.fix, said, "", nodes, tuple(errors), tuple(tail), trace
        )
    code = main.code if main is not None else ""
    specific = main is not None and not is_inner(code) and code not in FOLLOW_UPS
    narrow = specific and code not in IMPORTS  # what lacks to import is said by Python, wherever it stands
    where = "\n".join(_evidence([main])) if main is not None and narrow else text
    if (seen := symptom_of(where)) is not None:
        _, cause, fix, line = seen
        what = f"{code} {_meaning(main)}" if main is not None and specific else ending.what
        said = main.text if main is not None and main.text and main.text in line else plain(logged(line))
        return Explanation(what, cause, fix, said, code, nodes, others, (), trace)
    if main is None:
        return Explanation(ending.what, ending.cause, ending.fix, around=_tail(text))
    info = lookup(code)
    cause, fix = advise(main)
    cause = cause or (info.cause if info else "") or main.cause or main.text or ending.cause
    fix = fix or (info.fix if info else "") or main.solution or (_KNOWN_FIX if info else _UNKNOWN_FIX)
    around = _around(text, main) if info is None or info.inner else ()
    return Explanation(f"{code} {_meaning(main)}", cause, fix, main.text, code, nodes, others, around, trace)


def _main(errors: Sequence[Reported]) -> Reported | None:
    """The error to blame: the first that is neither a follow-up nor an inner error."""
    return min(
        errors, key=lambda error: (is_inner(error.code), error.code in FOLLOW_UPS, error.line), default=None
    )


def _meaning(error: Reported) -> str:
    info = lookup(error.code)
    if info is not None:
        return info.meaning
    return error.title.replace("_", " ").lower() or "is not known here"


def _evidence(errors: Sequence[Reported]) -> list[str]:
    return [line for error in errors for line in (error.text, *error.trace)]


def _around(text: str, error: Reported) -> tuple[str, ...]:
    lines = text.splitlines()[max(0, error.line - AROUND) : error.line + AROUND + 1]
    return tuple(logged(line) for line in lines if line.strip())


def _tail(text: str) -> tuple[str, ...]:
    lines = [logged(line) for line in text.splitlines() if line.strip(" .")]
    return tuple(line for line in lines if line not in EMPTY)[-2 * AROUND :]
