"""Everything about one pass, target or model."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from convertkit.api.commands.asking import choice, open_all
from convertkit.api.commands.pages import Block, Shown
from convertkit.api.commands.places import Place, located
from convertkit.conversion.events import ForeignCode, Report, silent

if TYPE_CHECKING:
    from convertkit.plugins.loading import Plugins

KINDS = ("pass", "target", "model")


class Described(Shown, dict[str, Any]):
    """All about a thing, by name."""

    def page(self) -> Iterator[Block]:
        yield from _lines(self)
        if self.get("help"):
            yield f"\n{self['help']}"


def show(kind: str, name: str, *, plugin: Sequence[Place] = (), report: Report = silent) -> Described:
    """All about one pass, target or model package; of a model ``name`` may be its directory."""
    choice(kind, "show", KINDS)
    plugins = open_all(plugin)
    if kind == "model":
        return Described(_model(plugins, name, report))
    return Described((_pass if kind == "pass" else _target)(plugins, name))


def _lines(data: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """Key and value, nested mappings indented; the help text is not among them."""
    for key, value in data.items():
        if key == "help":
            continue
        if isinstance(value, dict) and value:
            yield f"{indent}{key}:"
            yield from _lines(value, indent + "  ")
        elif value not in ([], {}, ""):
            text = ", ".join(str(item) for item in value) if isinstance(value, (list, tuple)) else value
            yield f"{indent}{key}: {text}"


def _pass(plugins: Plugins, name: str) -> dict[str, Any]:
    import dataclasses
    from typing import get_type_hints

    from convertkit.passes.options import step_text

    entry = plugins.passes.entry(name)
    hints = get_type_hints(entry.item)
    options = {
        option.name: f"{_type_name(hints[option.name])} = {getattr(entry.item(), option.name)!r}"
        for option in dataclasses.fields(entry.item)
    }
    return {
        "pass": name,
        "effect": entry.item.effect,
        "subgraphs": entry.item.subgraphs,
        "plugin": entry.plugin,
        "text": step_text(entry.item()),
        "options": options,
        "after": list(entry.item.after),
        "before": list(entry.item.before),
        "requires": list(entry.item.requires),
        "help": inspect.getdoc(entry.item) or "",
    }


def _target(plugins: Plugins, name: str) -> dict[str, Any]:
    entry = plugins.targets.entry(name)
    return {
        "target": name,
        "plugin": entry.plugin,
        "pipeline": list(entry.item.pipeline),
        "versions": entry.item.versions(),
        "options": dict(entry.item.option_types()),
        "help": inspect.getdoc(entry.item) or "",
    }


def _model(plugins: Plugins, name: str, report: Report) -> dict[str, Any]:
    from convertkit.models.package import describe
    from convertkit.plugins.packages import open_package

    root = located(name)
    report(ForeignCode(root))
    package = open_package(root, plugins)
    return {"model": str(package.root), **describe(package.spec)}


def _type_name(hint: Any) -> str:
    return getattr(hint, "__name__", None) if isinstance(hint, type) else str(hint).replace("typing.", "")  # type: ignore[return-value]
