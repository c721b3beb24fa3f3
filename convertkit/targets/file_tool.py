"""A vendor's own tool that runs artifacts by way of files: what it calls them, and what it notes of its speed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from convertkit.errors import UsageError
from convertkit.targets.timing import Timings

_NEVER = re.compile(r"(?!)")


@dataclass(frozen=True)
class FileTool:
    """Leaves ``STEM_0.bin``, ``STEM_1.bin``, ... (or ``.npy``) of ``STEM.bin``; derive for a tool with more to say.

    Attributes:
        run: what it calls the directory of a run; several are taken together where no photo is in two of them.
        device: what it calls the directory, in that of a run, of what one device has computed.
        made_up: the stems of results that were computed from no file.
        ending: what it puts behind a stem: ``_output`` where it writes ``STEM_output_0.bin``.
        divides: why devices may have computed the same photo, in a few words of a hint.
        counts: ``as sometool counts``, where its throughput is 1000 x batch / mean compute time in ms.
    """

    run: re.Pattern[str] = _NEVER
    device: re.Pattern[str] = _NEVER
    made_up: re.Pattern[str] = _NEVER
    ending: str = ""
    divides: str = ""
    counts: str = ""

    def listed(self, place: Path) -> Mapping[str, str]:
        """Stems of results in ``place`` -> names of the photos that a list there says they are of."""
        return {}

    def remedy(self, names: Collection[str], stems: Collection[str]) -> str:
        """Why files of these names are no results of those stems, and what to do; empty where it cannot tell."""
        return ""

    def timings(self, results: Path) -> Timings:
        """What it noted of its own speed beside ``results``.

        Raises:
            UsageError: there is no such record.
        """
        raise UsageError(f"{results}: nothing there says how long it took")
