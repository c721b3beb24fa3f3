"""Damage for ``bench.fuzz``: mostly one value of another kind, so that files stay loadable; at times bytes, or no file.

By structure: trees (JSON, YAML), protobuf messages, archives and their members, arrays, pickles by opcode, safetensors,
lines of text. What is no such file any more is damaged by its bytes.
"""

from __future__ import annotations

import io
import json
import os
import pickletools
import random
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from google.protobuf.message import Message

NUMBERS = (0, 1, -1, 2, 7, 20, 2**31 - 1, 2**31, 2**33, 2**62, 2**63 - 1, -(2**31), -(2**63))
TEXTS = (
    "",
    "x",
    "\0",
    "../../escape",
    "/dev/zero",
    "/",
    ".",
    "é\u202e",
    "a" * 5000,
    "float32",
    "-o",
    "nan",
    "\ud800",
)
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
BYTES = (b"\0", b"\xff" * 8, b"[" * 2000, b"{" * 2000, b"\xef\xbb\xbf", b"PK\x03\x04", b"!!python/name:os.system",
         b"\x80\x04.", b"\x1b[2J", b"&a [*a,*a]")  # fmt: skip
OPERATORS = ("Loop", "Concat", "Range", "NonMaxSuppression", "Reshape", "Conv", "Expand", "Tile", "TopK", "If", "Scan",
             "Identity", "Cast", "Gather", "RoiAlign", "Resize", "ConstantOfShape", "QuantizeLinear")  # fmt: skip

Mutate = Callable[[bytes, random.Random], bytes]


def damage(path: Path, rng: random.Random, *, special: bool = True) -> None:
    """Changes a file where it lies: by its structure, where it has one, or its bytes, or what is at that place."""
    if special and rng.random() < 0.03:
        _replace(path, rng)
        return
    data = path.read_bytes()
    mutate = BY_SUFFIX.get(path.suffix, of_bytes)
    if rng.random() < 0.15:
        mutate = of_bytes
    try:
        data = mutate(data, rng)
    except Exception:  # a second change of what is no such file any more
        data = of_bytes(data, rng)
    path.unlink()  # it may be a link to the scene's
    path.write_bytes(data)


def _replace(path: Path, rng: random.Random) -> None:
    """Something else than a file, or a file without a content."""
    path.unlink()
    kind = rng.randrange(7)
    if kind == 0:
        os.mkfifo(path)
    elif kind == 1:
        path.mkdir()
    elif kind == 5:
        path.touch(mode=0)
    elif kind < 5:
        path.symlink_to(("/dev/zero", path.name, "nowhere")[kind - 2])


def _several(rng: random.Random) -> range:
    return range(rng.choice((1, 1, 1, 1, 2, 4)))


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


def of_text(data: bytes, rng: random.Random) -> bytes:
    """Lines and words that are missing, doubled, elsewhere, or others."""
    lines = data.decode(errors="replace").splitlines()
    for _ in _several(rng):
        at = rng.randrange(len(lines))
        kind = rng.randrange(6)
        if kind == 0 and len(lines) > 1:
            del lines[at]
        elif kind == 1:
            lines.insert(rng.randrange(len(lines)), lines[at] * rng.choice((1, 2, 500)))
        else:
            words = re.split(r"(\W+)", lines[at])
            words[rng.randrange(len(words))] = rng.choice(
                (*TEXTS, *map(str, NUMBERS), "|", "]", "(", rng.choice(words))
            )
            lines[at] = "".join(words)
    return "\n".join(lines).encode(errors="surrogatepass")


def of_json(data: bytes, rng: random.Random) -> bytes:
    """Other values and missing keys in a JSON document; infinities and NaN as Python writes them."""
    tree = json.loads(data)
    for _ in _several(rng):
        tree = _of_tree(tree, rng)
    return json.dumps(tree).encode()


def of_yaml(data: bytes, rng: random.Random) -> bytes:
    """The same in a YAML document."""
    tree = yaml.safe_load(data)
    for _ in _several(rng):
        tree = _of_tree(tree, rng)
    return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False).encode(errors="replace")


def _of_tree(tree: Any, rng: random.Random) -> Any:
    """One change somewhere below, found by a random walk; often to a value of the same kind."""
    if not isinstance(tree, (dict, list)) or not tree or rng.random() < 0.05:
        return _like(tree, rng) if rng.random() < 0.5 else rng.choice((*TREES, *NUMBERS, *TEXTS))
    key = rng.choice(list(tree)) if isinstance(tree, dict) else rng.randrange(len(tree))
    kind = rng.random()
    if kind < 0.1:
        del tree[key]
    elif kind < 0.2 and isinstance(tree, list):
        tree.append(tree[key])
    elif kind < 0.2:
        tree[str(rng.choice((*TEXTS, *tree)))] = tree.pop(key)
    else:
        tree[key] = _of_tree(tree[key], rng)
    return tree


def _like(value: Any, rng: random.Random) -> Any:
    """A near value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return rng.choice(
            (value + 1, value - 1, -value, value * 2, value * 1000, value / 2, float(value), str(value))
        )
    if isinstance(value, str):
        return rng.choice(
            (value + "x", value[:-1], value.upper(), f"/{value}", f"../{value}", f" {value}", value * 2)
        )
    return [value, value] if value is None or isinstance(value, list) else {"a": value}


def of_onnx(data: bytes, rng: random.Random) -> bytes:
    """Other numbers, names and types in the fields of a model; fields and nodes that are missing or there twice."""
    model = onnx.ModelProto.FromString(data)
    for _ in _several(rng):
        leaves = list(_leaves(model))
        kind = rng.random()
        if kind < 0.2:
            _of_list(rng.choice([leaf for leaf in leaves if leaf[1].message_type is not None]), rng)
        else:  # a field first, else most changes are in the values of the largest tensor
            scalars = [leaf for leaf in leaves if leaf[1].message_type is None]
            name = rng.choice(sorted({leaf[1].full_name for leaf in scalars}))
            message, field, at = rng.choice([leaf for leaf in scalars if leaf[1].full_name == name])
            names = [getattr(other, field.name) for other, one, _ in scalars if one.full_name == name]
            _set(message, field, at, rng, names)
    return bytes(model.SerializeToString())


def _leaves(message: Message) -> Iterator[tuple[Message, Any, int | None]]:
    """Every field below that is set: its message, its descriptor, and its place where it is repeated."""
    for field, value in message.ListFields():
        for at, one in enumerate(value) if field.is_repeated else [(None, value)]:
            yield message, field, at
            if field.message_type is not None:
                yield from _leaves(one)


def _of_list(leaf: tuple[Message, Any, int | None], rng: random.Random) -> None:
    message, field, at = leaf
    if at is None:
        message.ClearField(field.name)
        return
    values = getattr(message, field.name)
    if rng.random() < 0.5:
        del values[at]
    elif rng.random() < 0.5:
        values.append(values[at])
    else:
        values[at].CopyFrom(rng.choice(list(values)))


def _set(message: Message, field: Any, at: int | None, rng: random.Random, others: list[Any]) -> None:
    holder = getattr(message, field.name)
    value = holder if at is None else holder[at]
    other = rng.choice(others)
    other = other if at is None or not len(other) else rng.choice(list(other))
    new = other if rng.random() < 0.3 else _scalar(value, rng)
    try:
        if at is None:
            setattr(message, field.name, new)
        else:
            holder[at] = new
    except (ValueError, TypeError):  # the field holds less
        message.ClearField(field.name)


def _scalar(value: Any, rng: random.Random) -> Any:
    if isinstance(value, bytes):
        if len(value) % 4 == 0 and value and rng.random() < 0.7:  # one element
            out = bytearray(value)
            width = 8 if len(value) % 8 == 0 and rng.random() < 0.5 else 4
            at = rng.randrange(len(value) // width) * width
            number = rng.choice((0, 1, 2, 3, 7, 100, 2**31 - 1, 2 ** (8 * width) - 1, 0x7FC00000, 2**30))
            out[at : at + width] = number.to_bytes(width, "little")
            return bytes(out)
        return of_bytes(value, rng)
    if isinstance(value, str):
        return rng.choice((*TEXTS[:-1], *OPERATORS, value + "x"))
    if isinstance(value, float):
        return rng.choice((0.0, -1.0, float("nan"), float("inf"), 1e38, value / 2, -value, value * 100))
    if rng.random() < 0.6:
        return rng.choice((value + 1, value - 1, -value, value * 2, 0, 1))
    small = [number for number in NUMBERS if -(2**31) <= number < 2**31]
    return rng.choice(small if abs(value) < 2**7 and rng.random() < 0.5 else NUMBERS)


def of_npy(data: bytes, rng: random.Random) -> bytes:
    """Another element type, shape or order, values that are none, and a header that lies."""
    array = np.load(io.BytesIO(data))
    kind = rng.randrange(6)
    if kind == 0:
        types = ("f2", "f8", ">f4", "i1", "u8", "?", "S3", "U2", "c8", "M8[s]", "V5")
        array = array.astype(rng.choice(types))
    elif kind == 1:
        array = rng.choice(
            (array[:0], array[None], array.ravel(), np.asfortranarray(array), array[..., :1], array.T)
        )
    elif kind == 2 and array.size and array.dtype.kind == "f":
        array = array.copy()
        array.flat[rng.randrange(array.size)] = rng.choice((np.nan, np.inf, -np.inf, 1e30, -1))
    elif kind == 3:
        fortran = rng.choice((b"True", b"False", b"None", b"1"))
        return data.replace(b"False", fortran.ljust(5))
    elif kind == 4:
        head = 10 + struct.unpack("<H", data[8:10])[0]
        return data[:10] + of_text(data[10 : head - 1], rng) + b"\n" + data[head:]
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def of_pickle(data: bytes, rng: random.Random) -> bytes:
    """Opcodes that are missing, doubled, exchanged, or have another argument."""
    starts = [place for _, _, place in pickletools.genops(data) if place is not None]
    ops = [data[one:two] for one, two in zip(starts, [*starts[1:], len(data)], strict=True)]
    for _ in _several(rng):
        at, other = rng.randrange(len(ops)), rng.randrange(len(ops))
        kind = rng.randrange(5)
        if kind == 0:
            del ops[at]
        elif kind == 1:
            ops.insert(at, ops[other])
        elif kind == 2:
            ops[at] = ops[other]
        elif kind == 3:
            ops[at] = ops[at][:1] + rng.randbytes(len(ops[at]) - 1)
        else:
            ops[at] = rng.choice(
                (
                    b"cos\nsystem\n",
                    b"R",
                    b"b",
                    b"0",
                    b"2",
                    b".",
                    b"J\xff\xff\xff\x7f",
                    b"\x8b\xff\xff\xff\x7f",
                )
            )
    return b"".join(ops)


def of_safetensors(data: bytes, rng: random.Random) -> bytes:
    """Another header, or another length of it."""
    length = struct.unpack("<Q", data[:8])[0]
    header = of_json(data[8 : 8 + length], rng)
    said = rng.choice((len(header),) * 6 + (0, len(header) + 1, 2**31, 2**63))
    return struct.pack("<Q", said) + header + data[8 + length :]


def of_zip(data: bytes, rng: random.Random) -> bytes:
    """Members damaged, renamed, doubled, packed otherwise; or the archive's own bytes."""
    if rng.random() < 0.15:
        return of_bytes(data, rng)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as archive:
        names = source.namelist()
        chosen = rng.choice(names)
        for name in names:
            content = source.read(name)
            method = zipfile.ZIP_STORED
            if name == chosen:
                kind = rng.randrange(10)
                if kind == 0:
                    continue
                mutate = BY_SUFFIX.get(Path(name).suffix, of_bytes)
                content = mutate(content, rng) if kind > 2 else content
                method = rng.choice((zipfile.ZIP_STORED,) * 4 + (zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))
                if kind == 1:
                    name = rng.choice([text for text in TEXTS[:-1] if text] + names)
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return out.getvalue()


BY_SUFFIX: dict[str, Mutate] = {
    ".onnx": of_onnx, ".json": of_json, ".yaml": of_yaml, ".zip": of_zip, ".npz": of_zip, ".pth": of_zip,
    ".npy": of_npy, ".pkl": of_pickle, ".safetensors": of_safetensors, ".txt": of_text, ".info": of_text,
    ".jsonl": of_text, ".sh": of_text, ".cfg": of_text,
}  # fmt: skip
