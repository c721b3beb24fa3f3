"""An independent judge of a rewritten file: plain onnxruntime on both, its own inputs, no code of convertkit.

python -m tests.corpus.compare BEFORE.onnx AFTER.onnx
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

from tests.corpus.draws import Array, Inputs, drawn, dtype_of

ROUNDING = 1e-4
"""Of the largest value of an output: what folding constants into weights may move in float32."""

SIGMOID = 2.0**-21
"""May move in what a Sigmoid gives: onnxruntime computes it around 0.5, in steps of 2^-25 where it is near 0."""

ON = ("Identity", "ReduceMean", "Reshape", "Squeeze", "Transpose", "Unsqueeze")
"""Behind these it is still what a Sigmoid gave."""

EXACT = 0.0


@dataclass(frozen=True)
class Comparison:
    """How often both files were run on the same inputs, and the worst of it.

    Attributes:
        shapes: how many different shapes the inputs had.
        refused: of how many inputs the original itself wants to know nothing.
        silent: outputs without a number in any run.
    """

    runs: int = 0
    shapes: int = 0
    refused: int = 0
    worst: float = 0.0
    silent: tuple[str, ...] = ()
    reason: str = ""

    @property
    def equal(self) -> bool:
        return self.runs > 0 and not self.reason and not self.silent


def compare(
    before: Path, after: Path, inputs: Iterable[Inputs] | None = None, *, tolerance: float = ROUNDING
) -> Comparison:
    """Runs both files on inputs of several seeds and sizes and compares every output, in order.

    An int64 input or output may have become int32; its values must be the same.

    Args:
        inputs: by default drawn by the types and sizes that the original asks for.
        tolerance: ``EXACT`` for the same values, bit for bit.
    """
    original, result = _session(before), _session(after)
    names = [item.name for item in original.get_outputs()]
    steps = _steps(before) if tolerance else {}
    runs, refused, worst, shapes, told = 0, 0, 0.0, set(), set()
    for given in drawn(original) if inputs is None else inputs:
        try:
            expected = original.run(None, given)
        except Exception:  # onnxruntime's own classes derive from Exception only: these sizes do not fit
            refused += 1
            continue
        found = _answer(result, _retyped(given, original, result))
        if isinstance(found, str):
            return Comparison(runs, len(shapes), refused, worst, reason=found)
        runs += 1
        shapes.add(tuple(array.shape for array in given.values()))
        for name, a, b in zip(names, expected, found, strict=True):
            gap = difference(a, b, steps.get(name, 0.0))
            worst = max(worst, gap)
            if gap > tolerance:
                reason = f"{name} differs by {gap:.3g} of its largest value"
                return Comparison(runs, len(shapes), refused, worst, reason=reason)
            told |= {name} if _tells(a) else set()
    return Comparison(runs, len(shapes), refused, worst, tuple(name for name in names if name not in told))


def difference(a: object, b: object, step: float = 0.0) -> float:
    """Relative to the largest value; infinite where type, shape, length, an integer, or NaN and infinity differ.

    Args:
        step: absolute, below which floating values are the same.
    """
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        gaps = (difference(x, y, step) for x, y in zip(a, b, strict=True))
        return max(gaps, default=0.0) if len(a) == len(b) else np.inf
    if isinstance(a, dict) or isinstance(b, dict):
        return 0.0 if a == b else np.inf
    x, y = np.asarray(a), np.asarray(b)
    if x.shape != y.shape or not (x.dtype == y.dtype or (x.dtype, y.dtype) == (np.int64, np.int32)):
        return np.inf
    if x.dtype.kind != "f":
        return 0.0 if np.array_equal(x, y) else np.inf
    x, y = x.astype(np.float64), y.astype(np.float64)
    if not np.array_equal(np.where(np.isfinite(x), 0, x), np.where(np.isfinite(y), 0, y), equal_nan=True):
        return np.inf
    gap = np.abs(np.where(np.isfinite(x), x, 0) - np.where(np.isfinite(y), y, 0)).max(initial=0.0)
    scale = np.abs(np.where(np.isfinite(x), x, 0)).max(initial=0.0)
    if gap <= step:
        return 0.0
    return float(gap / scale) if scale > 0 else np.inf


def _tells(value: object) -> bool:
    """Whether there is anything in an output that could have differed."""
    if isinstance(value, list | tuple | dict):
        return bool(value)
    if value is None:
        return False
    array = np.asarray(value)
    return array.size > 0 and not (array.dtype.kind == "f" and bool(np.isnan(array).all()))


def _steps(path: Path) -> dict[str, float]:
    """The outputs that a Sigmoid gives."""
    model = onnx.load(path)
    made = {name: node for node in model.graph.node for name in node.output}
    steps = {}
    for output in model.graph.output:
        node = made.get(output.name)
        while node is not None and node.op_type in (
            "Identity",
            "Reshape",
            "Squeeze",
            "Transpose",
            "Unsqueeze",
        ):
            node = made.get(node.input[0])
        if node is not None and node.op_type == "Sigmoid":
            steps[output.name] = SIGMOID
    return steps


def _answer(session: ort.InferenceSession, inputs: Inputs) -> list[object] | str:
    try:
        return list(session.run(None, inputs))
    except Exception as error:
        return f"the result does not run: {str(error).splitlines()[0][:200]}"


def _retyped(inputs: Inputs, original: ort.InferenceSession, result: ort.InferenceSession) -> Inputs:
    """In the types of the result, whose inputs are those of the original in their order; defaults keep their names."""
    pairs = zip(original.get_inputs(), result.get_inputs(), strict=True)
    given = {new.name: _as(inputs[old.name], dtype_of(new)) for old, new in pairs}
    types = {item.name: dtype_of(item) for item in result.get_overridable_initializers()}
    rest = {name: array for name, array in inputs.items() if name not in _names(original)}
    return {**given, **{name: _as(array, types.get(name, array.dtype)) for name, array in rest.items()}}


def _names(session: ort.InferenceSession) -> set[str]:
    return {item.name for item in session.get_inputs()}


def _as(array: Array, dtype: np.dtype[np.generic]) -> Array:
    same = array.dtype == dtype or (array.dtype, dtype) == (np.int64, np.int32)
    return array.astype(dtype) if same else array  # another type is for onnxruntime to refuse


def _session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    # else a MatMul by a weight that is computed from a constant has other bits than one by the constant it becomes
    options.add_session_config_entry("session.disable_prepacking", "1")
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    outcome = compare(Path(sys.argv[1]), Path(sys.argv[2]))
    print(outcome)
    sys.exit(not outcome.equal)
