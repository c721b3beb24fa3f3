"""What a user should read about a bundle: what preflight found, and the exact command."""

from __future__ import annotations

from pathlib import Path

import msgspec

from convertkit.api import system, targets
from convertkit_ascend.atc.command import display
from convertkit_ascend.bundle.names import OPTIONS, REPORT


class _Found(msgspec.Struct, frozen=True):
    soc: str
    errors: int
    warnings: int


class _Asked(msgspec.Struct, frozen=True):
    command: list[str]


def remarks(directory: Path) -> tuple[str, ...]:
    """A line on preflight, and the command as a shell takes it; nothing where a file is gone."""
    try:
        found = msgspec.json.decode(system.read_file(directory / REPORT), type=_Found)
        argv = msgspec.json.decode(system.read_file(directory / OPTIONS), type=_Asked).command
    except (targets.UsageError, UnicodeDecodeError, RecursionError, msgspec.MsgspecError):
        return ()
    counts = f"{_count(found.errors, 'error')}, {_count(found.warnings, 'warning')}"
    return (f"preflight for {found.soc}: {counts} ({REPORT})", display(argv))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
