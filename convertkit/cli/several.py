"""Several files for one command: each has its answer, one that fails does not stop the others."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import typer

from convertkit.cli.failures import failure_of, report
from convertkit.cli.output import print_json
from convertkit.errors import ConvertkitError

T = TypeVar("T")


def each(files: Sequence[Path], run: Callable[[Path], T]) -> Iterator[tuple[Path, T | ConvertkitError]]:
    """What ``run`` makes of every file, or the error that it ends with; the error of a single file is raised."""
    for file in files:
        try:
            yield file, run(file)
        except ConvertkitError as error:
            if len(files) == 1:
                raise
            yield file, error.about(file)


def print_all(answers: Sequence[tuple[Path, Any]]) -> None:
    """JSON: the answer of one file, or a list with that of each."""
    plain = [
        {"file": file, "error": failure_of(answer)} if isinstance(answer, ConvertkitError) else answer
        for file, answer in answers
    ]
    print_json(plain[0] if len(plain) == 1 else plain)


def end(files: Sequence[Path], errors: Sequence[ConvertkitError]) -> None:
    """Says which files failed, a line each, and ends the command with the worst of their exit codes.

    Raises:
        ConvertkitError: the one of a single file. typer.Exit: there are several, and one failed.
    """
    if errors and len(files) == 1:
        raise errors[0]
    sys.stdout.flush()
    codes = [report(failure_of(error), as_json=False) for error in errors]
    if codes:
        raise typer.Exit(max(codes))
