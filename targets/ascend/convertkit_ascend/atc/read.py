"""From plain data - a specification, a command line, a bundle's file - to typed options of ATC."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from convertkit.api import errors, targets
from convertkit_ascend.atc import checks
from convertkit_ascend.atc.options import AtcOptions
from convertkit_ascend.atc.shapes import parse_shapes


def options_from(values: Mapping[str, Any]) -> AtcOptions:
    """Options by name; lists for tuples, or text in ATC's own notation where it has one (``1,2,4``).

    Raises:
        UnknownNameError: no such option; points to the nearest.
        UsageError: as :class:`AtcOptions`; a value of another type; ``soc_version`` is missing.
    """
    types = option_types()
    for name in values:
        if name not in types:
            raise errors.UnknownNameError("ATC option", name, types)
    if "soc_version" not in values:
        raise targets.UsageError("ATC options: soc_version is missing", hint="write soc_version: Ascend310P3")
    hints = get_type_hints(AtcOptions)
    return AtcOptions(**{name: _value(name, value, hints[name]) for name, value in values.items()})


def option_types() -> dict[str, str]:
    """Every option and what its value is, for people."""
    hints = get_type_hints(AtcOptions)
    return {field.name: _text(field.name, hints[field.name]) for field in dataclasses.fields(AtcOptions)}


def _value(name: str, value: Any, hint: Any) -> Any:
    if name == "input_shape":
        return parse_shapes(str(value))
    if value is None and "null" in checks.CHOICES.get(name, ()):
        value = "null"  # a word of ATC's, which YAML takes for nothing
    if isinstance(value, str) and name in _NOTATIONS:
        value = _NOTATIONS[name](value)
    _refuse_unknown_fields(name, value, hint)
    try:
        return msgspec.convert(value, hint, strict=False)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at ")
        within = place.strip("`").removeprefix("$")
        raise targets.UsageError(
            f"ATC option {name}{within} is {value!r}", hint=f"{what[:1].lower()}{what[1:]}"
        ) from error


def _refuse_unknown_fields(name: str, value: Any, hint: Any) -> None:
    """msgspec leaves out what a dataclass does not know; a misspelt key would be lost without a word."""
    record = _record(hint)
    entries = value if isinstance(value, list | tuple) else [value]
    for entry in entries if record else ():
        known = [field.name for field in dataclasses.fields(record)]
        for key in entry if isinstance(entry, Mapping) else ():
            if key not in known:
                raise errors.UnknownNameError(f"key of ATC option {name}", str(key), known)


def _record(hint: Any) -> Any:
    """The dataclass in a hint such as ``Mixlist | None`` or ``tuple[CustomDtype, ...]``."""
    if dataclasses.is_dataclass(hint):
        return hint
    return next((found for inner in get_args(hint) if (found := _record(inner))), None)


def _profiles(text: str) -> list[list[str]]:
    return [part.split(",") for part in text.split(";")]


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


_NOTATIONS: dict[str, Callable[[str], Any]] = {
    "dynamic_batch_size": lambda text: text.split(","),
    "dynamic_image_size": _profiles,
    "dynamic_dims": _profiles,
    "out_nodes": _names,
    "input_fp16_nodes": _names,
}


def _text(name: str, hint: Any) -> str:
    """``8``, ``force_fp16 | ...`` or ``[text, ...]``: what may be written."""
    if name == "input_shape":
        return "name:1,3,H,W;other:..."
    if allowed := checks.CHOICES.get(name):
        return " | ".join(map(str, allowed))
    return _type_text(hint)


def _type_text(hint: Any) -> str:
    inner = [item for item in get_args(hint) if item not in (Ellipsis, type(None))]
    if dataclasses.is_dataclass(hint):
        return "{" + ", ".join(field.name for field in dataclasses.fields(hint)) + "}"
    if get_origin(hint) is tuple:
        return "[" + ", ".join(map(_type_text, inner)) + (", ...]" if Ellipsis in get_args(hint) else "]")
    if get_origin(hint) is Mapping:
        return "{" + ": ".join(map(_type_text, inner)) + ", ...}"
    if inner:
        return _type_text(inner[0])
    return {str: "text", int: "number", bool: "true | false"}[hint]
