"""Running a graph on the host: what does not fit is said in one line of ours."""

from __future__ import annotations

import numpy as np
import pytest

from convertkit.errors import GraphError
from convertkit.graph.session import open_session
from tests.graphtext import parse


@pytest.mark.parametrize(
    ("shape", "line"),
    [
        ((2, 3), "input 'x': it is float32 2x3, the graph takes 1x3"),
        ((3,), "input 'x': it is float32 3, the graph takes 1x3"),
        ((), "input 'x': it is float32 without axes, the graph takes 1x3"),
    ],
)
def test_an_input_of_another_shape_is_told_with_both_shapes(shape: tuple[int, ...], line: str) -> None:
    session = open_session(parse("(float[1,3] x) => (float[1,3] y) { y = Neg (x) }"))

    with pytest.raises(GraphError) as caught:
        session.run({"x": np.zeros(shape, np.float32)})

    assert str(caught.value) == line


def test_an_open_size_takes_any() -> None:
    session = open_session(parse("(float[N,3] x) => (float[N,3] y) { y = Neg (x) }"))

    assert session.run({"x": np.zeros((2, 3), np.float32)})["y"].shape == (2, 3)
    with pytest.raises(GraphError, match="it is float32 2x4, the graph takes Nx3"):
        session.run({"x": np.zeros((2, 4), np.float32)})
