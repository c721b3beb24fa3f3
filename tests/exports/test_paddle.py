"""PaddleDetection's ``multiclass_nms3`` as paddle2onnx writes it; ``tests/exporters/of_paddle.py`` makes the files."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from convertkit.api import heads
from convertkit.api.graphs import load, open_session
from convertkit.errors import GraphError
from convertkit.graph.light import LightModel
from convertkit.passes.pipeline import Pipeline
from convertkit.plugins.loading import open_plugins
from tests.exports.paddle import NAMES, file, scattered

PASSES = ("simplify", "fold-constants", "cast-int64-to-int32", "fuse-multiclass-nms{pad_detections=true}")


def fused(name: str) -> tuple[LightModel, LightModel]:
    before = load(file(name))
    return before, Pipeline.parse(PASSES, open_plugins().passes).run(before)[0]


@pytest.mark.parametrize("name", NAMES)
def test_exports_are_small_and_say_who_wrote_them(name: str) -> None:
    said = {item.key: item.value for item in onnx.load(file(name)).metadata_props}

    assert file(name).stat().st_size < 20_000
    assert (said["exporter"], said["paddle"], said["model"]) == ("paddle2onnx 1.3.1", "2.6.2", name)


def test_it_is_one_operator_and_its_rows_are_the_same() -> None:
    before, after = fused("nms")

    seen = set()
    for seed, scale in ((0, 1.0), (1, 1.0), (2, 0.31), (3, 0.01)):
        old = list(open_session(before, optimize=False).run(scattered(seed, scale)).values())
        new = list(open_session(heads.lower(after), optimize=False).run(scattered(seed, scale)).values())
        rows = len(old[0])
        seen.add(rows)
        np.testing.assert_array_equal(new[0][:rows], old[0])
        np.testing.assert_array_equal(new[1], old[1])
        assert not new[0][rows:].any()
    assert {0, 8} < seen
    assert [node.op_type for node in after.proto.graph.node].count("MulticlassNms") == 1


def test_the_exporters_graph_fails_on_one_detection_and_ours_gives_it() -> None:
    before, after = fused("nms")
    inputs = scattered(0, 0.01)
    inputs["scores"][0, 1, 7] = 0.9

    with pytest.raises(GraphError, match="Gather"):
        open_session(before, optimize=False).run(inputs)
    rows, count = open_session(heads.lower(after), optimize=False).run(inputs).values()

    assert count.tolist() == [1]
    np.testing.assert_array_equal(rows[0], np.array([1, 0.9, *inputs["boxes"][0, 7]], np.float32))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("all", "is none of the operator's outputs, which are the best"),  # class by class, not best first
        ("background", "is none of the operator's outputs"),
        ("index", "still needs the selection: it is none of the operator's outputs"),
    ],
)
def test_near_misses_are_left_and_say_why(name: str, why: str) -> None:
    model = load(file(name))

    after, records = Pipeline.parse(PASSES, open_plugins().passes).run(model)

    assert "NonMaxSuppression" in [node.op_type for node in after.proto.graph.node]
    assert why in records[-1].missed
