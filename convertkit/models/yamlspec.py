"""From untrusted YAML to a strict record: every mistake is one line with the file, the key and the nearest key."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar, get_args, get_origin, get_type_hints

import msgspec
import yaml

from convertkit.errors import SpecError, suggestion

R = TypeVar("R", bound=msgspec.Struct)

MAX_BYTES = 1 << 20
"""A specification is a page or two; anything past this is a mistake (or a YAML bomb)."""

MAX_DEPTH = 64
"""Nested mappings and lists of a specification; PyYAML's work grows with the square of the depth."""

MAX_NODES = 20_000
"""Keys and values of a specification: PyYAML takes a second or two for as many."""

MAX_DIGITS = 64
"""Of one number: the cost of some forms (``1:30:00``, in base 60) grows with the square of their length."""

_STUMBLES = (ValueError, LookupError, TypeError, AttributeError, OverflowError)
"""What PyYAML does not catch itself: ``!!bool maybe`` is a KeyError, a date that is none a ValueError."""


class NotPlain(ValueError):
    """A value that YAML or Python knows and JSON does not; the message begins with its key."""


BAD_YAML = (yaml.MarkedYAMLError, NotPlain)
"""What bad text makes of :func:`parse`."""


class _Loader(yaml.SafeLoader):
    """A safe loader with limits, that refuses a key given twice, of which YAML would silently keep the last."""

    depth = nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            self._refuse("YAML aliases are not supported, write the value out")
        self.depth, self.nodes = self.depth + 1, self.nodes + 1
        if self.depth > MAX_DEPTH:
            self._refuse(f"nested more than {MAX_DEPTH} deep")
        if self.nodes > MAX_NODES:
            self._refuse(f"more than {MAX_NODES} keys and values")
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        for key in [key for key, _ in pairs if isinstance(key, yaml.ScalarNode)]:
            if key.value in seen:
                self._refuse(f"key {key.value!r} is given twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except _STUMBLES:
            what = repr(node.value) if isinstance(node, yaml.ScalarNode) else "this"
            self._refuse(f"{what} is no {node.tag.rpartition(':')[2]}", node.start_mark)

    def construct_number(self, node: yaml.ScalarNode) -> int | float:
        if len(node.value) > MAX_DIGITS:
            self._refuse(f"a number of {len(node.value)} characters", node.start_mark)
        whole = node.tag.endswith(":int")
        return self.construct_yaml_int(node) if whole else self.construct_yaml_float(node)

    def _refuse(self, problem: str, mark: yaml.Mark | None = None) -> NoReturn:
        mark = mark or self.peek_event().start_mark  # type: ignore[no-untyped-call]
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


for _kind in ("int", "float"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _Loader.construct_number)


def read_record(path: Path, record: type[R]) -> R:
    """Reads a YAML file into a record.

    Raises:
        SpecError: the file is missing, is not YAML, has an unknown key or a value of the wrong type.
    """
    return to_record(read_yaml(path), record, where=str(path))


def read_yaml(path: Path) -> Any:
    """The plain data of a YAML file (``safe_load``: no tags that run code, and no aliases)."""
    text = _read_text(path)
    try:
        return parse(text)
    except NotPlain as error:
        raise SpecError(f"{path}: {error}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise SpecError(f"{place}: not valid YAML ({error.problem or error.context})") from error


def read_json(path: Path) -> Any:
    """The plain data of a JSON file, under the same limits and errors as :func:`read_yaml`."""
    text = _read_text(path)
    try:
        data = json.loads(text)
        _refuse_unplain(data)
    except NotPlain as error:
        raise SpecError(f"{path}: {error}") from error
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else error
        raise SpecError(f"{path}: not valid JSON ({reason})") from error
    return data


def parse(text: str) -> Any:
    """The plain data of a YAML text: what JSON can say, and nothing else.

    Raises:
        one of :data:`BAD_YAML`: it is none, or holds what has no form in JSON (dates, sets, ``.nan``, keys that are
            no text) or in a file (NUL, ``"\\ud800"``, half of a surrogate pair).
    """
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        lines = text[: error.position].split("\n")
        mark = yaml.Mark("", error.position, len(lines) - 1, len(lines[-1]), None, 0)
        raise yaml.MarkedYAMLError(problem=error.reason, problem_mark=mark) from error
    try:
        data = loader.get_single_data()
    except _STUMBLES as error:  # over an escape beyond Unicode, or a version of thousands of digits
        raise yaml.MarkedYAMLError(problem="cannot be parsed", problem_mark=loader.get_mark()) from error
    _refuse_unplain(data)
    return data


def _read_text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise SpecError(f"{path}: is not a regular file")
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise SpecError(f"{path}: larger than {MAX_BYTES} bytes, this is no specification")
        return content.decode()
    except FileNotFoundError:
        raise SpecError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise SpecError(f"{path}: cannot be read ({error})") from error


def to_record(data: Any, record: type[R], *, where: str) -> R:
    """Plain data as a record; ``where`` begins the error line. Raises as :func:`read_record`."""
    if not isinstance(data, dict):
        raise SpecError(f"{where}: expected a mapping of keys, found {type(data).__name__}")
    _refuse_unknown_keys(data, record, where)
    try:
        return msgspec.convert(data, record)
    except msgspec.ValidationError as error:
        if "enum value" in str(error):
            _refuse_unknown_values(data, record, where)
        text, _, place = str(error).partition(" - at ")
        key = place.replace("`", "").replace("$.", "")
        raise SpecError(f"{where}: {key}: {text}" if key else f"{where}: {text}") from error


def _refuse_unplain(data: Any, place: str = "", depth: int = 0) -> None:
    """Specifications travel as JSON: into keys, jobs of the worker, manifests. ``place`` is the key of ``data``."""
    what = _unplain(data)
    if what or depth > MAX_DEPTH:
        raise NotPlain(f"{place or 'the content'} is {what or 'nested too deep'}")
    if isinstance(data, dict):
        for key, value in data.items():
            if not isinstance(key, str):
                raise NotPlain(
                    f"key {_join(place, key)!r} is {type(key).__name__}, not text; put it in quotes"
                )
            _refuse_unplain(key, f"key {_join(place, key)!r}", depth)
            _refuse_unplain(value, _join(place, key), depth + 1)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            _refuse_unplain(value, f"{place}[{index}]", depth + 1)


def _unplain(data: Any) -> str:
    """What a value is that JSON or the system cannot hold; empty for the others."""
    if isinstance(data, str):
        lone = any("\ud800" <= letter <= "\udfff" for letter in data)
        return "text that is no Unicode" if lone else "text with a NUL character" * ("\0" in data)
    if isinstance(data, float):
        return f"{data}, not a finite number" * (not math.isfinite(data))
    if isinstance(data, int):
        return "a number beyond 64 bits" * (not -(2**63) <= data < 2**63)
    if data is None or isinstance(data, dict | list):
        return ""
    return f"of type {type(data).__name__}, which JSON does not have; put it in quotes"


def _refuse_unknown_keys(data: Any, record: type[msgspec.Struct], where: str) -> None:
    """msgspec names an unknown key, but neither its place nor its neighbours."""
    for path, value, hint in _places(data, record):
        if _is_record(hint) and isinstance(value, dict):
            hints = get_type_hints(hint)
            if wrong := next((key for key in value if key not in hints), None):
                raise SpecError(
                    f"{where}: unknown key {_join(path, wrong)!r}", hint=suggestion(str(wrong), hints)
                )


def _refuse_unknown_values(data: Any, record: type[msgspec.Struct], where: str) -> None:
    """msgspec names a value that is none of those there are, but neither its place nor the others."""
    for path, value, hint in _places(data, record):
        known = get_args(hint)
        if get_origin(hint) is Literal and isinstance(value, str) and value not in known:
            raise SpecError(
                f"{where}: {path}: {value!r} is not known", hint=suggestion(value, filter(None, known))
            )


def _places(data: Any, hint: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Data and type side by side: every value with its key and what it may be."""
    yield path, data, hint
    if _is_record(hint) and isinstance(data, dict):
        hints = get_type_hints(hint, include_extras=True)
        for key in (key for key in data if key in hints):
            yield from _places(data[key], hints[key], _join(path, key))
    elif get_origin(hint) is dict and isinstance(data, dict):
        for key, value in data.items():
            yield from _places(value, get_args(hint)[1], _join(path, key))
    elif get_origin(hint) in (list, tuple) and isinstance(data, list):
        for index, value in enumerate(data):
            yield from _places(value, get_args(hint)[0], f"{path}[{index}]")
    elif get_origin(hint) is not Literal:
        for option in get_args(hint):
            yield from _places(data, option, path)


def _is_record(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct)


def _join(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)
