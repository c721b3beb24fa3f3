"""Where ONNX allows int32 but onnxruntime's CPU provider cannot run it, or not with the same result.

Every pass is checked by running the graph before and after, so a type nobody can run helps nobody. The table was
made by trying: ``tests/passes/test_int64_kernels.py`` compares it with the kernels that the installed onnxruntime
has registered.
"""

from __future__ import annotations

_EVERY = "*"

_KEPT = {
    "CenterCropPad": ("Tind", "onnxruntime expands it into operators that want int64"),
    "Pad": ("Tind", "ONNX's own shape inference reads the axes as int64"),
    "Trilu": ("T", "onnxruntime before 1.24 has no int32 kernel of it"),
    "Unique": ("T", "onnxruntime has no int32 kernel of it"),
    "OneHot": (_EVERY, "onnxruntime has kernels for a few combinations of its types only"),
    "ReduceL2": (_EVERY, "it sums squares, which may pass int32 where the result does not"),
    "ReduceLogSum": (_EVERY, "on integers its rounding depends on the type"),
    "ReduceLogSumExp": (_EVERY, "on integers its rounding depends on the type"),
}


def why_kept(op: str, variable: str) -> str | None:
    """Why a type variable of an operator stays int64 although ONNX allows int32; None where it need not."""
    which, reason = _KEPT.get(op, ("", ""))
    return f"{op}: {reason}" if which in (_EVERY, variable) else None
