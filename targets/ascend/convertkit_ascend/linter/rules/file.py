"""Rules about the file: its size, and whether it is text where it should be."""

from __future__ import annotations

from collections.abc import Iterator

from convertkit_ascend.linter.read import MOST_BYTES, undecodable
from convertkit_ascend.linter.rule import Spot, rule
from convertkit_ascend.linter.subject import Subject


@rule(
    "file-size",
    fix="keep large weights as external data",
    source="ascend-facts: parser-file; E13015 [run / read]",
    stops="everything",
)
def file_size(subject: Subject) -> Iterator[Spot]:
    """A file has 1 to 2^31-1 bytes."""
    if subject.size == 0:
        yield Spot("", "the file is empty", fix="write the model again")
    elif subject.size > MOST_BYTES:
        yield Spot("", f"the file has {subject.size} bytes, the parser reads at most {MOST_BYTES}")


@rule(
    "invalid-utf8",
    fix="write the text again as UTF-8, or leave it out",
    source="ascend-facts: parser-file; E13005, the schema is proto3 [run]",
    stops="everything",
)
def invalid_utf8(subject: Subject) -> Iterator[Spot]:
    """Names and doc strings are UTF-8; a single wrong byte makes the whole file unreadable."""
    for where, text in undecodable(subject.proto):
        yield Spot("", f"{where} is {text[:40]!r}, which is not UTF-8")
