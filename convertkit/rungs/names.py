"""What a rung's name means: which graph, run how.

::

    framework                     the framework's own pipeline
    stock                         the stock graph
    after:PASS                    the graph after that pass
    target                        the artifact, on the target itself
    RUNTIME                       the artifact, under one of the target's runtimes
    EMULATION                     the target graph under one of the target's emulations
    SOURCE@EMULATION              stock or after:PASS under an emulation
    ...EMULATION:VARIATION        what the emulation offers to choose from

Without an emulation, stock graphs and graphs after a pass are run by onnxruntime, vendor operators lowered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from convertkit.errors import UnknownNameError, UsageError

Source = Literal["framework", "stock", "after", "final", "target"]
_ORDER: tuple[Source, ...] = ("framework", "stock", "after", "final", "target")
AFTER = "after:"


@dataclass(frozen=True)
class RungName:
    """A parsed rung name.

    Attributes:
        text: as the user wrote it.
        source: the graph: ``final`` is the one after all passes, ``target`` the compiled artifact.
        passes: for ``after``: how many passes of the pipeline have run.
        emulation: of the target; empty for onnxruntime (or the real thing).
        variation: of the emulation.
        runtime: of the target, for ``target``; empty for its own choice.
    """

    text: str
    source: Source
    passes: int = 0
    emulation: str = ""
    variation: str = ""
    runtime: str = ""

    @property
    def _place(self) -> tuple[int, int]:
        return _ORDER.index(self.source), self.passes


def parse_rung(
    text: str, passes: Sequence[str], emulations: Mapping[str, str], runtimes: Iterable[str] = ()
) -> RungName:
    """Reads one name.

    Args:
        passes: the names of the pipeline's passes, in order.
        emulations, runtimes: of the target.

    Raises:
        UnknownNameError: no such rung, pass or emulation. UsageError: an emulation where there is none to have.
    """
    if text in runtimes:
        return RungName(text, "target", runtime=text)
    source, at, rest = text.partition("@")
    if not at:
        emulation, _, variation = text.partition(":")
        if emulation in emulations:
            return RungName(text, "final", len(passes), emulation, variation)
    emulation, _, variation = rest.partition(":")
    if at and emulation not in emulations:
        raise UnknownNameError("emulation", emulation, emulations)
    if source.startswith(AFTER):
        return RungName(text, "after", _count(source.removeprefix(AFTER), passes), emulation, variation)
    if source not in ("framework", "stock", "target"):
        known = ("framework", "stock", "target", *runtimes, *emulations, *(AFTER + name for name in passes))
        raise UnknownNameError("rung", text, known)
    if at and source != "stock":
        raise UsageError(f"rung {text!r}: only stock and {AFTER}PASS can be run under an emulation by name")
    return RungName(text, source, 0, emulation, variation)  # type: ignore[arg-type]


def in_order(rungs: Iterable[RungName]) -> list[RungName]:
    """From the framework down to the target; among equals as given."""
    return sorted(rungs, key=lambda rung: rung._place)


def ladder_of(
    passes: Sequence[tuple[str, str]], emulations: Mapping[str, str], *, compiled: bool = False
) -> list[str]:
    """The names of a whole ladder: stock, after each semantic pass, every emulation, the target.

    Args:
        passes: name and effect of the pipeline's passes, in order.
        compiled: the artifact is whole; without, the target is only there if nothing emulates it.
    """
    semantic = [AFTER + name for name, effect in passes if effect == "semantic"]
    before = _before_semantic(passes)
    last = ("target",) if compiled or not emulations else ()
    return ["stock", *before, *semantic, *emulations, *last]


def _before_semantic(passes: Sequence[tuple[str, str]]) -> list[str]:
    """The last pass before the first semantic one: what the rewrites without a changed meaning give."""
    names = [name for name, _ in passes]
    first = next((index for index, (_, effect) in enumerate(passes) if effect == "semantic"), 0)
    return [AFTER + names[first - 1]] if first else []


def _count(name: str, passes: Sequence[str]) -> int:
    if name not in passes:
        raise UnknownNameError("pass of this pipeline", name, passes)
    return len(passes) - list(reversed(passes)).index(name)
