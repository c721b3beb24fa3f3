"""Golden files: a graph and what a pass makes of it, as text in one file."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from convertkit.errors import ConvertkitError, UsageError
from convertkit.passes.testing.equivalence import held
from convertkit.passes.testing.text import OPSET, apply, parse, show

if TYPE_CHECKING:
    from convertkit.passes.base import Pass

MARK = "--- after\n"
UPDATE = "CONVERTKIT_UPDATE_GOLDEN"


def assert_golden(step: Pass, path: Path, *, opset: int = OPSET) -> None:
    """Asserts that ``step`` makes of the graph in a file what stands behind it there, and keeps its effect.

    The file has the graph, a line ``--- after`` and the result in the layout of ``show``. Write the graph alone and
    set ``CONVERTKIT_UPDATE_GOLDEN=1`` once: the result is added, for you to read before you commit it.

    Raises:
        AssertionError: another result, none in the file, or one that does not hold to the effect.
        UsageError: no such file, or its text is no graph.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"golden file {path}: no such file", hint="write the graph before the pass into it")
    given, _, wanted = path.read_text(encoding="utf-8").partition(MARK)
    model = parse(given, opset=opset)
    result = apply(step, model)
    if result.digest() != model.digest():
        try:
            held(step, model, result)
        except ConvertkitError as error:
            raise AssertionError(f"{path}: {error.message}") from error
    found = show(result)
    if os.environ.get(UPDATE):
        path.write_text(f"{given.rstrip()}\n{MARK}{found}\n", encoding="utf-8")
    elif not wanted.strip():
        raise AssertionError(f"{path}: there is no result in it; {UPDATE}=1 adds it")
    elif found != wanted.strip():
        lines = difflib.unified_diff(
            wanted.strip().splitlines(), found.splitlines(), "golden", "made", lineterm=""
        )
        raise AssertionError(
            "\n".join([f"{path}: {step.name} makes another graph; {UPDATE}=1 takes it over", *lines])
        )
