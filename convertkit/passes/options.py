"""The text form of a pass: ``simplify{skip=[fuse_bn_into_conv], fold_limit=2}`` and back.

Text, YAML and instance say the same thing and round-trip; the text is part of every cache key. Values are YAML
flow values (``2``, ``true``, ``[a, b]``, ``{a: b}``, ``"with, comma"``); options at their default are left out.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from typing import Any, TypeVar, get_type_hints

import msgspec
import yaml

from convertkit.errors import UsageError, suggestion
from convertkit.passes.base import Pass

P = TypeVar("P", bound=Pass)

_HEAD = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*(?:\{(.*)\})?\s*", re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_WORDS_YAML_READS_AS_VALUES = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
_OPEN, _CLOSE = "[{(", "]})"


def split_steps(text: str) -> list[str]:
    """Splits a pipeline at its top-level commas: ``a,b{x=[1, 2]}`` -> ``['a', 'b{x=[1, 2]}']``.

    Raises:
        UsageError: brackets or quotes do not close.
    """
    return [part.strip() for part in _split(text) if part.strip()]


def parse_step(text: str) -> tuple[str, dict[str, Any]]:
    """The name and the raw options of one step.

    Raises:
        UsageError: the text is not ``name`` or ``name{key=value, ...}``.
    """
    match = _HEAD.fullmatch(text)
    if match is None:
        raise UsageError(
            f"pass {text!r} cannot be read", hint="write it as name or name{option=value, option=value}"
        )
    name, body = match.groups()
    return name, dict(_option(name, part) for part in _split(body or "") if part.strip())


def build(cls: type[P], options: Mapping[str, Any]) -> P:
    """An instance of a pass from raw option values, typed and checked.

    Raises:
        UsageError: an unknown option, or a value of the wrong type; names the pass and the nearest option.
    """
    hints = get_type_hints(cls)
    known = {option.name for option in dataclasses.fields(cls)}
    values: dict[str, Any] = {}
    for key, value in options.items():
        field = key.replace("-", "_")
        if field not in known:
            raise UsageError(f"pass {cls.name} has no option {key!r}", hint=suggestion(key, known))
        values[field] = _convert(cls.name, key, value, hints[field])
    return cls(**values)


def step_text(step: Pass) -> str:
    """The canonical text of an instance: options in field order, defaults left out."""
    own = ((option, getattr(step, option.name)) for option in dataclasses.fields(step))
    return text_of(step.name, {option.name: value for option, value in own if value != _default(option)})


def text_of(name: str, options: Mapping[str, Any]) -> str:
    """The text of a step, as :func:`parse_step` reads it."""
    parts = [f"{option}={_value_text(value)}" for option, value in options.items()]
    return f"{name}{{{', '.join(parts)}}}" if parts else name


def _option(name: str, part: str) -> tuple[str, Any]:
    key, equals, value = part.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"pass {name}: option {part.strip()!r} has no value", hint="write option=value")
    try:
        return key.strip(), yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise UsageError(
            f"pass {name}: the value of option {key.strip()!r} cannot be read: {value.strip()}"
        ) from error


def _convert(name: str, key: str, value: Any, hint: Any) -> Any:
    try:
        return msgspec.convert(value, hint, strict=False)  # YAML 1.1 reads 1e-5 as text
    except msgspec.ValidationError as error:
        raise UsageError(f"pass {name}: option {key!r}: {error}; got {value!r}") from error


def _default(option: dataclasses.Field[Any]) -> Any:
    if option.default_factory is not dataclasses.MISSING:
        return option.default_factory()
    return option.default


def _value_text(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_value_text(key)}: {_value_text(item)}' for key, item in value.items())}}}"
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value) if isinstance(value, (set, frozenset)) else value
        return f"[{', '.join(map(_value_text, items))}]"
    if not isinstance(value, str):
        return _dumped(value)
    plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS_YAML_READS_AS_VALUES
    return value if plain else _dumped(value, '"')


def _dumped(value: Any, style: str | None = None) -> str:
    """One YAML scalar in one line of printable ASCII."""
    return yaml.safe_dump(value, width=math.inf, default_style=style).partition("\n")[0]


def _split(text: str) -> list[str]:
    parts, depth, quote, start, escaped = [], 0, "", 0, False
    for position, character in enumerate(text):
        if quote:
            closes = character == quote and not escaped
            escaped = character == "\\" and quote == '"' and not escaped
            quote = "" if closes else quote
        elif character in "\"'":
            quote = character
        elif character in _OPEN:
            depth += 1
        elif character in _CLOSE:
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
        if depth < 0:
            break
    if depth != 0 or quote:
        raise UsageError(f"pipeline text {text!r}: brackets or quotes do not close")
    return [*parts, text[start:]]
