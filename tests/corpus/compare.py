"""An independent judge of a rewritten file: plain onnxruntime on both, its own inputs, no code of convertkit.

python -m tests.corpus.compare BEFORE.onnx AFTER.onnx
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

Array = NDArray[np.generic]
Inputs = dict[str, Array]

TOLERANCE = 1e-4
"""Of the largest value of an output: what folding constants into weights may move in float32."""

SIZES = (1, 2, 3, 8, 32, 64, 160, 320, 16000)
"""Tried for sizes that the file leaves open, one for all of a draw; what the original refuses tells nothing."""

MOST = 1 << 20
"""Values of an input: sizes that give more are left out."""

SEEDS = 3


@dataclass(frozen=True)
class Comparison:
    """How often both files were run on the same inputs, and the worst of it."""

    runs: int
    worst: float
    reason: str = ""

    @property
    def equal(self) -> bool:
        return self.runs > 0 and not self.reason


def compare(before: Path, after: Path, *, tolerance: float = TOLERANCE) -> Comparison:
    """Runs both files on several seeds and sizes and compares every output, in order.

    An int64 input or output may have become int32; its values must be the same.
    """
    original, result = _session(before), _session(after)
    runs, worst = 0, 0.0
    for inputs in draws(original):
        try:
            expected = original.run(None, inputs)
        except Exception:  # onnxruntime's own classes derive from Exception only: these sizes do not fit
            continue
        try:
            found = result.run(None, _retyped(inputs, original, result))
        except Exception as error:
            return Comparison(runs, worst, f"the result does not run: {str(error).splitlines()[0][:200]}")
        runs += 1
        for name, a, b in zip([item.name for item in original.get_outputs()], expected, found, strict=True):
            gap = difference(a, b)
            worst = max(worst, gap)
            if gap > tolerance:
                return Comparison(runs, worst, f"{name} differs by {gap:.3g} of its largest value")
    return Comparison(runs, worst)


def difference(a: object, b: object) -> float:
    """Relative to the largest value; infinite where shape, length or the places of NaN and infinity differ."""
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return max(map(difference, a, b), default=0.0) if len(a) == len(b) else np.inf
    if isinstance(a, dict) or isinstance(b, dict):
        return 0.0 if a == b else np.inf
    x, y = np.asarray(a), np.asarray(b)
    if x.shape != y.shape:
        return np.inf
    if x.dtype.kind not in "fiub":
        return 0.0 if np.array_equal(x, y) else np.inf
    x, y = x.astype(np.float64), y.astype(np.float64)
    if not np.array_equal(np.where(np.isfinite(x), 0, x), np.where(np.isfinite(y), 0, y), equal_nan=True):
        return np.inf
    gap = np.abs(np.where(np.isfinite(x), x, 0) - np.where(np.isfinite(y), y, 0)).max(initial=0.0)
    scale = np.abs(np.where(np.isfinite(x), x, 0)).max(initial=0.0)
    return float(gap / scale) if scale > 0 else (0.0 if gap == 0 else np.inf)


def draws(session: ort.InferenceSession) -> Iterator[Inputs]:
    """Inputs of every seed and size; one size where no input has an open one."""
    is_open = any(not isinstance(size, int) for item in session.get_inputs() for size in item.shape)
    for size in SIZES if is_open else (1,):
        if any(math.prod(_shape(item, size)) > MOST for item in session.get_inputs()):
            continue
        for seed in range(SEEDS):
            rng = np.random.default_rng([seed, size])
            yield {item.name: _draw(item, size, rng, seed) for item in session.get_inputs()}


def _draw(item: ort.NodeArg, size: int, rng: np.random.Generator, seed: int) -> Array:
    shape = _shape(item, size)
    dtype = _dtype(item)
    if dtype.kind == "b":
        return np.asarray([rng.random(shape) < 0.5, np.zeros(shape), np.ones(shape)][seed % 3], bool)
    if dtype.kind in "iu":
        return rng.integers(0, 3, shape).astype(dtype)
    if dtype.kind == "O":
        return rng.choice(np.array(["monday", "tuesday", ""], object), shape)
    return (rng.standard_normal(shape) * 10.0 ** (seed - 1)).astype(dtype)


def _shape(item: ort.NodeArg, size: int) -> list[int]:
    """Open sizes as ``size``; the first axis is mostly a batch."""
    first = 1 if size > 8 else size
    return [
        length if isinstance(length, int) else size if at else first for at, length in enumerate(item.shape)
    ]


def _dtype(item: ort.NodeArg) -> np.dtype[np.generic]:
    word = item.type.removeprefix("tensor(").removesuffix(")")
    return np.dtype({"float": "float32", "double": "float64", "string": "object"}.get(word, word))


def _retyped(inputs: Inputs, original: ort.InferenceSession, result: ort.InferenceSession) -> Inputs:
    """In the types of the result, whose inputs are those of the original in their order."""
    pairs = zip(original.get_inputs(), result.get_inputs(), strict=True)
    return {new.name: inputs[old.name].astype(_dtype(new)) for old, new in pairs}


def _session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    outcome = compare(Path(sys.argv[1]), Path(sys.argv[2]))
    print(outcome)
    sys.exit(not outcome.equal)
