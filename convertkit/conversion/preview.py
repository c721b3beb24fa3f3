"""What a build would do: its steps, their keys, and which of them are there already. Nothing is run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from msgspec import Struct

from convertkit.conversion.compiled import settled_key
from convertkit.conversion.layout import is_current
from convertkit.conversion.planning import is_as_asked, plan
from convertkit.conversion.request import BuildRequest
from convertkit.conversion.store import Store

State = Literal["cached", "to check", "to do"]


class PreviewStep(Struct, frozen=True):
    """One step of a build to come.

    Attributes:
        kind: ``stock``, ``pass`` or ``compile``.
        name: the pass's canonical text, or the target's name.
        key: what the store would keep it under.
        state: ``cached``: the store has it. ``to check``: only its check is missing. ``to do``: it would be made.
        effect, after, before, requires: as the pass declares them; empty for the other steps.
    """

    kind: str
    name: str
    key: str
    state: State
    effect: str = ""
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()


class Preview(Struct, frozen=True):
    """A build to come; ``state`` is that of the artifact's ``directory``: ``up to date`` or ``to be written``."""

    directory: str
    state: Literal["up to date", "to be written"]
    steps: tuple[PreviewStep, ...]


def preview(request: BuildRequest, output: Path, *, notice: Callable[[str], object]) -> Preview:
    """Looks every step up.

    Args:
        notice: told in one line when the store drops a damaged entry.
    """
    store, found, whole = Store(notice=notice), [], True
    passes = iter(request.pipeline.steps)
    steps = plan(request)
    for step in steps:
        known = store.find(step.key) is not None
        whole = whole and known  # passes after a gap run again
        cached = known if step.kind == "compile" else whole
        item = next(passes) if step.kind == "pass" else None
        declared = (item.effect, item.after, item.before, item.requires) if item else ()
        checked = not step.check or store.find(step.check) is not None
        state: State = "to do" if not cached else "cached" if checked else "to check"
        found.append(PreviewStep(step.kind, step.name, step.key, state, *declared))
    current = is_current(output, settled_key(request, output, steps[-1].facts, steps[-2].key))
    settled = current is not None and is_as_asked(current, request, steps)
    return Preview(str(output), "up to date" if settled else "to be written", tuple(found))
