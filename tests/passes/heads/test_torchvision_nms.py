"""torchvision's own exports: every NonMaxSuppression becomes one operator, and nothing that is found changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from convertkit_passes.absorb_score_filters import AbsorbScoreFilters
from convertkit_passes.cast_int64 import CastInt64ToInt32
from convertkit_passes.fuse_multiclass_nms import FuseMulticlassNms
from convertkit_passes.resolve_if import ResolveIf
from convertkit_passes.simplify import Simplify

from convertkit.api import heads
from convertkit.api.graphs import open_session
from convertkit.api.passes import Pass
from convertkit.graph.light import LightModel, detach
from convertkit.graph.validate import validate
from tests.exports import torchvision
from tests.graphtext import apply

pytestmark = pytest.mark.slow

heads.DOMAIN.register_schemas()

PASSES: tuple[Pass, ...] = (
    Simplify(),
    ResolveIf(),
    Simplify(),  # a branch may begin with casts to the type there is
    AbsorbScoreFilters(),
    FuseMulticlassNms(pad_detections=True),
)


def outputs(model: LightModel) -> list[list[np.ndarray[Any, Any]]]:
    session = open_session(heads.lower(model), optimize=False)
    return [list(session.run({session.inputs[0]: item}).values()) for item in torchvision.pictures()]


@pytest.mark.parametrize("name", torchvision.NAMES)
def test_a_detector_finds_the_same(name: str) -> None:
    before = detach(onnx.load(torchvision.file(name)))

    after = before
    for step in PASSES:
        after = apply(step, after)

    validate(after)
    found = [node.op_type for node in after.proto.graph.node if node.domain == heads.HEADS]
    assert len(found) == (2 if "rcnn" in name else 1)
    assert not any(node.op_type == "NonMaxSuppression" for node in after.proto.graph.node)
    for old, new in zip(outputs(before), outputs(after), strict=True):
        for one, other in zip(old, new, strict=True):
            np.testing.assert_array_equal(other[: len(one)], one)
            assert len(other) == 12
            assert len(np.unique(other[len(one) :], axis=0)) <= 1


@pytest.mark.parametrize("name", ["retinanet", "ssd"])
def test_filters_are_absorbed_of_a_graph_that_reads_places_as_int32(name: str) -> None:
    after = detach(onnx.load(torchvision.file(name)))
    for step in (*PASSES[:3], CastInt64ToInt32(), *PASSES[3:]):
        before, after = after, apply(step, after)
        assert (step.name != "absorb-score-filters") or before is not after

    assert not any(node.op_type == "NonMaxSuppression" for node in after.proto.graph.node)


def test_the_pictures_give_nothing_some_and_as_many_as_there_may_be() -> None:
    rows = {len(item[0]) for item in outputs(detach(onnx.load(torchvision.file("faster_rcnn"))))}

    assert {0, 12} < rows
