from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.conftest import MASKRCNN


@pytest.mark.slow
def test_postprocess_draws_every_photo(cli, photos, detector, ais_bench, stems, scenes):
    cli("preprocess", MASKRCNN, *photos, "--artifact", detector, "-o", "pre")
    ais_bench("--model", detector / "model.onnx", "--input", "pre", "--output", "out")

    done = cli("postprocess", MASKRCNN, "out", "-i", "pre", "--artifact", detector, "--draw", "drawn")

    assert done.code == 0, done.err
    assert sorted(path.name for path in Path("drawn").iterdir()) == sorted(f"{stem}.jpg" for stem in stems)
    for stem in stems:
        before = cv2.imread(str(next((scenes / "images").glob(f"{stem}.*"))))
        after = cv2.imread(str(Path("drawn", f"{stem}.jpg")))
        assert after.shape == before.shape
        assert (np.abs(after.astype(int) - before) > 40).any(axis=2).mean() > 0.01


def test_photos_that_have_moved_are_named(cli, tmp_path, photos, detector, ais_bench):
    cli("preprocess", MASKRCNN, *photos, "--artifact", detector, "-o", "pre")
    ais_bench("--model", detector / "model.onnx", "--input", "pre", "--output", "out")

    done = cli(
        "postprocess", MASKRCNN, "out", "-i", "pre", "--artifact", detector, "--draw", "d", "--images", "."
    )

    assert done.code == 2
    assert "no such file (say where it is with --images)" in done.err
