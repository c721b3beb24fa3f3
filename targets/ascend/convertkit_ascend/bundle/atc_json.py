"""``atc.json``: the options of a bundle, and the exact command they make."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from convertkit.api import system
from convertkit_ascend.atc import AtcOptions, command, options_from, shapes_text
from convertkit_ascend.bundle.names import OPTIONS

RESULT = "out/model"
"""Where ATC writes, without the suffix; ``model.om`` appears in its place only when it is whole."""


class _File(msgspec.Struct, frozen=True):
    options: dict[str, Any]
    allow: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recorded:
    """What the file says: options for ATC, and rules of preflight that may be broken."""

    options: AtcOptions
    allow: tuple[str, ...] = ()


def text(recorded: Recorded, graph: str) -> str:
    """The file; options that are ATC's own defaults are left out."""
    options = recorded.options
    content = {"options": _plain(options), "command": command(options, graph, RESULT)}
    if recorded.allow:
        content["allow"] = list(recorded.allow)
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def read(directory: Path) -> Recorded:
    """What a bundle says.

    Raises:
        UsageError: the file is missing, damaged, or asks for what ATC does not take.
    """
    path = directory / OPTIONS
    content = system.read_json(path, _File, "the options of a bundle")
    return Recorded(options_from(content.options), content.allow)


def _plain(options: AtcOptions) -> dict[str, Any]:
    found = {}
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        if value != default:
            found[field.name] = msgspec.to_builtins(value)
    if options.input_shape:
        found["input_shape"] = shapes_text(options.input_shape)
    return found
