"""The table of chips, and how to find a row of it."""

from __future__ import annotations

import functools
import json
from importlib import resources
from types import MappingProxyType
from typing import Any

from convertkit.api import errors
from convertkit_ascend.socs.soc import Soc


@functools.cache
def _table() -> dict[str, Soc]:
    text = resources.files("convertkit_ascend.socs").joinpath("socs.json").read_text()
    rows = [_record(row) for row in json.loads(text)["socs"]]
    return {soc.name: soc for soc in rows}


def names() -> tuple[str, ...]:
    """The names of all chips as the command line has them, sorted: ``ascend310``, ``ascend310b1``, ..."""
    return tuple(sorted(_table()))


TABLED = "ascend310p"
"""The kernel lists that this package has a table of: one family, one list (ascend-facts: soc-family)."""


def tabled() -> tuple[str, ...]:
    """The chips whose operators this package has a table of."""
    return tuple(name for name in names() if _table()[name].kernels == TABLED)


def get(name: str) -> Soc:
    """The chip called ``name``: ``ascend310p3`` or, as atc spells it, ``Ascend310P3``.

    Raises:
        UnknownNameError: there is no such chip; points to the nearest name.
    """
    found = _table().get(name.lower())
    if found is None:
        raise errors.UnknownNameError("SoC", name, names())
    return found


def of_chip(chip: str) -> Soc | None:
    """The chip that ``npu-smi info`` calls ``chip`` (``310P3``, ``Ascend910B3``); None if it is not in the table.

    The value for atc is ``Ascend`` and the column *Name* (ascend-facts: soc-version); some drivers print all of it.
    """
    return _table().get("ascend" + chip.lower().removeprefix("ascend"))


def _record(row: dict[str, Any]) -> Soc:
    values: dict[str, Any] = {
        key: MappingProxyType(value) if isinstance(value, dict) else value for key, value in row.items()
    }
    values["notes"] = tuple(row["notes"])
    return Soc(**values)
