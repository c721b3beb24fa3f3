"""The three lists of a COCO annotation file, out of whatever encoding and spelling of JSON it has."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec

from convertkit.datasets.faults import few, quoted
from convertkit.datasets.foreign import is_lines, sign_of
from convertkit.errors import SpecError, UsageError
from convertkit.storage.reading import read_file
from convertkit.storage.urls import Where

MOST_BYTES = 4 << 30
"""COCO's own largest file has half a GB."""

LISTS = ("images", "categories", "annotations")

EXPECTED = f"expected a COCO instances file with {', '.join(LISTS)}"


def explain(error: msgspec.ValidationError) -> str:
    """msgspec's complaint with the place first: ``images[3].id: Expected `int`, got `str```."""
    text, _, place = str(error).partition(" - at ")
    key = place.strip("`").removeprefix("$").removeprefix(".")
    return f"{key}: {text}" if key else text


@contextlib.contextmanager
def named() -> Iterator[None]:
    """Which file is missing, where one is."""
    try:
        yield
    except UsageError as error:
        error.message = error.message.replace("no such file", "no such annotation file")
        raise


def _text(path: Where, file: Path) -> str:
    """The file's text: UTF-8, or what a byte order mark tells."""
    data = read_file(file, most=MOST_BYTES)
    if sign := sign_of(data):
        raise SpecError(f"{path}: {sign[0]}; {EXPECTED}", hint=sign[1])
    encoding = json.detect_encoding(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        name = encoding.removesuffix("-sig").upper()
        raise SpecError(f"{path}: not {name} (byte {error.start})", hint="save it as UTF-8") from error


def read_lists(path: Where, file: Path) -> dict[str, list[msgspec.Raw]]:
    """The three lists of the file, their entries undecoded.

    Args:
        path: what errors name. file: where it is to be read.

    Raises:
        UsageError: the file is missing or cannot be read.
        SpecError: it is not JSON, or has not these lists.
    """
    text = _text(path, file)
    try:
        try:
            top = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            top = msgspec.json.decode(_with_constants(text), type=dict[str, msgspec.Raw])
    except msgspec.ValidationError as error:
        raise SpecError(f"{path}: {explain(error)}", hint=f"{EXPECTED}{_entries(text)}") from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        if is_lines(text):
            raise SpecError(
                f"{path}: a JSON object in each line; {EXPECTED}", hint="export as COCO JSON"
            ) from error
        raise SpecError(f"{path}: not a JSON file ({error})", hint=EXPECTED) from error
    for key in LISTS:
        if key not in top:
            raise SpecError(
                f"{path}: Object missing required field `{key}`",
                hint=f"{EXPECTED}; its keys are {_keys(top)}",
            )
    return {key: _list(path, key, top[key]) for key in LISTS}


def _keys(entry: Collection[str]) -> str:
    return few([quoted(key) for key in sorted(entry)]) or "none"


def _entries(text: str) -> str:
    """Of a list, what its entries are: results of a detector, or what another tool writes."""
    try:
        first = msgspec.json.decode(text, type=list[dict[str, msgspec.Raw]])[:1]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return ""
    if not first or "score" in first[0]:
        return "; are these results?"
    return f"; its entries have the keys {_keys(first[0])}"


def _list(path: Where, key: str, raw: msgspec.Raw) -> list[msgspec.Raw]:
    try:
        return msgspec.json.decode(raw, type=list[msgspec.Raw])
    except msgspec.ValidationError as error:
        raise SpecError(f"{path}: {key}: {explain(error)}") from error


def _with_constants(text: str) -> bytes:
    """As Python's own reader has it, which takes what msgspec does not: NaN and infinities, which become text here,
    so that no number takes them, characters that JSON wants escaped, and halves of a pair, which are no character."""
    value = json.loads(text, strict=False, parse_constant=str, parse_float=_finite)
    plain = json.dumps(value, ensure_ascii=False)
    return plain.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode()


def _finite(text: str) -> float | str:
    return value if math.isfinite(value := float(text)) else text
