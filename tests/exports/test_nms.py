"""Heads of today, as torch's exporter writes modules of our own; ``tests/exporters/of_nms.py`` makes the files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from convertkit.api import heads
from convertkit.api.graphs import load, open_session
from convertkit.graph.light import LightModel
from convertkit.passes.history import PassRecord
from convertkit.passes.pipeline import Pipeline
from convertkit.plugins.loading import open_plugins
from tests.passes.heads import nms_forms

FILES = {file.stem: file for file in sorted((Path(__file__).parent / "torch-2.4.1-nms").glob("*.onnx"))}
PASSES = ("simplify", "fold-constants", "cast-int64-to-int32", "fuse-multiclass-nms{pad_detections=true}")
MATCHED = (
    "agnostic",
    "agnostic_whole",
    "cast",
    "each_class",
    "masks",
    "normalised",
    "per_class",
    "pictures",
    "places",
)

heads.DOMAIN.register_schemas()


def fused(name: str) -> tuple[LightModel, LightModel, PassRecord]:
    """The graph before, after, and what the last pass said."""
    before = load(FILES[name])
    newer = before.proto.opset_import[0].version > 16
    steps = ["convert-opset{to=16}"] if newer else []
    after, records = Pipeline.parse([*steps, *PASSES], open_plugins().passes).run(before)
    return before, after, records[-1]


@pytest.mark.parametrize("name", FILES)
def test_exports_are_small_and_say_who_wrote_them(name: str) -> None:
    said = {item.key: item.value for item in onnx.load(FILES[name]).metadata_props}

    assert FILES[name].stat().st_size < 20_000
    assert said == {
        "exporter": "torch.onnx.export (TorchScript)",
        "torch": "2.4.1",
        "torchvision": "0.19.1",
        "written by": "tests/exporters/of_nms.py",
        "model": name,
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", MATCHED)
def test_every_nms_is_one_operator_and_what_is_found_is_the_same(name: str) -> None:
    before, after, said = fused(name)

    operators = [node.op_type for node in after.proto.graph.node]
    assert "MulticlassNms" in operators, said.missed
    assert "NonMaxSuppression" not in operators
    counts = set()
    for seed, scale in ((0, 1.0), (1, 1.0), (2, 0.4), (3, 0.01), (4, 0.0)):
        inputs = nms_forms.random_inputs(before, seed)
        inputs["scores"] = inputs["scores"] * np.float32(scale)
        inputs["scores"][1:] *= seed != 1  # of two pictures, one may be empty
        counts.add(compare(before, after, inputs))
    assert 0 in counts and max(counts) >= 12


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("background_ahead", "a filter ahead may drop a class, say the background: leave its scores out"),
        ("background_behind", "what drops detections goes in front of the NMS"),
    ],
)
def test_near_misses_are_left_and_say_why(name: str, why: str) -> None:
    _, after, said = fused(name)

    assert "NonMaxSuppression" in [node.op_type for node in after.proto.graph.node]
    assert why in said.missed


def compare(before: LightModel, after: LightModel, inputs: dict[str, np.ndarray]) -> int:
    """Runs both; rows that were there are equal, others have score 0. How many had a score."""
    old = list(open_session(before, optimize=False).run(inputs).values())
    new = list(open_session(heads.lower(after), optimize=False).run(inputs).values())
    used = old[0][..., 4] > 0 if len(old) == 1 else old[1] > 0
    for one, other in zip(old, new, strict=True):
        rows = other[:, : one.shape[1]] if one.ndim == 3 else other[: len(one)]
        np.testing.assert_array_equal(rows[used], one[used])
    scores = new[0][..., 4] if len(new) == 1 else new[1]
    assert int((scores > 0).sum()) == int(used.sum())
    return int(used.sum())
