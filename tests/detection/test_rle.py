"""The number of pixels a compressed mask accounts for, against pycocotools."""

from __future__ import annotations

import numpy as np
import pycocotools.mask as mask_utils
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from convertkit.detection.rle import totals

canvases = hnp.arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 40)), elements=st.integers(0, 1))


@given(st.lists(canvases, min_size=1, max_size=5))
def test_whole_masks_account_for_every_pixel(canvases):
    texts = [mask_utils.encode(np.asfortranarray(canvas))["counts"] for canvas in canvases]

    assert totals(texts).tolist() == [canvas.size for canvas in canvases]


def test_large_runs_and_empty_strings_count_too():
    runs = [[0, 5_000_000, 7, 1, 90_000_000], [12]]
    texts = [
        mask_utils.frPyObjects({"size": [1, sum(run)], "counts": run}, 1, sum(run))["counts"] for run in runs
    ]

    assert totals([texts[0], b"", texts[1]]).tolist() == [95_000_008, 0, 12]
    assert totals([]).tolist() == totals([b""] * 0).tolist() == []
