"""ONNX's own test cases of every operator, as far as onnxruntime runs them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from convertkit.errors import GraphError
from convertkit.graph.light import LightModel, detach
from convertkit.graph.validate import validate
from tests.passes.outputs import outputs

Feeds = dict[str, NDArray[Any]]


def node_cases() -> Iterator[tuple[str, LightModel, Feeds]]:
    """(name, model, inputs) of every case whose inputs are tensors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own cases divide by zero on purpose
        from onnx.backend.test.case import node

        found = node.collect_testcases(None)
    for case in found:
        if case.model is None or not case.data_sets:
            continue
        case.model.ir_version = min(case.model.ir_version, 10)  # what onnxruntime knows
        given = list(zip(case.model.graph.input, case.data_sets[0][0], strict=False))
        if not any(data is None or isinstance(data, list) for _, data in given):
            yield case.name, detach(case.model), {value.name: np.asarray(data) for value, data in given}


def has_int64(model: LightModel) -> bool:
    """Whether an input or output is int64."""
    values = [*model.proto.graph.input, *model.proto.graph.output]
    return any(value.type.tensor_type.elem_type == onnx.TensorProto.INT64 for value in values)


def runs(model: LightModel, feeds: Feeds) -> Feeds | None:
    """The outputs; None where onnxruntime or ONNX's checker refuses the case itself."""
    try:
        validate(model)
        found = outputs(model, feeds)
    except (GraphError, ValueError, TypeError):
        return None
    return found if all(isinstance(value, np.ndarray) for value in found.values()) else None
