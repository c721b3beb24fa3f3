"""``convertkit list``: what is there, by kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from convertkit.cli.options import JsonOption, PluginOption, choice, open_all
from convertkit.cli.tables import print_table
from convertkit.cli.ui import note, print_json
from convertkit.errors import ConvertkitError, UsageError

if TYPE_CHECKING:
    from convertkit.plugins.loading import Plugins
    from convertkit.targets.lint import LintRule

Lister: TypeAlias = "Callable[[Plugins, Path | None], list[dict[str, Any]]]"

KINDS = ("passes", "targets", "models", "plugins", "rules")


def listing(
    kind: Annotated[str, typer.Argument(help="passes, targets, models, plugins or rules.", metavar="KIND")],
    plugin: PluginOption = None,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="Whose rules are listed; default: all.")
    ] = None,
    root: Annotated[
        Path | None, typer.Option("--models", help="List the model packages in this directory alone.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List passes, targets, models, plugins or the rules of convertkit lint."""
    choice(kind, "list", KINDS)
    if target is not None and kind != "rules":
        raise UsageError(f"--target has no use with list {kind}", hint="leave it out")
    plugins = open_all(plugin)
    if kind == "rules":
        rows: list[dict[str, Any]] = _rules(plugins, target)
    else:
        listers: dict[str, Lister] = {
            "passes": _passes,
            "targets": _targets,
            "models": _models,
            "plugins": _plugins,
        }
        rows = listers[kind](plugins, root)
    if as_json:
        print_json(rows)
    elif rows:
        most = max(
            (len(value) for row in rows for value in row.values() if isinstance(value, list)), default=0
        )
        print_table(list(rows[0]), [[_shown(value, most) for value in row.values()] for row in rows])
    else:
        print(
            f"no {kind}"
            + (
                f" below {root}; a model package is a directory with model.yaml"
                if kind == "models" and root
                else ""
            )
        )


def _shown(value: Any, most: int) -> str:
    """What stands in a cell; of many names the first and the number of the others, or that it is all ``most``."""
    if not isinstance(value, list):
        return str(value)
    if len(value) == most > 2:
        return f"all {most}"
    return ", ".join(value[:2]) + (f" and {len(value) - 2} more" if len(value) > 2 else "")


def _rules(plugins: Plugins, target: str | None) -> list[dict[str, Any]]:
    """A row for each rule, however many targets have it."""
    chosen = plugins.targets if target is None else [plugins.targets.entry(target)]
    rules = {entry.name: entry.item.linter.rules() for entry in chosen if entry.item.linter}
    holds: dict[LintRule, list[str]] = {}
    for name, found in rules.items():
        for rule in found:
            holds.setdefault(rule, []).append(name)
    return [
        {"rule": rule.id, "severity": rule.severity, "targets": names, "summary": rule.summary}
        for rule, names in sorted(holds.items(), key=lambda item: item[0].id)
    ]


def _passes(plugins: Plugins, root: Path | None) -> list[dict[str, str]]:
    from convertkit.passes.base import summary

    return [
        {
            "pass": entry.name,
            "effect": entry.item.effect,
            "subgraphs": entry.item.subgraphs,
            "plugin": entry.plugin,
            "summary": summary(entry.item),
        }
        for entry in plugins.passes
    ]


def _targets(plugins: Plugins, root: Path | None) -> list[dict[str, str]]:
    return [
        {"target": entry.name, "plugin": entry.plugin, "summary": entry.item.help}
        for entry in plugins.targets
    ]


def _models(plugins: Plugins, root: Path | None) -> list[dict[str, str]]:
    from convertkit.detection.profiles import size_text
    from convertkit.models.package import read_spec
    from convertkit.models.places import below, packages

    rows, taken = [], set()
    for place in below(root) if root else packages():
        word = str(place.root) if root or place.name in taken else place.name
        taken.add(place.name)
        try:
            spec = read_spec(place.directory())
        except ConvertkitError as error:
            note(f"note: {error}")
            continue
        rows += [
            {
                "model": word,
                "variant": name,
                "size": size_text(variant.size),
                "from": place.origin,
                "summary": variant.summary,
            }
            for name, variant in spec.variants.items()
        ]
    return rows


def _plugins(plugins: Plugins, root: Path | None) -> list[dict[str, Any]]:
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
