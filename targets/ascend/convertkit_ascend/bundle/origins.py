"""``origins.json``: where each node of the file for ATC came from, so that its errors can be told in our words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import msgspec
import onnx

from convertkit.api import system, targets
from convertkit_ascend.bundle.names import ORIGINS


def text(origins: Mapping[str, str], graph: onnx.GraphProto, final: onnx.GraphProto) -> str:
    """The file.

    Args:
        origins: node name -> origin, by the names of ``graph``.
        final: the same nodes in the same order, as ATC gets them; some have other names there.
    """
    pairs = zip(graph.node, final.node, strict=True)
    found = {after.name: origins[before.name] for before, after in pairs if before.name in origins}
    return json.dumps(found, indent=0, sort_keys=True, ensure_ascii=False) + "\n"


def read(directory: Path) -> dict[str, str]:
    """Node name -> origin; empty where the file is missing or damaged: an explanation more or less stops nobody."""
    try:
        return msgspec.json.decode(system.read_file(directory / ORIGINS), type=dict[str, str])
    except (targets.UsageError, UnicodeDecodeError, RecursionError, msgspec.MsgspecError):
        return {}
