"""``convertkit show``: everything about one pass, target or model."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convertkit.cli.options import JsonOption, PluginOption, choice, located, open_all
from convertkit.cli.ui import print_json, tell_of_code

if TYPE_CHECKING:
    from convertkit.plugins.loading import Plugins

KINDS = ("pass", "target", "model")


def show(
    kind: Annotated[str, typer.Argument(help="pass, target or model.", metavar="KIND")],
    name: Annotated[
        str, typer.Argument(help="Its name; for a model also the package's directory.", metavar="NAME")
    ],
    plugin: PluginOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show all about one pass, target or model package."""
    choice(kind, "show", KINDS)
    data = {"pass": _pass, "target": _target, "model": _model}[kind](open_all(plugin), name)
    if as_json:
        print_json(data)
    else:
        _print(data)


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


def _model(plugins: Plugins, name: str) -> dict[str, Any]:
    from convertkit.models.package import describe
    from convertkit.plugins.packages import open_package

    root = located(name)
    tell_of_code(root)
    package = open_package(root, plugins)
    return {"model": str(package.root), **describe(package.spec)}


def _type_name(hint: Any) -> str:
    return getattr(hint, "__name__", None) if isinstance(hint, type) else str(hint).replace("typing.", "")  # type: ignore[return-value]


def _print(data: dict[str, Any], indent: str = "") -> None:
    """Key and value lines, nested mappings indented; the help text last and as it is."""
    for key, value in data.items():
        if key == "help":
            continue
        if isinstance(value, dict) and value:
            print(f"{indent}{key}:")
            _print(value, indent + "  ")
        elif value not in ([], {}, ""):
            text = ", ".join(str(item) for item in value) if isinstance(value, (list, tuple)) else value
            print(f"{indent}{key}: {text}")
    if data.get("help"):
        print(f"\n{data['help']}")
