"""The opsets that a model imports, and what to do where one is not taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx


def opsets_of(owner: onnx.ModelProto | onnx.FunctionProto) -> dict[str, int]:
    """The opset of each domain, ONNX's own as the empty text; of two imports of one domain the last wins."""
    return {"" if item.domain == "ai.onnx" else item.domain: item.version for item in owner.opset_import}


def opset_remedy(opset: int, low: int, high: int) -> str:
    """What makes the nearest opset from ``low`` to ``high`` of another one: an instruction to the user."""
    return f"convert-opset{{to={min(max(opset, low), high)}}} in front of the other passes"
