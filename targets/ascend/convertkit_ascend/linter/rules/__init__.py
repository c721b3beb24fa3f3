"""The rules. What a file in this directory defines by ``rule`` or ``limit`` is one, and nothing else has to know it."""

from __future__ import annotations

import functools
import importlib
import itertools
import pkgutil
from collections.abc import Iterator
from typing import Any

from convertkit.api import targets
from convertkit_ascend.linter.rule import Limit, Rule, T
from convertkit_ascend.linter.view import Node, View

ORDER = (
    *("file", "keys", "names", "edges", "constants", "interface", "input_shape", "dead"),
    *("outputs", "vendor", "support"),
    *("graph", "node_names", "operators", "attribute_limits", "input_limits", "operator_limits"),
    *("attributes", "types", "shapes", "resize", "own_domain"),
)
"""The order in which findings are told, file by file and in each from top to bottom; other files come last."""


@functools.cache
def every() -> tuple[Rule[Any] | Limit, ...]:
    """All of them, in the order in which their findings are told."""
    files = sorted(item.name for item in pkgutil.iter_modules(__path__))
    files.sort(key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in files]
    values = [value for module in modules for value in vars(module).values()]
    return tuple(dict.fromkeys(value for value in values if isinstance(value, Rule | Limit)))


def about(sees: type[T]) -> tuple[Rule[T], ...]:
    """Those that look at something."""
    return tuple(item for item in every() if isinstance(item, Rule) and item.sees is sees)


@functools.cache
def catalogue() -> tuple[targets.LintRule, ...]:
    """What is to be known of each, by id."""
    found = {item.about.id: item.about for item in sorted(every(), key=lambda item: isinstance(item, Rule))}
    return tuple(found[name] for name in sorted(found))


def of_graph(view: View) -> Iterator[targets.LintFinding]:
    """What the rules about a typed graph and its nodes find, and the limits of the table."""
    for sees, together in itertools.groupby(every(), lambda item: getattr(item, "sees", Limit)):
        rules: list[Any] = list(together)
        if sees is Limit:
            yield from _limits(view, {item.kind: item for item in rules})
        for seen in {View: (view,), Node: view.nodes}.get(sees, ()):
            yield from (found for rule in rules for found in rule.findings(seen))


def _limits(view: View, kinds: dict[str, Limit]) -> Iterator[targets.LintFinding]:
    for node in view.nodes:
        for check in node.checks:
            holds = check.severity != "info" and check.opset_min <= view.opset <= check.opset_max
            if holds and check.kind in kinds:
                yield from kinds[check.kind].findings(node, check)
