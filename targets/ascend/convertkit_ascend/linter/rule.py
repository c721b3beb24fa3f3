"""What a rule of the linter is, and the decorators that make one of a function.

A rule is one function in a file under ``rules/``. What is to be known of it stands there and nowhere else: its
docstring's first line says what must hold, the decorator the rest. Listing, documentation and examination find it.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar

import onnx

from convertkit.api import errors, targets
from convertkit_ascend.linter.schemas import kind, label
from convertkit_ascend.linter.subject import Subject
from convertkit_ascend.linter.table import Check, every
from convertkit_ascend.linter.typed import Typed
from convertkit_ascend.linter.view import Node, View

T = TypeVar("T")

Severity = Literal["error", "warning"]
"""``error``: refused, or silently something else. ``warning``: it converts, but slower or unconfirmed."""

GENERAL_FIX = "change the node to meet the limit, or export it another way"

_SHOWN = 3
"""Operators named beside a limit."""


@dataclass(frozen=True)
class Spot:
    """One place that breaks a rule.

    Args:
        where: name of the node, or of the tensor where no node is to blame; empty for the file as a whole.
        why: one line.
        op: operator type of the node.
        fix, severity: instead of the rule's own.
    """

    where: str
    why: str
    op: str = ""
    fix: str = ""
    severity: Severity | None = None

    @classmethod
    def at(
        cls, node: onnx.NodeProto | Node, why: str, fix: str = "", severity: Severity | None = None
    ) -> Spot:
        """A node."""
        proto = node.proto if isinstance(node, Node) else node
        return cls(label(proto), why, kind(proto), fix, severity)


@dataclass(frozen=True)
class Rule(Generic[T]):
    """A rule, and what its check looks at.

    Attributes:
        sees: the type of the check's argument. ``Subject``: the file as it is, before anything is inferred. ``Typed``:
            with types and shapes, and what the chip has. ``View``: the typed graph alone, so that ``legalize-ascend``
            asks it too. ``Node``: one of its nodes; neighbouring rules about nodes are asked node by node.
        hides: rules that would say less about the same place.
        stops: what means nothing once it is broken, so that no rule looks at it.
    """

    about: targets.LintRule
    sees: type[T]
    check: Callable[[T], Iterator[Spot]]
    hides: tuple[str, ...] = ()
    stops: Literal["nothing", "types", "everything"] = "nothing"

    def findings(self, seen: T) -> Iterator[targets.LintFinding]:
        """Every place that breaks it."""
        return (_finding(self.about, spot) for spot in self.check(seen))


@dataclass(frozen=True)
class Limit:
    """A kind of check in the table of operators: what is asked is written there, operator by operator.

    ``check`` gives the reason, or None. It says nothing where a graph leaves open what is asked for: a rank, a size, a
    type or a value that inference cannot tell.
    """

    kind: str
    summary: str
    fix: str
    check: Callable[[Node, Check], str | None]

    @property
    def about(self) -> targets.LintRule:
        """With the operators and the evidence that the table has; remarks of documentation (``info``) are no rule."""
        pairs = [(rule.onnx_op, check) for rule in every().values() for check in rule.checks]
        checks = [(op, check) for op, check in pairs if check.kind == self.kind and check.severity != "info"]
        names = sorted({op for op, _ in checks})
        more = ", ..." if len(names) > _SHOWN else ""
        shown = f" ({', '.join(names[:_SHOWN])}{more})" if names else ""
        bases = ", ".join(sorted({check.basis for _, check in checks})) or "doc"
        return targets.LintRule(
            self.kind.replace("_", "-"),
            "error" if any(check.severity == "error" for _, check in checks) else "warning",
            f"{self.summary.removesuffix('.')}{shown}.",
            self.fix,
            f"onnx_ops.json, checks {self.kind} ({bases})",
        )

    def findings(self, node: Node, check: Check) -> Iterator[targets.LintFinding]:
        """One where the node is outside the limit."""
        why = self.check(node, check)
        if why is not None:
            effect = ", else it runs on AI CPU" if check.effect == "aicpu" else ""
            severity: Severity = "error" if check.severity == "error" else "warning"
            rule = self.kind.replace("_", "-")
            yield targets.LintFinding(node.name, node.op, rule, severity, why + effect, self.fix)


def rule(
    id: str,
    *,
    fix: str,
    source: str,
    severity: Severity = "error",
    hides: tuple[str, ...] = (),
    stops: Literal["nothing", "types", "everything"] = "nothing",
) -> Callable[[Callable[[T], Iterator[Spot]]], Rule[T]]:
    """Makes a function a :class:`Rule`.

    Args:
        id: kebab-case; what ``--allow`` takes.
        fix: what to do, one line.
        source: where it was read, ``[run]`` where the real parser was seen doing it, ``[read]`` where it was only read
            in its source, ``[derived]`` where it is our own conclusion.
    """

    def make(check: Callable[[T], Iterator[Spot]]) -> Rule[T]:
        about = targets.LintRule(id, severity, _summary(check), fix, source)
        return Rule(about, _seen(check), check, hides, stops)

    return make


def also(known: Rule[Any]) -> Callable[[Callable[[T], Iterator[Spot]]], Rule[T]]:
    """Makes a function one more check of a rule, which looks at something else."""
    return lambda check: replace(known, sees=_seen(check), check=check)


def limit(fix: str = GENERAL_FIX) -> Callable[[Callable[[Node, Check], str | None]], Limit]:
    """Makes a function the :class:`Limit` of its name."""
    return lambda check: Limit(check.__name__, _summary(check), fix, check)


def _seen(check: Callable[[T], object]) -> type[T]:
    """The type of its argument; a rule about anything else would never be asked."""
    sees: type[T] | None = next(iter(typing.get_type_hints(check).values()), None)
    if sees is None or sees not in (Subject, Typed, View, Node):
        raise errors.PluginError(
            f"rule {check.__qualname__}: the annotation of its argument is not Subject, Typed, View or Node"
        )
    return sees


def _summary(check: Callable[..., object]) -> str:
    if not check.__doc__:
        raise errors.PluginError(f"rule {check.__qualname__}: no docstring says what must hold")
    return check.__doc__.strip().splitlines()[0]


def _finding(about: targets.LintRule, spot: Spot) -> targets.LintFinding:
    severity = spot.severity or about.severity
    return targets.LintFinding(spot.where, spot.op, about.id, severity, spot.why, spot.fix or about.fix)
