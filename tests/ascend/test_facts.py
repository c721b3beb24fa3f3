"""The figures in docs/ascend-facts.md are those that the code has."""

from __future__ import annotations

import re

import pytest
from convertkit_ascend import socs
from convertkit_ascend.aipp import limits
from convertkit_ascend.doctor import modules, variables
from convertkit_ascend.ops import nms, nms_device, roi_extractor, vendor_op
from convertkit_ascend.roofline.peaks import QUOTED_MEMORY

from tests.citations import statements

CHIP = socs.get("ascend310p3")


@pytest.mark.parametrize(
    ("statement", "figures"),
    [
        ("nms-limits", (nms.MOST_WITH_NUM_VALID, 1000)),
        ("nms-fp16", (nms.LARGEST_CLASS,)),
        ("nms-4080", (nms_device.KERNEL_BOXES, roi_extractor.UB_BYTES)),
        ("roi-buffer", (roi_extractor.UB_BYTES,)),
        ("parser-opsets", vendor_op.OPSETS),
        (
            "aipp-limits",
            (*limits.WIDTHS, *limits.STARTS, limits.WIDEST_PADDING, *limits.WIDEST_PADDED.values()),
        ),
        ("cann-parallel", (variables.MOST_PARALLEL,)),
        (
            "cann-python",
            (f"{modules.OLDEST[0]}.{modules.OLDEST[1]}", f"{modules.NEWEST[0]}.{modules.NEWEST[1]}"),
        ),
        ("chip-figures", (CHIP.ai_cores, CHIP.mhz, CHIP.vector_lanes, CHIP.unified_buffer_bytes)),
        ("chip-figures", (CHIP.ddr_bytes_per_cycle, CHIP.l2_bytes_per_cycle, f"{CHIP.peak() / 1e12:.1f}")),
        ("chip-memory", (QUOTED_MEMORY["Ascend310P3"] / 1e9,)),
    ],
)
def test_figures_of_a_statement_are_those_of_the_code(statement: str, figures: tuple[object, ...]) -> None:
    text = statements()[statement]

    shown = [figure if isinstance(figure, str) else f"{figure:,}" for figure in figures]
    assert [
        figure for figure in shown if not re.search(rf"(?<![\d.,]){re.escape(figure)}(?!\d|[.,]\d)", text)
    ] == []
