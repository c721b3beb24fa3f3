"""What is there, by kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convertkit.api.commands.asking import choice, open_all
from convertkit.api.commands.pages import Block, Shown, Table
from convertkit.api.commands.places import Place
from convertkit.conversion.events import Note, Report, silent
from convertkit.errors import ConvertkitError, UsageError

if TYPE_CHECKING:
    from convertkit.plugins.loading import Plugins
    from convertkit.targets.lint import LintRule

KINDS = ("passes", "targets", "models", "plugins", "rules")


class Listed(Shown, list[dict[str, Any]]):
    """A row for each thing, by the names of its columns."""

    nothing = ""
    """What is said where there is no row."""

    def page(self) -> Iterator[Block]:
        if not self:
            yield self.nothing
            return
        most = max(
            (len(value) for row in self for value in row.values() if isinstance(value, list)), default=0
        )
        yield Table(list(self[0]), [[_shown(value, most) for value in row.values()] for row in self])


def listing(
    kind: str,
    *,
    target: str | None = None,
    root: Path | None = None,
    plugin: Sequence[Place] = (),
    report: Report = silent,
) -> Listed:
    """Lists things of a kind.

    Args:
        target: whose rules are listed; all by default.
        root: only model packages in this directory.
    """
    choice(kind, "list", KINDS)
    if target is not None and kind != "rules":
        raise UsageError(f"--target has no use with list {kind}", hint="leave it out")
    plugins = open_all(plugin)
    if kind == "rules":
        return Listed(_rules(plugins, target))
    if kind == "models":
        found = Listed(_models(root, report))
    else:
        found = Listed({"passes": _passes, "targets": _targets, "plugins": _plugins}[kind](plugins))
    below = (
        f" below {root}; a model package is a directory with model.yaml" if kind == "models" and root else ""
    )
    found.nothing = f"no {kind}{below}"
    return found


def names(kind: str) -> Iterable[str]:
    """Of passes, targets or model packages that are installed: no file's code is run."""
    from convertkit.models.places import packages

    if kind == "model":
        return sorted({place.name for place in packages()})
    plugins = open_all(())
    return [entry.name for entry in (plugins.passes if kind == "pass" else plugins.targets)]


def variants(model: str) -> Iterable[str]:
    """Names of a package's variants."""
    from convertkit.models.package import read_spec
    from convertkit.models.places import locate

    return read_spec(locate(model)).variants


def rules(target: str) -> Iterable[str]:
    """Names of the rules of a target's linter."""
    from convertkit.targets.capabilities import linter_of

    return [rule.id for rule in linter_of(open_all(()).targets.get(target)).rules()]


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


def _passes(plugins: Plugins) -> list[dict[str, str]]:
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


def _targets(plugins: Plugins) -> list[dict[str, str]]:
    return [
        {"target": entry.name, "plugin": entry.plugin, "summary": entry.item.help}
        for entry in plugins.targets
    ]


def _models(root: Path | None, report: Report) -> list[dict[str, str]]:
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
            report(Note(str(error)))
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


def _plugins(plugins: Plugins) -> list[dict[str, Any]]:
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
