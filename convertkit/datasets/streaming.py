"""The lists of a COCO annotation file, an entry at a time: no more of the file is held than a piece and an entry.

A file as COCO writes it is JSON in UTF-8, an object whose values are lists. What of it is no entry of a list that was
asked for is put together again and has to be JSON as well, so that nothing passes that a parser would refuse.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from typing import BinaryIO

import msgspec
import numpy as np

PIECE = 1 << 20
"""Bytes that are read at a time."""

MOST_HELD = 64 << 20
"""Bytes of an entry that is not whole yet: every piece copies them, which grows with the square of its length."""

_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_KINDS = np.zeros(256, np.int8)
_KINDS[[*b"[{"]], _KINDS[[*b"]}"]], _KINDS[[*b",:"]] = 1, -1, 2


class UnusualError(Exception):
    """No file as COCO writes it; it may be one in another spelling."""


def entries(stream: BinaryIO, keys: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """The entries of these lists, undecoded, each with the name of its list, in the order of the file.

    Raises:
        UnusualError: the file is no JSON object in UTF-8 with each of the lists once. It may come after entries.
    """
    frame, held, key, within, before = bytearray(), b"", "", "", b""
    seen: list[str] = []
    for piece, events in _events(stream):
        start, text = 0, held + piece
        for at, depth in zip(*events, strict=True):
            end = at + len(held)
            mark, token = text[end : end + 1], text[start:end]
            start = end + 1
            if within:
                if token.strip():
                    yield within, token
                elif b"," in (before, mark):
                    raise UnusualError("a list with nothing between its commas")
                before = mark
                if mark == b",":
                    continue
                within, token = "", b""
            frame += token + mark
            if mark == b":" and depth == 1:
                key = _name(token)
            elif mark == b"[" and depth == 2 and key in keys:
                within, before = key, mark
                seen.append(key)
        held = text[start:]
        if len(held) > MOST_HELD:
            raise UnusualError(f"an entry of more than {MOST_HELD} bytes")
    frame += held
    try:
        msgspec.json.decode(frame, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise UnusualError(str(error)) from error
    if sorted(seen) != sorted(keys):
        raise UnusualError(f"lists {seen}")


def _name(token: bytes) -> str:
    try:
        return msgspec.json.decode(token, type=str)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise UnusualError(str(error)) from error


def _events(stream: BinaryIO) -> Iterator[tuple[bytes, tuple[list[int], list[int]]]]:
    """The pieces of a file, each with the places in it at which the top object or one of its values begins, ends or
    goes on, and how deep the text behind them is: 1 in the object, 2 in a list of its own."""
    depth = quoted = 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    for piece in _pieces(stream):
        try:
            decoder.decode(piece)
        except UnicodeDecodeError as error:
            raise UnusualError(str(error)) from error
        plain = _ESCAPED.sub(b"__", piece) if b"\\" in piece else piece
        letters = np.frombuffer(plain, np.uint8)
        quotes = np.cumsum(letters == ord('"'), dtype=np.int32)
        kinds = _KINDS[letters]
        at = np.flatnonzero((kinds != 0) & ((quotes + quoted) % 2 == 0))
        kinds, quoted = kinds[at], (quoted + int(quotes[-1])) % 2
        depths = depth + np.cumsum(np.where(kinds == 2, 0, kinds), dtype=np.int64)
        depth = int(depths[-1]) if len(depths) else depth
        if depths.min(initial=0) < 0:
            raise UnusualError("more ends than beginnings")
        near = (depths < 2) | (depths == 2) & (kinds != -1)
        yield piece, (at[near].tolist(), depths[near].tolist())


def _pieces(stream: BinaryIO) -> Iterable[bytes]:
    """None ends in the middle of an escaped character."""
    for piece in iter(partial(stream.read, PIECE), b""):
        while (len(piece) - len(piece.rstrip(b"\\"))) % 2 and (more := stream.read(1)):
            piece += more
        yield piece
