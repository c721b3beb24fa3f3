"""What a file is that was given for COCO annotations and is something else: by its first bytes, with the way out."""

from __future__ import annotations

import json
import re

HEAD = 1024
"""Bytes that are looked at."""

_UNPACK = "unpack it"
_EXPORT = "export as COCO JSON"

_SIGNS = (
    (rb"\x1f\x8b", "a gzip file", _UNPACK),
    (rb"PK(\x03\x04|\x05\x06)", "a zip archive", _UNPACK),
    (rb"BZh|\xfd7zXZ|\x28\xb5\x2f\xfd|7z\xbc\xaf|Rar!|\x04\x22\x4d\x18", "a compressed file", _UNPACK),
    (rb"(?s:.{257})ustar", "a tar archive", _UNPACK),
    (rb"\x80[\x02-\x05]|\x93NUMPY", "data of Python (a pickle or an array)", _EXPORT),
    (rb"PAR1|\x89HDF|SQLite format 3\0", "a table or a database", _EXPORT),
    (rb"\x89PNG|\xff\xd8\xff|GIF8|BM.{4}\0\0\0\0|%PDF", "an image", "name the annotations"),
    (rb"version https://git-lfs", "a pointer of Git LFS, not the file", "git lfs pull"),
    (rb"\s*(?i:<!doctype html|<html)", "a web page", "download the file itself"),
    (rb"(?s:\s*<.*<annotations\b)|\s*<annotations\b", "CVAT's XML", _EXPORT),
    (rb"(?s:\s*<.*<annotation\b)|\s*<annotation\b", "Pascal VOC XML", _EXPORT),
    (rb"\s*<", "XML", _EXPORT),
    (rb"\s*\d+([ \t]+[-+.\deE]+){4,}[ \t]*(\r|\n|\Z)", "YOLO labels", _EXPORT),
    (rb"\s*[\{\[][\s\{\[]*'", "a Python literal, whose quotes are ' and not \"", "write it with json.dump"),
    (rb"\s*(//|/\*|#.*\n\s*[\{\[])", "JSON with comments", "take them out"),
    (rb"\s*(---|-[ ]|#.*\n|[\w-]+:(\s|\Z))", "YAML", _EXPORT),
    (rb"(?![\s\0\xfe\xff]*[\{\[])[^\{\[\r\n]*[,;\t][^\r\n]*[,;\t]", "a table (CSV)", _EXPORT),
)


def sign_of(data: bytes) -> tuple[str, str] | None:
    """What a file is by its first bytes, and the way out; None for what begins as JSON does."""
    head = data[:HEAD].removeprefix(b"\xef\xbb\xbf")
    return next(((what, way) for pattern, what, way in _SIGNS if re.match(pattern, head)), None)


def is_lines(text: str) -> bool:
    """Whether a text that is no JSON has one JSON object in its first line, and more behind it."""
    line, _, more = text.strip().partition("\n")
    try:
        return bool(more) and isinstance(json.loads(line.rstrip(", \r")), dict)
    except (ValueError, RecursionError):
        return False
