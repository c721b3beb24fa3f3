"""The files beside the model that say what is computed in which precision (ascend-facts: atc-precision-files).

Operator types are those of the Ascend IR (``Conv2D``), not of ONNX (``Conv``). Node names are those of the ONNX file;
a node that the compiler fuses into another loses its setting without a message (manual, ``--customize_dtypes``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class CustomDtype:
    """Element types of one node, or of every operator of a type.

    Attributes:
        name: the node's name or, with ``by_type``, the type of the operator.
        inputs, outputs: one type per input and output, such as ``float32``.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    by_type: bool = False

    def __str__(self) -> str:
        who = f"OpType::{self.name}:" if self.by_type else f"{self.name}::"
        return f"{who}InputDtype:{','.join(self.inputs)},OutputDtype:{','.join(self.outputs)}"


@dataclass(frozen=True)
class Mixlist:
    """Changes to the lists of mixed precision. A type removed from a list and added to none becomes gray.

    Attributes:
        keep: operator types that must stay in float32 (black list).
        lower: operator types that may become float16 (white list).
        unkeep, unlower: operator types to take off these lists.
    """

    keep: tuple[str, ...] = ()
    lower: tuple[str, ...] = ()
    unkeep: tuple[str, ...] = ()
    unlower: tuple[str, ...] = ()


@dataclass(frozen=True)
class OpPrecision:
    """How single operators compute, by type and by node name; a name wins over a type."""

    by_type: Mapping[str, str] = field(default_factory=dict)
    by_node: Mapping[str, str] = field(default_factory=dict)


def keep_dtype_text(entries: Iterable[str]) -> str:
    """A node name or ``OpType::Type`` a line."""
    return _lines(entries)


def customize_dtypes_text(entries: Iterable[CustomDtype]) -> str:
    return _lines(str(entry) for entry in entries)


def mixlist_text(lists: Mixlist) -> str:
    """JSON; only what is not empty."""
    black = {"to-remove": lists.unkeep, "to-add": lists.keep}
    white = {"to-remove": lists.unlower, "to-add": lists.lower}
    both = {"black-list": black, "white-list": white}
    filled = {
        name: {key: [*types] for key, types in change.items() if types} for name, change in both.items()
    }
    return json.dumps({name: change for name, change in filled.items() if change}, indent=1) + "\n"


def op_precision_text(modes: OpPrecision) -> str:
    """The ini file of ``--op_precision_mode``, sections only where needed."""
    sections = {"ByOpType": modes.by_type, "ByNodeName": modes.by_node}
    return "\n".join(
        f"[{title}]\n" + _lines(f"{name}={mode}" for name, mode in sorted(entries.items()))
        for title, entries in sections.items()
        if entries
    )


def fusion_switch_text(passes_off: Iterable[str]) -> str:
    """``PassName:off`` a line."""
    return _lines(f"{name}:off" for name in passes_off)


def _lines(entries: Iterable[str]) -> str:
    return "".join(f"{entry}\n" for entry in entries)
