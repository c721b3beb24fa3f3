"""What the outputs of a bare graph mean, where nobody says."""

from __future__ import annotations

import pytest

from convertkit.passes.roles import detection_roles
from tests.graphtext import parse

DETECTOR = """
(float[10,5] a, int64[10] b, float[10,3,2,2] c) => (float[10,5] dets, int64[10] labels, float[10,3,2,2] masks)
{
    dets = Identity(a)
    labels = Identity(b)
    masks = Identity(c)
}
"""


def test_a_detector_in_mmdets_convention_is_known():
    assert detection_roles(parse(DETECTOR)) == {"dets": "dets", "labels": "labels", "masks": "masks"}


def test_further_outputs_mean_nothing_in_particular():
    text = DETECTOR.replace("float[10,3,2,2] masks", "float[10,3,2,2] extra").replace("masks =", "extra =")

    assert detection_roles(parse(text))["extra"] == "other"


@pytest.mark.parametrize(
    ("old", "new"),
    [("[10,5]", "[10,4]"), ("int64[10]", "float[10]"), ("int64[10]", "int64[1,10]"), ("dets", "boxes")],
)
def test_whatever_does_not_fit_the_convention_has_no_roles(old, new):
    assert detection_roles(parse(DETECTOR.replace(old, new))) == {}


@pytest.mark.parametrize(("batch", "known"), [(1, True), (2, False)])
def test_detections_of_several_images_are_no_one_set(batch, known):
    text = f"""
    (float[{batch},10,5] a, int64[{batch},10] b) => (float[{batch},10,5] dets, int64[{batch},10] labels)
    {{
        dets = Identity(a)
        labels = Identity(b)
    }}
    """

    assert bool(detection_roles(parse(text))) == known
