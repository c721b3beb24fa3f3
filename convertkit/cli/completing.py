"""What a shell may complete: names that are cheap to know.

Only installed plugins are asked: no TAB runs a file's code.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

import typer

Completer: TypeAlias = Callable[[typer.Context, str], list[str]]

VARIABLE = "_CONVERTKIT_COMPLETE"
"""Set by the shell's script, which ``--show-completion`` prints, while it asks for completions."""


def is_asked(words: Sequence[str]) -> bool:
    """Whether a shell asks, or its script is wanted: typer answers then and ends the program itself."""
    return bool(os.environ.get(VARIABLE)) or words[:1] in (["--install-completion"], ["--show-completion"])


def _names(find: Callable[[typer.Context], Iterable[str]]) -> Completer:
    """Names that begin as the word; none where they cannot be found: a shell has no place for an error."""

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            return [name for name in find(ctx) if name.startswith(incomplete)]
        except Exception:
            return []

    return complete


def _steps(ctx: typer.Context, incomplete: str) -> list[str]:
    """Passes of a pipeline: the last is completed, those in front stay."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in _names(_installed("pass"))(ctx, last)]


def _installed(kind: str) -> Callable[[typer.Context], Iterable[str]]:
    """Passes, targets or packages; where none of these begins so, the shell completes a path."""

    def find(_: typer.Context) -> Iterable[str]:
        from convertkit.api.commands.listing import names

        return names(kind)

    return find


def _variants(ctx: typer.Context) -> Iterable[str]:
    """Of the package, which stands in ``args``: behind an option without its value nothing is told apart yet."""
    from convertkit.api.commands.listing import variants

    return variants(ctx.args[0])


def _rules(ctx: typer.Context) -> Iterable[str]:
    from convertkit.api.commands.listing import rules

    return rules(ctx.params["target"])


def _kinds(ctx: typer.Context) -> Iterable[str]:
    from convertkit.api.commands import listing, show

    return show.KINDS if ctx.info_name == "show" else listing.KINDS


def _named(ctx: typer.Context) -> Iterable[str]:
    """Of ``show KIND NAME``."""
    return _installed(ctx.params["kind"])(ctx)


BY_PARAMETER: Mapping[str, Completer] = {
    "target": _names(_installed("target")),
    "variant": _names(_variants),
    "model": _names(_installed("model")),
    "package": _names(_installed("model")),
    "subject": _names(_installed("model")),
    "passes": _steps,
    "pipeline": _steps,
    "done": _steps,
    "explain": _steps,
    "allow": _names(_rules),
    "tasks": _names(lambda _: ("bbox", "segm", "bbox,segm")),
    "origin": _names(lambda _: ("auto", "stock", "checkpoint")),
    "kind": _names(_kinds),
    "name": _names(_named),
}
"""By the name of a command's parameter, which means the same everywhere."""
