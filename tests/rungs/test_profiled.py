"""Several sizes as one runtime."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from convertkit.errors import GraphError
from convertkit.plugins.loading import open_plugins
from convertkit.plugins.packages import open_package
from convertkit.rungs.profiled import Preparation
from tests.conftest import MASKRCNN

WIDE, TALL = (64, 96), (96, 64)


class Canvas:
    """A runtime that says which size it is of, and takes no other."""

    def __init__(self, size):
        self.size = size

    def run(self, inputs):
        (image,) = (array for array in inputs.values() if array.ndim == 4)
        assert self.size in (image.shape[1:3], image.shape[2:])
        return {"size": np.array(self.size)}


@pytest.fixture(params=["host", "target"])
def preparation(request):
    package = open_package(MASKRCNN, open_plugins())
    return Preparation(
        package, msgspec.structs.replace(package.spec.preprocess, normalize=request.param), (WIDE, TALL)
    )


@pytest.mark.parametrize(
    ("height", "width", "size"), [(480, 640, WIDE), (640, 480, TALL), (100, 100, WIDE), (1, 1, WIDE)]
)
def test_a_picture_runs_where_it_stays_largest(preparation, height, width, size):
    runtime = preparation.runtime([Canvas(WIDE), Canvas(TALL)])

    inputs, place = preparation(np.zeros((height, width, 3), np.uint8))

    assert (place.canvas_height, place.canvas_width) == size
    assert tuple(runtime.run(inputs)["size"]) == size
    three = {name: np.repeat(array, 3, axis=0) for name, array in inputs.items()}
    assert tuple(runtime.run(three)["size"]) == size  # whatever the batch


def test_one_size_is_its_own_runtime(preparation):
    only = Canvas(WIDE)

    assert Preparation(preparation.package, preparation.settings, (WIDE,)).runtime([only]) is only


def test_inputs_of_another_size_are_named(preparation):
    runtime = preparation.runtime([Canvas(WIDE), Canvas(TALL)])

    with pytest.raises(GraphError, match=r"none of the 2 profiles takes input \(1, 3, 8, 8\)"):
        runtime.run({"input": np.zeros((1, 3, 8, 8))})
