"""Running a graph on the host with onnxruntime."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from convertkit.children.limits import step
from convertkit.errors import GraphError
from convertkit.graph.light import LightModel, attach
from convertkit.graph.nested import names_read

Arrays = Mapping[str, NDArray[Any]]

LOG = logging.getLogger(__name__)

SILENT = 4
"""onnxruntime's log severity: what it would print is in the exceptions it raises."""

ort.set_default_logger_severity(SILENT)


@dataclass(frozen=True)
class Session:
    """An onnxruntime session; outputs come back under their names, in graph order."""

    inner: ort.InferenceSession
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    keep_alive: tuple[object, ...] = ()
    size: int = 0

    def run(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Runs once. ``inputs`` needs every graph input under its name, in its dtype and shape.

        Integers of another width are taken where the graph's own type holds them: a pass may have changed it.

        Raises:
            GraphError: an input is missing or does not fit, or a node fails.
        """
        missing = [name for name in self.inputs if name not in inputs]
        if missing:
            raise GraphError(f"input {missing[0]!r} is missing; the graph needs {', '.join(self.inputs)}")
        kinds = {item.name: item.type for item in self.inner.get_inputs()}
        feeds = {name: _fitted(name, inputs[name], kinds[name]) for name in self.inputs}
        with step(
            "onnxruntime, running the graph",
            self.size,
            sum(getattr(item, "nbytes", 0) for item in feeds.values()),
        ):
            try:
                values = self.inner.run(list(self.outputs), feeds)
            except Exception as error:  # onnxruntime's own classes derive from Exception only
                if reason := self._misfit(feeds):
                    raise GraphError(reason) from error
                raise _failure("cannot run the graph", error) from error
        return dict(zip(self.outputs, values, strict=True))

    def _misfit(self, inputs: Arrays) -> str | None:
        """The first input that the graph does not take: onnxruntime says it on several lines."""
        for wanted in self.inner.get_inputs():
            array, shape = inputs[wanted.name], wanted.shape
            fixed = all(
                not isinstance(side, int) or side == is_
                for side, is_ in zip(shape, array.shape, strict=False)
            )
            if len(shape) != array.ndim or not fixed:
                had, takes = ("x".join(map(str, sides)) or "without axes" for sides in (array.shape, shape))
                return f"input {wanted.name!r}: it is {array.dtype} {had}, the graph takes {takes}"
            kind = wanted.type.removeprefix("tensor(").removesuffix(")")
            if f"{array.dtype}" != (takes := {"float": "float32", "double": "float64"}.get(kind, kind)):
                return f"input {wanted.name!r}: it is {array.dtype}, the graph takes {takes}"
        return None


def open_session(
    model: LightModel, *, optimize: bool = True, threads: int | None = None, hoard: bool = True
) -> Session:
    """A session for a light model; large weights are lent to onnxruntime, not copied into the protobuf.

    Args:
        optimize: False runs the graph node by node as written, so that equal mathematics gives equal bits.
        threads: of one operator; by default onnxruntime's choice (all cores).
        hoard: whether the memory of a run is kept for the next one, which is faster; not where sessions are many.

    Raises:
        GraphError: onnxruntime refuses the graph; its reason is quoted.
    """
    options = ort.SessionOptions()
    options.log_severity_level = SILENT
    if threads is not None:
        options.intra_op_num_threads = threads
    options.enable_cpu_mem_arena = hoard
    if not optimize:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        # A MatMul sums in another order where its weight is a constant instead of computed from one.
        options.add_session_config_entry("session.disable_prepacking", "1")
    model = _without_idle_weights(model)
    lent = _lend_weights(model, options)
    proto = model.proto if lent is not None else attach(model)
    with step("onnxruntime, opening the graph", model.size):
        try:
            inner = ort.InferenceSession(
                proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise _failure("refuses the graph", error) from error
    LOG.debug(
        "opened a graph of %d nodes, %s", len(proto.graph.node), "optimized" if optimize else "as written"
    )
    inputs = tuple(value.name for value in inner.get_inputs())
    outputs = tuple(value.name for value in inner.get_outputs())
    return Session(inner, inputs, outputs, tuple(lent or ()), model.size)


def _fitted(name: str, values: NDArray[Any], kind: str) -> NDArray[Any]:
    """Integers in the type that the graph wants (``tensor(int32)``); everything else as it is.

    Raises:
        GraphError: that type does not hold them.
    """
    word = kind.removeprefix("tensor(").removesuffix(")")
    if (
        np.asarray(values).dtype.kind not in "iu"
        or word == values.dtype
        or not word.lstrip("u").startswith("int")
    ):
        return values
    wanted = values.astype(word)
    lost = values[(wanted != values) | ((wanted < 0) != (values < 0))]
    if lost.size:
        raise GraphError(f"input {name!r} is {word}, which does not hold {lost.flat[0]}")
    return wanted


def _without_idle_weights(model: LightModel) -> LightModel:
    """onnxruntime removes weights that nothing reads, and then misses them among those it was lent."""
    read = names_read(model.proto.graph)
    idle = {tensor.name for tensor in model.detached()} - read
    if not idle:
        return model
    proto = deepcopy(model.proto)
    for items in (proto.graph.initializer, proto.graph.input):
        for at in reversed(range(len(items))):
            if items[at].name in idle:
                del items[at]
    return LightModel(proto, model.weights)


def _lend_weights(model: LightModel, options: ort.SessionOptions) -> list[object] | None:
    """Hands the detached weights to the session by reference; None where a dtype has no numpy counterpart."""
    tensors = list(model.detached())
    if any(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).isbuiltin != 1 for tensor in tensors):
        return None
    arrays = [np.ascontiguousarray(model.array(tensor)) for tensor in tensors]
    values = [ort.OrtValue.ortvalue_from_numpy(array) for array in arrays]
    try:
        options.add_external_initializers([tensor.name for tensor in tensors], values)
    except RuntimeError as error:  # two of one name
        raise _failure("refuses the graph", error) from error
    return [*arrays, *values]


def _failure(what: str, error: Exception) -> Exception:
    """onnxruntime has no class of its own for a full memory, only these words."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    brief = lines[0][:400] if lines else type(error).__name__
    if any(words in str(error) for words in ("bad_alloc", "bad allocation", "Failed to allocate memory")):
        return MemoryError(brief)
    return GraphError(f"onnxruntime {what}: {brief}")
