"""The chip's peaks and the vendor operators' costs."""

from __future__ import annotations

import pytest
from convertkit_ascend import socs
from convertkit_ascend.roofline import machine

from convertkit.estimation.roofline import estimate
from convertkit.plugins.loading import open_plugins
from tests.ascend.chip import CHIP
from tests.graphtext import parse

GRAPH = """
(float[1,40,1,4] boxes, float[1,40,3] scores, float[1,2,80,80] fine, float[1,2,40,40] coarse, float[10,5] rois) => (float[10,2,7,7] y, float[1,10] kept)
{
    found, kept, kind, number = convertkit.ascend.BatchMultiClassNMS <score_threshold = 0.1, iou_threshold = 0.5, max_size_per_class = 10, max_total_size = 10> (boxes, scores)
    y = convertkit.ascend.RoiExtractor <finest_scale = 8, pooled_height = 7, pooled_width = 7, spatial_scale = [0.25, 0.125], sample_num = SAMPLES> (fine, coarse, rois)
}
"""  # noqa: E501


def test_the_peaks_of_the_310p3_are_those_of_the_facts() -> None:
    found = CHIP.machine

    assert found.name == "Ascend310P3"
    assert found.matrix.rate == pytest.approx(69.47e12, rel=1e-3)
    assert found.vector.rate == pytest.approx(1085.4e9, rel=1e-3)
    assert found.memory.rate == pytest.approx(144.2e9, rel=1e-3)
    assert [item.rate for item in found.other_memory] == [204.8e9]
    assert "unverified" in found.other_memory[0].source
    assert found.float_bytes == 2


@pytest.mark.parametrize("name", socs.names())
def test_every_chip_has_peaks_with_sources(name: str) -> None:
    found = machine(name)

    assert all(figure.rate > 0 for figure in (found.matrix, found.vector, found.memory))
    assert all("platform file" in figure.source for figure in (found.matrix, found.vector, found.memory))


@pytest.mark.parametrize(("samples", "left_out"), [("0", True), ("2", False)])
def test_the_vendor_operators_are_counted(samples: str, left_out: bool) -> None:
    open_plugins()

    found = estimate(
        parse(GRAPH.replace("SAMPLES", samples), domains=["convertkit.ascend"]), machine("ascend310p3")
    )

    by_op = {row.op: row for row in found.rows}
    assert not found.uncounted
    ratio = max(int(samples), 1)
    points = 10 * 2 * 49 * ratio**2
    assert by_op["RoiExtractor"].operations == 8 * points
    touched = min(2 * 2 * (80 * 80 + 40 * 40), 2 * 4 * points)
    assert by_op["RoiExtractor"].bytes == touched + 2 * 50 + 2 * 10 * 2 * 49
    assert by_op["BatchMultiClassNMS"].operations == 40 * 3
    assert ("RoI sampling beyond one sample per bin" in found.left_out) == left_out
    assert "overlaps computed in NMS" in found.left_out
