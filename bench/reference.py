"""Writes docs/reference/: what the code says of itself, as pages of the site (`make site`).

    python -m bench.reference

The pages are not committed. Nothing is written here that stands in the sources: help texts, docstrings,
schemas and the tables of docs/exports.md.
tests/docs/test_reference.py refuses a name without words.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import typer.main

from convertkit import errors
from convertkit.cli import failures
from convertkit.cli.app import app
from convertkit.detection.settings import PostprocessSpec, PreprocessSpec
from convertkit.models import spec
from convertkit.plugins import hookspecs
from convertkit.plugins.loading import open_plugins

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
MADE = "Made by `python -m bench.reference` from the code."


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines) + "\n"


def _cell(text: str) -> str:
    parts = re.sub(r"\s+", " ", text.replace("|", r"\|")).strip().split("`")
    parts[::2] = [part.replace("<", r"\<").replace("__", r"\_\_") for part in parts[::2]]
    return "`".join(parts)


def words(text: str | None) -> str:
    """A docstring as Markdown, a paragraph a line: double backticks and roles become code."""
    plain = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", inspect.cleandoc(text or "")).replace("``", "`")
    return "\n\n".join(re.sub(r"\s*\n\s*", " ", part) for part in plain.split("\n\n"))


def first(text: str | None) -> str:
    return words(text).partition("\n\n")[0]


def page(title: str, intro: str, *parts: str) -> str:
    return "\n".join([f"# {title}\n", f"{MADE} {intro}\n", *parts]).rstrip() + "\n"


def every_command(command: Any, name: str = "convertkit") -> Iterator[tuple[str, Any]]:
    """``(convertkit cache list, command)`` for each that can be run, and ``convertkit`` itself."""
    inner: Mapping[str, Any] = getattr(command, "commands", {})
    if not inner or name == "convertkit":
        yield name, command
    for word, other in inner.items():
        if not other.hidden:
            yield from every_command(other, f"{name} {word}")


def arguments(command: Any) -> Iterator[tuple[str, str, str]]:
    """``(how it is written, default, help)`` of every argument and option."""
    for each in command.params:
        if getattr(each, "hidden", False):
            continue
        option = each.opts[0].startswith("-")
        written = ", ".join(f"`{name}`" for name in (*each.opts, *each.secondary_opts)) if option else ""
        default = "" if callable(each.default) or each.default in (None, False, ()) else f"`{each.default}`"
        yield (
            written or f"`{each.metavar or each.name.upper()}`",
            "required" if each.required else default,
            each.help or "",
        )


def commands() -> str:
    parts = []
    for name, command in every_command(typer.main.get_command(app)):
        help_text = re.sub(r"\s*\n\s*", " ", (command.help or "").partition("\n\n")[0])
        rows = list(arguments(command))
        listed = table(("argument or option", "default", ""), rows) if rows else "It takes no options.\n"
        parts.append(f"## {name}\n\n{help_text}\n\n{listed}")
    return page("Commands", "Every command has `--help` as well.", *parts)


def constraints(cls: Any) -> str:
    said = [
        f"{word} {', '.join(f'`{name}`' for name in names)}"
        for word, names in (("after", cls.after), ("before", cls.before), ("requires", cls.requires))
        if names
    ]
    return "; ".join([f"`{cls.effect}`", f"{cls.subgraphs} the bodies of If, Loop and Scan", *said])


def passes() -> str:
    parts = []
    for entry in open_plugins().passes:
        cls = entry.item
        hints = get_type_hints(cls)
        rows = [
            (f"`{option.name}`", f"`{type_text(hints[option.name])}`", f"`{default_text(option)}`")
            for option in dataclasses.fields(cls)
        ]
        listed = table(("option", "type", "default"), rows) if rows else "No options.\n"
        parts.append(f"## {entry.name}\n\n{words(cls.__doc__)}\n\n*{constraints(cls)}*\n\n{listed}")
    return page(
        "Passes", "The line in italics says the declared effect and what constrains the order.", *parts
    )


def type_text(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) and not hasattr(kind, "__args__") else _plain(str(kind))


def _plain(text: str) -> str:
    return re.sub(r"\b(?:typing|[a-z_]+(?:\.[a-z_]+)*)\.(?=[A-Z])", "", text)


def default_text(option: Any) -> str:
    if option.default is not dataclasses.MISSING:
        return repr(option.default)
    return repr(option.default_factory()) if option.default_factory is not dataclasses.MISSING else "required"


def hooks() -> dict[str, Any]:
    """Every hook that a plugin may implement."""
    return {name: hook for name, hook in vars(hookspecs).items() if hasattr(hook, "convertkit_spec")}


def hooks_page() -> str:
    rows = [
        (f"`{name}({', '.join(inspect.signature(hook).parameters)})`", words(hook.__doc__))
        for name, hook in hooks().items()
    ]
    intro = "How a plugin is written: [plugins](../plugins.md)."
    return page("Hooks", intro, table(("hook", "what it is for"), rows))


def records() -> tuple[type[msgspec.Struct], ...]:
    """The records of ``model.yaml`` and of variant files, the outer first."""
    classes = filter(inspect.isclass, vars(spec).values())
    own = [cls for cls in classes if issubclass(cls, spec.Record) and cls is not spec.Record]
    return (*reversed(own), PreprocessSpec, PostprocessSpec)


def keys() -> str:
    parts = []
    for cls in records():
        rows = [
            (f"`{each.name}`", f"`{_plain(hint)}`", "required" if each.required else f"`{shown(each)}`")
            for each in msgspec.structs.fields(cls)
            for hint in [inspect.get_annotations(_owner(cls, each.name))[each.name]]
        ]
        title = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cls.__name__.removesuffix("Spec"))
        parts.append(
            f"## {title.capitalize()}\n\n{words(cls.__doc__)}\n\n{table(('key', 'type', 'default'), rows)}"
        )
    intro = (
        "A type that ends in `Spec` has a section of its own; other keys than these are refused."
        " `convertkit schema model.yaml` prints the same for editors."
    )
    return page("Keys of model.yaml", intro, *parts)


def _owner(cls: type, name: str) -> type:
    return next(base for base in cls.__mro__ if name in inspect.get_annotations(base))


def shown(each: Any) -> str:
    value = each.default if each.default is not msgspec.NODEFAULT else each.default_factory()
    return f"{type(value).__name__}()" if isinstance(value, msgspec.Struct) else repr(value)


def operators() -> str:
    from bench.reference_operators import every_operator

    intro = (
        "`MulticlassNms` and `MultilevelRoiAlign` are what passes write, whatever the target; the others are Ascend's."
        " A vendor operator has three semantics on the host: *framework* (what mmdet computes in fp32), *ideal* (what"
        " it is defined to compute in fp32) and *device* (what the 310P's kernel computes)."
    )
    return page("Operators", intro, *every_operator())


def known_errors() -> dict[str, type[errors.ConvertkitError]]:
    """Every class of :mod:`convertkit.errors`, by its kind."""
    found = [
        cls
        for cls in vars(errors).values()
        if inspect.isclass(cls) and issubclass(cls, errors.ConvertkitError)
    ]
    return {failures.kind_of(cls.__new__(cls)): cls for cls in found}


def errors_page() -> str:
    from convertkit_ascend.atc.errors.catalogue import codes

    rows = [(f"`{kind}`", str(cls.exit_code), words(cls.__doc__)) for kind, cls in known_errors().items()]
    atc = [
        (f"`{code}`", info.family, info.meaning, info.cause, info.fix)
        for code, info in sorted(codes().items())
    ]
    return page(
        "Errors",
        "What is common to all: [command line](../command-line.md#errors).",
        "## Kinds\n\n" + table(("kind", "exit code", "meaning"), rows),
        "## Codes of ATC\n\nWhat convertkit says of a code when a compilation fails"
        " ([where they were read](../ascend-facts.md#atc-errors)). Never seen on a machine with ATC.\n\n"
        + table(("code", "part", "meaning", "cause", "fix"), atc),
    )


def support() -> str:
    from bench.reference_support import parts

    return page(
        "What is supported",
        "Figures are those of [exports](../exports.md) and of the packages' accuracy specs.",
        *parts(),
    )


PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands,
    "passes.md": passes,
    "hooks.md": hooks_page,
    "model-yaml.md": keys,
    "operators.md": operators,
    "errors.md": errors_page,
    "support.md": support,
}


def write() -> None:
    REFERENCE.mkdir(exist_ok=True)
    for name, make in PAGES.items():
        (REFERENCE / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    write()
    print(f"wrote {len(PAGES)} pages to {REFERENCE.relative_to(ROOT)}")
