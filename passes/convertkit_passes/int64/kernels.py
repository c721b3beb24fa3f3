"""Where ONNX allows int32 but nobody can run it, or not with the same result.

Every pass is checked by running the graph before and after, so a type that onnxruntime's CPU provider cannot run
helps nobody. The table was made by trying: ``tests/passes/test_int64_kernels.py`` compares it with the kernels that
the installed onnxruntime has registered, ``test_cast_int64_nodes.py`` runs ONNX's own test cases of every operator.
"""

from __future__ import annotations

from dataclasses import dataclass

_EVERY = "*"


@dataclass(frozen=True)
class _Kept:
    """A type variable (or all) of an operator that stays int64 in models of opset ``since`` and later."""

    variable: str
    reason: str
    since: int = 1


_KEPT = {
    "CenterCropPad": _Kept("Tind", "onnxruntime expands it into operators that want int64"),
    "OneHot": _Kept(_EVERY, "onnxruntime has kernels for a few combinations of its types only"),
    "Pad": _Kept("Tind", "ONNX's own shape inference reads the axes as int64"),
    "Range": _Kept(
        "T", "onnxruntime's shape inference takes sizes for int64 and refuses a mixture", since=13
    ),
    "ReduceL2": _Kept(_EVERY, "it sums squares, which may pass int32 where the result does not"),
    "ReduceLogSum": _Kept(_EVERY, "on integers its rounding depends on the type"),
    "ReduceLogSumExp": _Kept(_EVERY, "on integers its rounding depends on the type"),
    "Unique": _Kept("T", "onnxruntime has no int32 kernel of it"),
}


def why_kept(op: str, variable: str, opset: int) -> str | None:
    """Why a type variable of an operator stays int64 although ONNX allows int32; None where it need not."""
    kept = _KEPT.get(op)
    if kept is None or kept.variable not in (_EVERY, variable) or opset < kept.since:
        return None
    return f"{op}: {kept.reason}"
