"""What a bisection says."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Kind = Literal["raises", "invalid", "differs", "accuracy"]
"""The pass raised something; it left a graph that does not hold; the outputs, or the accuracy, left tolerance."""

Criterion = Literal["outputs", "accuracy"]


class Failure(Struct, frozen=True):
    """What is wrong with a pass, in one line for people."""

    kind: Kind
    why: str


class Verdict(Struct, frozen=True):
    """One pass that was looked at.

    Attributes:
        text: the pass, canonical.
        effect: the effect it was judged by.
        ok: whether the graph after it is good.
        detail: what was found.
        unchecked: why there was nothing to compare, or of which outputs; empty where all were compared.
    """

    text: str
    effect: str
    ok: bool
    detail: str
    unchecked: str = ""


class Reproducer(Struct, frozen=True):
    """A directory that shows the failure; it was run again before it is announced.

    Attributes:
        directory: where it lies.
        nodes: of ``before.onnx``; ``whole`` is how many the graph before the pass has.
        why: how the pass fails on it.
        command: what shows it again, run inside the directory.
    """

    directory: str
    nodes: int
    whole: int
    why: str
    command: str


class Bisection(Struct, frozen=True):
    """The result.

    Attributes:
        subject: what was bisected, such as ``maskrcnn mini on cpu``.
        criterion: what was looked at.
        passes: how many passes there are.
        verdicts: the passes that were looked at, in pipeline order.
        culprit: the first pass after which it is wrong, canonical text; None where all hold.
        failure: what is wrong with it.
        reproducer: None where there is no culprit, or where it does not fail on a graph of its own.
    """

    subject: str
    criterion: Criterion
    passes: int
    verdicts: tuple[Verdict, ...]
    culprit: str | None = None
    failure: Failure | None = None
    reproducer: Reproducer | None = None
