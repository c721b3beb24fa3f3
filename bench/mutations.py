"""Damage for ``bench.fuzz``: of bytes, of trees (JSON, YAML), of protobuf messages and of archives."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import yaml
from google.protobuf.message import Message

NUMBERS = (0, 1, -1, 2, 7, 20, 2**31 - 1, 2**31, 2**33, 2**62, 2**63 - 1, -(2**31), -(2**63))
TEXTS = ("", "x", "\0", "../../escape", "/dev/zero", "/", ".", "é\u202e", "a" * 5000, "float32", "-o", "nan")
TREES = (
    None,
    True,
    False,
    [],
    {},
    [[[]]],
    1e400,
    -1e400,
    float("nan"),
    0.5,
    "1",
    1e18,
    10**400,
    ["x"],
    {"x": 1},
)
BYTES = (
    b"\0",
    b"\xff" * 8,
    b"[" * 2000,
    b"{" * 2000,
    b"\xef\xbb\xbf",
    b"PK\x03\x04",
    b"!!python/name:os.system",
    b"\x80\x04.",
)

Mutate = Callable[[bytes, random.Random], bytes]


def of_bytes(data: bytes, rng: random.Random) -> bytes:
    """A few flips, cuts, repetitions and insertions."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(out) + 1)
        length = rng.choice((1, 2, 8, 64, 1024))
        kind = rng.randrange(6)
        if kind == 0 and out:
            out[at % len(out)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del out[at : at + length]
        elif kind == 2:
            out[at:at] = rng.choice(BYTES)
        elif kind == 3:
            out[at:at] = out[at : at + length]
        elif kind == 4:
            out[at : at + length] = rng.randbytes(length)
        elif rng.random() < 0.2:
            del out[at:]
    return bytes(out)


def of_json(data: bytes, rng: random.Random) -> bytes:
    """Other values and missing keys in a JSON document; infinities and NaN as Python writes them."""
    tree = json.loads(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        tree = _of_tree(tree, rng)
    return json.dumps(tree).encode()


def of_yaml(data: bytes, rng: random.Random) -> bytes:
    """The same in a YAML document."""
    tree = yaml.safe_load(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        tree = _of_tree(tree, rng)
    return yaml.safe_dump(tree, allow_unicode=True).encode(errors="replace")


def _of_tree(tree: Any, rng: random.Random) -> Any:
    """One change somewhere below, found by a random walk."""
    if not isinstance(tree, (dict, list)) or not tree or rng.random() < 0.1:
        return rng.choice((*TREES, *NUMBERS, *TEXTS))
    key = rng.choice(list(tree)) if isinstance(tree, dict) else rng.randrange(len(tree))
    kind = rng.random()
    if kind < 0.15:
        del tree[key]
    elif kind < 0.25 and isinstance(tree, list):
        tree.append(tree[key])
    elif kind < 0.25:
        tree[str(rng.choice(TEXTS))] = tree.pop(key)
    else:
        tree[key] = _of_tree(tree[key], rng)
    return tree


def of_onnx(data: bytes, rng: random.Random) -> bytes:
    """Other numbers, names and types in the fields of a model; fields and nodes that are missing or there twice."""
    model = onnx.ModelProto.FromString(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        _of_message(model, rng)
    return bytes(model.SerializeToString())


def _of_message(message: Message, rng: random.Random) -> None:
    fields = message.ListFields()
    if not fields:
        return
    field, value = rng.choice(fields)
    if rng.random() < 0.05:
        message.ClearField(field.name)
    elif field.is_repeated and len(value):
        at = rng.randrange(len(value))
        kind = rng.random()
        if kind < 0.1:
            del value[at]
        elif kind < 0.2:
            value.append(value[at])
        elif field.message_type is not None:
            _of_message(value[at], rng)
        else:
            value[at] = _scalar(value[at], rng)
    elif field.message_type is not None:
        _of_message(value, rng)
    else:
        try:
            setattr(message, field.name, _scalar(value, rng))
        except (ValueError, TypeError):  # the field holds less
            setattr(message, field.name, type(value)())


def _scalar(value: Any, rng: random.Random) -> Any:
    if isinstance(value, bytes):
        return of_bytes(value, rng)
    if isinstance(value, str):
        return rng.choice(
            (*TEXTS, "y", "x", "Loop", "Concat", "Range", "NonMaxSuppression", "Reshape", "Conv")
        )
    if isinstance(value, float):
        return rng.choice((0.0, -1.0, float("nan"), float("inf"), 1e38))
    small = [number for number in NUMBERS if -(2**31) <= number < 2**31]
    return rng.choice(small if abs(value) < 2**7 and rng.random() < 0.5 else NUMBERS)


def of_zip(data: bytes, rng: random.Random) -> bytes:
    """Members damaged, renamed, doubled, packed otherwise; or the archive's own bytes."""
    if rng.random() < 0.4:
        return of_bytes(data, rng)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as archive:
        names = source.namelist()
        chosen = rng.choice(names)
        for name in names:
            content = source.read(name)
            if name == chosen:
                kind = rng.randrange(4)
                content = of_bytes(content, rng) if kind < 2 else content
                name = rng.choice([text for text in TEXTS if text]) if kind == 2 else name
            method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return out.getvalue()


BY_SUFFIX: dict[str, Mutate] = {
    ".onnx": of_onnx, ".json": of_json, ".yaml": of_yaml, ".zip": of_zip, ".npz": of_zip, ".pth": of_zip,
}  # fmt: skip


def damage(path: Path, rng: random.Random) -> None:
    """Changes a file where it lies: by its structure, where it has one, or its bytes."""
    data = path.read_bytes()
    mutate = BY_SUFFIX.get(path.suffix, of_bytes)
    if rng.random() < 0.4:
        mutate = of_bytes
    path.write_bytes(mutate(data, rng))
