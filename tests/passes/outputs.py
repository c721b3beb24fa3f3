"""What graphs compute, for tests that hold two of them against each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convertkit.graph.light import LightModel
from convertkit.graph.session import open_session


def outputs(
    model: LightModel, feeds: dict[str, NDArray[Any]], *, optimize: bool = False
) -> dict[str, NDArray[Any]]:
    """What onnxruntime computes; by default node by node as written."""
    return open_session(model, optimize=optimize, threads=1).run(feeds)


def assert_same(before: dict[str, NDArray[Any]], after: dict[str, NDArray[Any]]) -> None:
    """The same names, shapes and values, bit for bit; the element type of integers may differ."""
    assert list(before) == list(after)
    for name, value in before.items():
        assert value.shape == after[name].shape
        np.testing.assert_array_equal(value, after[name], err_msg=name)
