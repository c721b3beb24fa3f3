"""What the rules about vendor operators and nearest pixels say, word by word, and what they do not."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_ascend import ops
from convertkit_ascend.linter.rule import Rule, Spot
from convertkit_ascend.linter.rules import every, of_graph
from convertkit_ascend.linter.rules.resize import same_as_floor
from convertkit_ascend.linter.table import Check
from convertkit_ascend.linter.view import View

from convertkit.graph.session import open_session
from tests.ascend.linter.cases import NMS, ROI
from tests.ascend.linter.graphs import named
from tests.ascend.linter.spots import RELU, entry, said, spots, typed, view

# vendor operators


def test_attributes_that_a_vendor_operator_does_not_read() -> None:
    nms = NMS.replace(
        "max_total_size = 5", "max_total_size = 5, b = 1, a = 1, transpose_box = 1, image_size = [8]"
    )
    twin = nms.replace("BatchMultiClassNMS", "NPUBatchNms")
    off = nms.replace("transpose_box = 1", "transpose_box = 0")

    assert said("vendor-attribute", typed(nms)) == [
        ("n0", f"{name} is not read") for name in ("a", "b", "transpose_box")
    ]
    for text in (twin, off):
        assert said("vendor-attribute", typed(text)) == [("n0", "a is not read"), ("n0", "b is not read")]
    assert said("nms-image-size", typed(nms)) == [("n0", "image_size is [8]")]
    assert said("nms-image-size", typed(NMS)) == []
    assert said("nms-image-size", typed(ROI.replace("<", "<image_size = [8], "))) == []


NOTED = NMS.replace("max_total_size = 5", "max_total_size = 129").replace("[1,5,4]", "[1,129,4]")


@pytest.mark.parametrize(
    ("text", "limits", "notes"),
    [
        (NMS, [], []),
        (NOTED, [], ["with max_total_size 129 nmsed_num does not count the last slot"]),
        (NOTED.replace("(b, s)", "(b)"), [], []),
        (NOTED.replace("(b, s)", '(b, "")'), [], None),
        (NOTED.replace("iou_threshold = 0.5", "iou_threshold = 1.5"),
         ["iou_threshold must be 0.0 to 1.0, it is 1.5"], []),
        (NOTED.replace("[1,9,3]", "[1,8,3]"),
         ["boxes (1, 9, 1, 4) and scores (1, 8, 3) differ in batch or number"], []),
        (NOTED.replace("[1,9,3]", "[1,n,3]"), [], None),
        (NOTED.replace("iou_threshold = 0.5, ", ""), [], []),
        (ROI, [], []),
        (ROI.replace("<", "<roi_scale_factor = 0.5, "), [], ["roi_scale_factor is not used by the kernel"]),
        (ROI.replace("<", "<pooled_width = 8, "),
         ["the kernel takes pooled_height for both sides: bins of 7 x 8 come out 7 x 7"], []),
        (ROI.replace("[2,5]", "[2,4]"), ["rois must be (K, 5), they are (2, 4)"], []),
    ],
)  # fmt: skip
def test_limits_and_notes_of_vendor_operators(text: str, limits: list[str], notes: list[str] | None) -> None:
    assert [why for _, why in said("vendor-limit", typed(text))] == limits
    if notes is not None:
        assert [why for _, why in said("vendor-note", typed(text))] == notes


def own(text: str) -> View:
    """The same in convertkit's own domain."""
    for name in ops.names():
        text = text.replace(f" {name} ", f" {ops.DOMAIN}.{name} ")
    return View(named(text, domains=(ops.DOMAIN,)))


def test_the_same_in_convertkits_own_domain() -> None:
    wrong = own(NOTED.replace("iou_threshold = 0.5", "iou_threshold = 1.5"))
    alone = own(NOTED.replace("(b, s)", "(b)"))

    assert spots("vendor-limit", wrong) == [
        Spot("n0", "iou_threshold must be 0.0 to 1.0, it is 1.5", f"{ops.DOMAIN}::BatchMultiClassNMS",
             "change the pass that made the node")
    ]  # fmt: skip
    assert spots("vendor-note", wrong) == spots("vendor-note", alone) == spots("vendor-limit", alone) == []
    assert said("vendor-note", own(NOTED)) == [
        ("n0", "with max_total_size 129 nmsed_num does not count the last slot")
    ]


# nearest pixels


def test_every_nearest_resize_of_a_small_row_is_told_as_onnxruntime_does_it() -> None:
    modes = [
        (place, nearest)
        for place in (
            "asymmetric",
            "tf_half_pixel_for_nn",
            "half_pixel",
            "pytorch_half_pixel",
            "align_corners",
        )
        for nearest in ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil")
    ]
    cases = [
        (size, wanted, *mode)
        for size in (1, 2, 3, 5, 7)
        for wanted in (1, 2, 3, 4, 6, 7, 10)
        for mode in modes
        if not (mode[0] == "align_corners" and wanted == 1)
    ]
    lines = [
        f'y{at} = Resize <mode = "nearest", coordinate_transformation_mode = "{place}", nearest_mode = "{nearest}">'
        f" (x{size}, e, c, s{wanted})"
        for at, (size, wanted, place, nearest) in enumerate(cases)
    ]
    inputs = ", ".join(f"float[1,{size}] x{size}" for size in (1, 2, 3, 5, 7))
    outputs = ", ".join(f"float[1,{wanted}] y{at}" for at, (_, wanted, *_) in enumerate(cases))
    sizes = ", ".join(f"int64[2] s{wanted} = {{1, {wanted}}}" for wanted in (1, 2, 3, 4, 6, 7, 10))
    model = named(
        f"({inputs}) => ({outputs}) <float[0] e = {{}}, float[0] c = {{}}, {sizes}> {{ {' '.join(lines)} }}"
    )
    rows = {f"x{size}": np.arange(size, dtype=np.float32)[None] for size in (1, 2, 3, 5, 7)}

    taken = open_session(model, optimize=False).run(rows)

    for at, (node, (size, wanted, *_)) in enumerate(zip(View(model).nodes, cases, strict=True)):
        plain = np.arange(wanted) * size // wanted
        assert same_as_floor(node) == bool(np.array_equal(taken[f"y{at}"][0], plain)), cases[at]


UP = """(float[1,10] x) => (float[1,n] y) <float[0] e = {}, float[2] s = {1, SCALE}>
{ y = Resize <mode = "nearest", coordinate_transformation_mode = "PLACE", nearest_mode = "floor"> (x, e, s) }"""


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (UP.replace("SCALE", "1.1").replace("PLACE", "asymmetric"), True),
        (UP.replace("SCALE", "1.19").replace("PLACE", "asymmetric"), False),  # although 11 come out of 10 too
        (UP.replace("SCALE", "1.1").replace("PLACE", "tf_crop_and_resize"), None),
        (UP.replace("SCALE", "1").replace("PLACE", "tf_crop_and_resize"), True),
        (UP.replace("SCALE", "1.1").replace("PLACE", "asymmetric").replace("[1,10] x", "[1,n] x"), None),
    ],
)
def test_a_resize_by_scales_and_what_is_not_known(text: str, same: bool | None) -> None:
    assert same_as_floor(View(named(text)).nodes[0]) is same


def test_only_a_nearest_resize_with_plain_places_is_told() -> None:
    wrong = UP.replace("SCALE", "1.1").replace("floor", "ceil")

    def told(text: str) -> list[tuple[str, str]]:
        return said("resize-rounding", View(named(text)))

    for place in ("asymmetric", "tf_half_pixel_for_nn"):
        text = wrong.replace("PLACE", place)
        assert told(text) == [("n0", "nearest_mode ceil is not read: the chip rounds down")]
        assert told(text.replace('"nearest"', '"linear"')) == told(text.replace("[1,10] x", "[1,n] x")) == []
    assert told(wrong.replace("PLACE", "half_pixel")) == []
    assert told(UP.replace("SCALE", "1.1").replace("PLACE", "asymmetric")) == []


# how rules are asked


def test_limits_of_the_table_hold_at_their_opsets_and_remarks_are_none() -> None:
    def rules(opset: int, severity: str) -> list[str]:
        check = Check("dynamic_output", severity, "doc", opset_min=12, opset_max=14)  # type: ignore[arg-type]
        seen = view(RELU.replace("KIND", "float"), entry("Relu", checks=(check,)), opset=opset)
        return [item.rule for item in of_graph(seen) if item.rule == "dynamic-output"]

    assert [opset for opset in range(10, 17) if rules(opset, "error")] == [12, 13, 14]
    assert rules(13, "warn") == ["dynamic-output"]
    assert rules(13, "info") == []


def test_each_rule_is_there_once_and_in_its_place() -> None:
    found = [item.about.id for item in every() if isinstance(item, Rule)]

    assert found[0] == "file-size"
    assert found.index("attr-type") < found.index("type") < found.index("resize-rounding")
    assert len(set(map(id, every()))) == len(every())
