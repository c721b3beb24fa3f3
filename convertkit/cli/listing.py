"""``convertkit list``: what is there, by kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convertkit.cli.options import JsonOption, PluginOption, choice, open_all

if TYPE_CHECKING:
    from convertkit.plugins import Plugins

KINDS = ("passes", "targets", "models", "plugins")


def listing(
    kind: Annotated[str, typer.Argument(help="passes, targets, models or plugins.", metavar="KIND")],
    plugin: PluginOption = None,
    root: Annotated[Path, typer.Option("--models", help="Directory whose model packages are listed.")] = Path(
        "models"
    ),
    as_json: JsonOption = False,
) -> None:
    """List passes, targets, models or plugins."""
    from convertkit.cli.ui import print_json, print_table

    choice(kind, "list", KINDS)
    rows = {"passes": _passes, "targets": _targets, "models": _models, "plugins": _plugins}[kind](
        open_all(plugin), root
    )
    if as_json:
        print_json(rows)
    elif rows:
        print_table(list(rows[0]), [list(row.values()) for row in rows])
    else:
        print(
            f"no {kind}"
            + (f" below {root}; a model package is a directory with model.yaml" if kind == "models" else "")
        )


def _passes(plugins: Plugins, root: Path) -> list[dict[str, str]]:
    from convertkit.passes.base import summary

    return [
        {
            "pass": entry.name,
            "effect": entry.item.effect,
            "plugin": entry.plugin,
            "summary": summary(entry.item),
        }
        for entry in plugins.passes
    ]


def _targets(plugins: Plugins, root: Path) -> list[dict[str, str]]:
    from convertkit.targets.base import summary

    return [
        {"target": entry.name, "plugin": entry.plugin, "summary": summary(entry.item)}
        for entry in plugins.targets
    ]


def _models(plugins: Plugins, root: Path) -> list[dict[str, str]]:
    from convertkit.models.package import read_spec

    rows = []
    for path in sorted(root.glob("*/model.yaml")):
        spec = read_spec(path.parent)
        rows += [
            {
                "model": str(path.parent),
                "variant": name,
                "size": "x".join(str(side) for side in variant.size),
                "summary": variant.summary,
            }
            for name, variant in spec.variants.items()
        ]
    return rows


def _plugins(plugins: Plugins, root: Path) -> list[dict[str, Any]]:
    def names(registry: Any, plugin: str) -> str:
        return ", ".join(entry.name for entry in registry if entry.plugin == plugin) or "-"

    return [
        {
            "plugin": name,
            "from": origin,
            "passes": names(plugins.passes, name),
            "targets": names(plugins.targets, name),
        }
        for name, origin in plugins.origins.items()
    ]
