"""From untrusted YAML to a strict record: every mistake is one line with the file, the key and the nearest key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec
import yaml

from convertkit.errors import SpecError, suggestion

R = TypeVar("R", bound=msgspec.Struct)

MAX_BYTES = 1 << 20
"""A specification is a page or two; anything past this is a mistake (or a YAML bomb)."""

BAD_YAML = (yaml.YAMLError, RecursionError, ValueError, LookupError, TypeError, AttributeError)
"""What bad text makes of :func:`parse`: PyYAML's own errors, and what its constructors stumble over: ``!!bool maybe``
is a KeyError, a date that is none a ValueError."""


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses a key given twice, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key in [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key.value!r} is given twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_record(path: Path, record: type[R]) -> R:
    """Reads a YAML file into a record.

    Raises:
        SpecError: the file is missing, is not YAML, has an unknown key or a value of the wrong type.
    """
    return to_record(read_yaml(path), record, where=str(path))


def read_yaml(path: Path) -> Any:
    """The plain data of a YAML file (``safe_load``: no tags that run code, and no aliases)."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SpecError(f"{path}: larger than {MAX_BYTES} bytes, this is no specification")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SpecError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: cannot be read ({error})") from error
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise SpecError(f"{path}: YAML aliases are not supported", hint="write the value out")
        return parse(text)
    except BAD_YAML as error:
        mark = getattr(error, "problem_mark", None)
        line = f"{path}:{mark.line + 1}" if mark else str(path)
        raise SpecError(
            f"{line}: not valid YAML ({getattr(error, 'problem', None) or 'cannot be parsed'})"
        ) from error


def parse(text: str) -> Any:
    """The plain data of a YAML text.

    Raises:
        one of :data:`BAD_YAML`: it is none, or holds text that no file can (``"\\ud800"``, half of a surrogate pair).
    """
    data = yaml.load(text, _Loader)
    for found in _texts(data):
        found.encode()
    return data


def to_record(data: Any, record: type[R], *, where: str) -> R:
    """Plain data as a record; ``where`` begins the error line. Raises as :func:`read_record`."""
    if not isinstance(data, dict):
        raise SpecError(f"{where}: expected a mapping of keys, found {type(data).__name__}")
    _refuse_unknown_keys(data, record, where, path="")
    try:
        return msgspec.convert(data, record)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at ")
        key = place.strip("`").removeprefix("$.")
        raise SpecError(f"{where}: {key}: {text}" if key else f"{where}: {text}") from error


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict | list):
        for entry in [*data, *data.values()] if isinstance(data, dict) else data:
            yield from _texts(entry)


def _refuse_unknown_keys(data: Any, hint: Any, where: str, path: str) -> None:
    """Walks data and type side by side: msgspec names an unknown key, but neither its place nor its neighbours."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct) and isinstance(data, dict):
        hints = get_type_hints(hint)
        for key, value in data.items():
            if key not in hints:
                raise SpecError(
                    f"{where}: unknown key {_join(path, key)!r}", hint=suggestion(str(key), hints)
                )
            _refuse_unknown_keys(value, hints[key], where, _join(path, key))
        return
    if get_origin(hint) is dict and isinstance(data, dict):
        for key, value in data.items():
            _refuse_unknown_keys(value, get_args(hint)[1], where, _join(path, key))
        return
    for option in get_args(hint):
        _refuse_unknown_keys(data, option, where, path)


def _join(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)
