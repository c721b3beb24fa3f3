"""Pictures put together for one run, and what comes out taken apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertkit.detection.batch import apart, groups, stacked
from convertkit.errors import GraphError


def picture(value: float) -> dict[str, np.ndarray]:
    return {"input": np.full((1, 3, 2, 2), value), "picture": np.full((1, 4), value)}


@given(st.integers(1, 5), st.data())
def test_each_picture_comes_out_as_it_went_in(batch, data):
    count = data.draw(st.integers(1, batch))
    pictures = [picture(value) for value in range(count)]

    found = apart(stacked(pictures, batch), batch)

    assert len(found) == batch
    for one, wanted in zip(found, [*pictures, *[pictures[-1]] * (batch - count)], strict=True):
        for name, array in wanted.items():
            np.testing.assert_array_equal(one[name], array)


def test_one_picture_is_not_copied():
    image = np.zeros((1, 3))

    assert stacked([{"input": image}], 1)["input"] is image


@pytest.mark.parametrize("shape", [(), (7, 5)])
def test_what_has_no_equal_parts_is_refused(shape):
    assert len(apart({"dets": np.zeros((6, 5))}, 3)) == 3

    with pytest.raises(GraphError, match=r"output dets \(.*\) is not that of 3 pictures"):
        apart({"dets": np.zeros(shape)}, 3)


def test_the_last_group_holds_what_is_left():
    assert list(groups(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(groups([], 2)) == []
