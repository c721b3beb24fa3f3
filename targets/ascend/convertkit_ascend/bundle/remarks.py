"""What a user should read about a bundle: what preflight found, and the exact command."""

from __future__ import annotations

import json
from pathlib import Path

from convertkit_ascend.atc.command import display
from convertkit_ascend.bundle.names import OPTIONS, REPORT


def remarks(directory: Path) -> tuple[str, ...]:
    """A line on preflight, and the command as a shell takes it; nothing where a file is gone."""
    try:
        found = json.loads((directory / REPORT).read_text(encoding="utf-8"))
        argv = json.loads((directory / OPTIONS).read_text(encoding="utf-8"))["command"]
        counts = f"{_count(found['errors'], 'error')}, {_count(found['warnings'], 'warning')}"
        return (f"preflight for {found['soc']}: {counts} ({REPORT})", display(argv))
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
