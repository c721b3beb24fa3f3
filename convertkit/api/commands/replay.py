"""A manifest's chain of hashes, followed, and on request walked again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from convertkit.api.commands.asking import open_all
from convertkit.api.commands.pages import Block, Judged, Shown
from convertkit.api.commands.places import Place, located
from convertkit.conversion.events import Report, silent
from convertkit.conversion.replay import Finding
from convertkit.errors import ConvertkitError


class Replays(Shown, Struct, frozen=True):
    """``ok``: all findings are."""

    ok: bool
    findings: list[Finding]

    def page(self) -> Iterator[Block]:
        for finding in self.findings:
            yield Judged("ok  " if finding.ok else "BAD ", finding.what)

    def require(self, manifest: Path) -> None:
        """Raises ConvertkitError where one is not."""
        if broken := [finding for finding in self.findings if not finding.ok]:
            failed = f"{len(broken)} of {len(self.findings)} checks fail, first: {broken[0].what}"
            error = ConvertkitError(f"{manifest}: {failed}")
            error.exit_code = 1
            raise error


def manifest_at(place: Path) -> Path:
    """The manifest of an artifact, or the file itself."""
    from convertkit.conversion.manifest import NAME

    return place / NAME if place.is_dir() else place


def replay(
    manifest: Path,
    *,
    model: Place | None = None,
    plugin: Sequence[Place] = (),
    report: Report = silent,
    **words: Any,
) -> Replays:
    """Checks an artifact's files against its manifest; with ``model`` builds it again and compares every step.

    Args:
        words: as :func:`~convertkit.conversion.replay.repeat` takes them.
    """
    from convertkit.conversion.replay import check, repeat

    findings = check(manifest)
    if model is not None:
        findings += repeat(manifest, located(str(model)), open_all(plugin), report=report, **words)
    return Replays(all(finding.ok for finding in findings), findings)
