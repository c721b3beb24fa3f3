"""Damage to ONNX models: fields set to anything, messages dropped, doubled and moved."""

from __future__ import annotations

import random
from typing import Any

import onnx
from google.protobuf.message import Message

_NUMBERS = (0, 1, 2, 3, 7, 16, 99, 255, -1, -2, 2**31 - 1, -(2**31), 10**6)
_TEXTS = (
    "",
    "x",
    "y",
    "w",
    "n0",
    "ai.onnx",
    "Relu",
    "Loop",
    "RoiExtractor",
    "BatchMultiClassNMS",
    "a\nb",
    "é\x1b[2J",
)


def spoil(model: onnx.ModelProto, rng: random.Random, times: int) -> None:
    """Changes so many random places of the model."""
    for _ in range(times):
        places = list(_places(model))
        if places:
            _change(*rng.choice(places), rng)


def _places(message: Message) -> list[tuple[Message, Any]]:
    """Every set field of every message in it."""
    found: list[tuple[Message, Any]] = []
    for field, value in message.ListFields():
        found.append((message, field))
        if isinstance(value, Message):
            found += _places(value)
        elif field.message_type is not None:
            for inner in value:
                found += _places(inner)
    return found


def _change(message: Message, field: Any, rng: random.Random) -> None:
    value = getattr(message, field.name)
    try:
        if field.message_type is not None:
            _shuffle(message, field, rng)
        elif hasattr(value, "append"):
            items = list(value)
            rng.choice([items.clear, lambda: items.append(_value(field, rng)), lambda: rng.shuffle(items)])()
            del value[:]
            value.extend(items)
        else:
            setattr(message, field.name, _value(field, rng))
    except (ValueError, TypeError, OverflowError):
        message.ClearField(field.name)  # not a value that the field can hold


def _shuffle(message: Message, field: Any, rng: random.Random) -> None:
    value = getattr(message, field.name)
    if not hasattr(value, "append"):
        message.ClearField(field.name)
        return
    items = [type(item).FromString(item.SerializeToString()) for item in value]
    chosen = rng.randrange(len(items))
    rng.choice([lambda: items.pop(chosen), lambda: items.append(items[chosen]), lambda: rng.shuffle(items)])()
    del value[:]
    value.extend(items)


def _value(field: Any, rng: random.Random) -> Any:
    if field.type == field.TYPE_STRING:
        return rng.choice(_TEXTS)
    if field.type == field.TYPE_BYTES:
        return bytes(rng.randrange(256) for _ in range(rng.randrange(9)))
    return rng.choice(_NUMBERS)
