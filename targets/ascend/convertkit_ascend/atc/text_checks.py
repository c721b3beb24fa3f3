"""What may stand in the texts that ATC is given: paths, names, further options."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from convertkit.api import targets

if TYPE_CHECKING:
    from convertkit_ascend.atc.options import AtcOptions

_PATH = re.compile(r"[A-Za-z0-9_./~$\-\u4e00-\u9fa5]+")
"""What the manual allows in every path: no blanks, no other signs."""


def refuse(what: str, advice: str, code: str = "") -> NoReturn:
    """Raises UsageError; ``code`` is what ATC itself would say."""
    raise targets.UsageError(what, hint=f"{advice}; ATC says {code}" if code else advice)


def check(options: AtcOptions) -> None:
    """Raises UsageError at the first text that ATC would misread."""
    for step in (_paths, _words, _extra, _control_characters):
        step(options)


def _paths(options: AtcOptions) -> None:
    for name in ("op_compiler_cache_dir", "debug_dir"):
        value = getattr(options, name)
        if value is not None and not _PATH.fullmatch(value):
            refuse(f"--{name} is {value!r}", "ATC takes letters, digits and _ - . / in paths")


def _words(options: AtcOptions) -> None:
    entries = [*options.keep_dtype, *options.fusion_off, *(entry.name for entry in options.customize_dtypes)]
    if options.op_precision_mode is not None:
        entries += [*options.op_precision_mode.by_type, *options.op_precision_mode.by_node]
    for entry in entries:
        if not entry.removeprefix("OpType::").strip() or "\n" in entry:
            refuse(f"{entry!r} is no name of a node, an operator type or a pass", "one name per entry")


def _extra(options: AtcOptions) -> None:
    """A name that is not a plain word could be any other option: ``output=/etc/x`` makes ``--output=/etc/x=...``."""
    for name, value in options.extra.items():
        plain = name.removeprefix("--")
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", plain):
            refuse(f"extra option {name!r}", "letters, digits and _, as in atc --help")
        if plain in ("model", "output", "fusion_switch_file") or hasattr(options, plain):
            refuse(f"extra option --{plain} has a place of its own", "set it there")
        if not value:
            refuse(f"extra option --{plain} has no value", "leave it out")


def _control_characters(options: AtcOptions) -> None:
    """Neither a command line nor a line of a file can hold them."""
    for field in dataclasses.fields(options):
        lines = "\n\t" if field.name == "insert_op_conf" else ""
        for text in _texts(getattr(options, field.name)):
            if any(letter not in lines and unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
                refuse(f"--{field.name}: {text!r} holds a control character", "write plain text")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value, *value.values()])
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _texts(entry)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield from _texts([getattr(value, field.name) for field in dataclasses.fields(value)])
