"""The child process of ``convertkit lint``.

    python -m convertkit_ascend.linter._child SOCKET

It is asked twice: what is wrong with the raw file, and, if that allows it, with its types, shapes and operators.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # its threads' stacks would count as memory; nothing here multiplies

from convertkit.api import system, targets
from convertkit_ascend.linter import external
from convertkit_ascend.linter.examination import Begun, begin, finish
from convertkit_ascend.linter.subject import Subject

assert sys.platform != "win32"


class Examination:
    """Of one file, in two halves."""

    def __init__(self) -> None:
        self._begun: Begun | None = None
        self._seconds = 0.0

    def raw(
        self, path: str, soc: str, input_shape: Mapping[str, list[int]] | None, limits: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        shapes = None if input_shape is None else {name: tuple(sizes) for name, sizes in input_shape.items()}
        self._begun = begin(Path(path), soc, shapes)
        allowed = system.Limits(**limits).of(_size(self._begun.subject))
        allowed.confine()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        self._seconds = allowed.seconds
        return {
            **_plain(self._begun.report),
            "goes_on": self._begun.goes_on,
            "seconds": allowed.seconds,
        }

    def typed(self) -> Mapping[str, Any]:
        assert self._begun is not None
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + self._seconds) + 1, most))
        return _plain(finish(self._begun))


def _plain(report: targets.LintReport) -> dict[str, Any]:
    return {"findings": [asdict(item) for item in report.findings], "basis": report.basis}


def _size(subject: Subject) -> int:
    """Of the file and of the data beside it, in bytes."""
    found = (external.find(item, subject.directory) for item in subject.external())
    return subject.size + sum(
        extent.length for extent in found if not extent.problem
    )  # of what is there, not claimed


def main(arguments: list[str]) -> None:
    """Answers."""
    examination = Examination()
    system.answer(int(arguments[0]), {"raw": examination.raw, "typed": examination.typed})


if __name__ == "__main__":
    main(sys.argv[1:])
