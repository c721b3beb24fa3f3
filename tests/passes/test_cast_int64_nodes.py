"""``cast-int64-to-int32`` on ONNX's own test cases of every operator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from convertkit_passes.cast_int64 import CastInt64ToInt32
from numpy.typing import NDArray

from convertkit.errors import GraphError
from convertkit.graph.validate import validate
from tests.graphtext import apply
from tests.passes.node_cases import has_int64, node_cases, runs
from tests.passes.outputs import assert_same, outputs

INT32 = np.iinfo(np.int32)


def fits(values: NDArray[Any]) -> bool:
    large = values.dtype == np.int64 and values.size
    return not large or (values.min() >= INT32.min and values.max() <= INT32.max)


@pytest.mark.slow
def test_every_operator_gives_the_same() -> None:
    checked = 0
    for name, model, feeds in node_cases():
        before = runs(model, feeds) if has_int64(model) else None
        if before is None or not all(map(fits, [*feeds.values(), *before.values()])):
            continue

        result = apply(CastInt64ToInt32(inputs=True), model)

        try:
            validate(result)
            types = {value.name: value.type.tensor_type.elem_type for value in result.proto.graph.input}
            narrow = {key: value.astype(np.int32) for key, value in feeds.items() if types[key] == 6}
            assert_same(before, outputs(result, feeds | narrow))
            assert apply(CastInt64ToInt32(inputs=True), result).digest() == result.digest()
        except (GraphError, AssertionError) as error:
            raise AssertionError(f"{name}: {error}") from error
        checked += 1
    assert checked > 300
