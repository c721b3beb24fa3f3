"""What is asked of a build, and what a person hears of it before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convertkit.api.commands import asking
from convertkit.cli.ui import BuildView

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest


def request_of(model: Path, plugin: Sequence[Path] | None, **words: Any) -> BuildRequest:
    """As :func:`convertkit.api.commands.asking.request_of`."""
    return asking.request_of(model, plugin, report=BuildView(), **words)


def requests_of(model: Path, plugin: Sequence[Path] | None, **words: Any) -> tuple[BuildRequest, ...]:
    """As :func:`convertkit.api.commands.asking.requests_of`."""
    return asking.requests_of(model, plugin, report=BuildView(), **words)
