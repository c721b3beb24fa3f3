"""mmdeploy's own NMS becomes one operator, with the same results; ``tests/exporters/of_mmdeploy.py`` writes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from convertkit.api import heads
from convertkit.api.graphs import load, open_session
from convertkit.passes.pipeline import Pipeline
from convertkit.plugins.loading import open_plugins
from tests.passes.heads import nms_forms

FILES = sorted((Path(__file__).parent / "mmdeploy-1.3.1").glob("*.onnx"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_exports_are_small_and_say_who_wrote_them(file: Path) -> None:
    said = {item.key: item.value for item in onnx.load(file).metadata_props}

    assert file.stat().st_size < 20_000
    assert (said["torch"], said["mmdeploy"], said["model"]) == ("2.4.1", "1.3.1", file.stem)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_is_one_operator_and_its_rows_are_the_same(file: Path) -> None:
    before = load(file)
    passes = ("simplify", "fold-constants", "cast-int64-to-int32", "fuse-multiclass-nms{pad_detections=true}")

    after, _ = Pipeline.parse(passes, open_plugins().passes).run(before)

    operators = [node.op_type for node in after.proto.graph.node]
    assert (operators.count("MulticlassNms"), operators.count("NonMaxSuppression")) == (1, 0)
    seen = set()
    for seed, scale in ((0, 1.0), (1, 1.0), (2, 0.5), (3, 0.01)):
        inputs = nms_forms.random_inputs(before, seed)
        inputs["scores"] = inputs["scores"] * np.float32(scale)
        old = open_session(before, optimize=False).run(inputs)
        new = open_session(heads.lower(after), optimize=False).run(inputs)
        rows, used = old["dets"].shape[1], old["dets"][..., 4] > 0
        seen.add(int(used.sum()))
        np.testing.assert_array_equal(new["dets"][:, :rows], old["dets"])
        np.testing.assert_array_equal(new["labels"][:, :rows][used], old["labels"][used])
        assert not new["dets"][:, rows:].any()
    assert 0 in seen and max(seen) >= 8
