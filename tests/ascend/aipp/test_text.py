"""The text of the configuration: golden, and read back by protobuf's own text parser."""

from __future__ import annotations

import pytest
from convertkit_ascend.aipp import Aipp, Crop, Padding, config_text, from_pixels
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from convertkit.api.models import PreprocessSpec
from convertkit.api.targets import Pixels

FIELD = descriptor_pb2.FieldDescriptorProto
SPEC = PreprocessSpec(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375), normalize="target")
GOLDEN = """\
aipp_op {
    aipp_mode: static
    related_input_rank: 0
    input_format: RGB888_U8
    src_image_size_w: 1216
    src_image_size_h: 800
    csc_switch: false
    rbuv_swap_switch: true
    crop: false
    mean_chn_0: 123
    mean_chn_1: 116
    mean_chn_2: 103
    min_chn_0: 0.675
    min_chn_1: 0.28
    min_chn_2: 0.53
    var_reci_chn_0: 0.0171247538
    var_reci_chn_1: 0.0175070028
    var_reci_chn_2: 0.0174291939
    padding: false
}
"""


@pytest.fixture(scope="module")
def schema():
    """The fields of ascend-facts: aipp-unit with their types, as a message ``Config { repeated Op aipp_op }``."""
    file = descriptor_pb2.FileDescriptorProto(name="aipp.proto", package="aipp", syntax="proto2")
    for name, words in (
        ("Mode", ["undefined", "static", "dynamic"]),
        ("Format", ["YUV420SP_U8", "RGB888_U8"]),
    ):
        kind = file.enum_type.add(name=name)
        for number, word in enumerate(words):
            kind.value.add(name=word, number=number)
    op = file.message_type.add(name="Op")
    whole = [
        "related_input_rank",
        "src_image_size_w",
        "src_image_size_h",
        "load_start_pos_w",
        "load_start_pos_h",
    ]
    whole += [
        "crop_size_w",
        "crop_size_h",
        *(f"{side}_padding_size" for side in ("left", "right", "top", "bottom")),
    ]
    real = ["padding_value"]
    whole += [f"mean_chn_{index}" for index in range(4)]
    real += [f"{name}_{index}" for name in ("min_chn", "var_reci_chn") for index in range(4)]
    switches = ["csc_switch", "rbuv_swap_switch", "ax_swap_switch", "crop", "padding"]
    kinds = {**dict.fromkeys(whole, FIELD.TYPE_INT32), **dict.fromkeys(real, FIELD.TYPE_FLOAT)}
    kinds |= dict.fromkeys(switches, FIELD.TYPE_BOOL)
    for number, (name, kind) in enumerate(kinds.items(), 1):
        op.field.add(name=name, number=number, type=kind, label=FIELD.LABEL_OPTIONAL)
    for number, (name, kind) in enumerate(
        (("aipp_mode", ".aipp.Mode"), ("input_format", ".aipp.Format")), 90
    ):
        op.field.add(
            name=name, number=number, type=FIELD.TYPE_ENUM, type_name=kind, label=FIELD.LABEL_OPTIONAL
        )
    config = file.message_type.add(name="Config")
    config.field.add(
        name="aipp_op", number=1, type=FIELD.TYPE_MESSAGE, type_name=".aipp.Op", label=FIELD.LABEL_REPEATED
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("aipp.Config"))


def test_the_text_for_mask_rcnn() -> None:
    aipp = from_pixels(Pixels("input", (800, 1216), SPEC))

    assert config_text(aipp) == GOLDEN


def test_protobuf_reads_what_was_written(schema) -> None:
    aipp = Aipp(
        width=64,
        height=48,
        swap=True,
        mean=(1, 2, 3),
        low=(0.5, 0.25, 0.0),
        scale=(1 / 58.395, 1e-4, 2.0),
        crop=Crop(left=2, top=4, width=32, height=16),
        padding=Padding(left=1, right=2, top=3, bottom=4, value=-0.5),
        input_rank=1,
    )

    (op,) = text_format.Parse(config_text(aipp), schema()).aipp_op

    assert (op.src_image_size_w, op.src_image_size_h, op.related_input_rank) == (64, 48, 1)
    assert (op.rbuv_swap_switch, op.csc_switch, op.crop, op.padding) == (True, False, True, True)
    assert (op.load_start_pos_w, op.load_start_pos_h, op.crop_size_w, op.crop_size_h) == (2, 4, 32, 16)
    assert (op.left_padding_size, op.right_padding_size, op.top_padding_size, op.bottom_padding_size) == (
        1,
        2,
        3,
        4,
    )
    assert op.padding_value == -0.5
    assert (op.mean_chn_0, op.mean_chn_1, op.mean_chn_2) == (1, 2, 3)
    assert (op.min_chn_0, op.min_chn_1, op.min_chn_2) == (0.5, 0.25, 0.0)
    found = (op.var_reci_chn_0, op.var_reci_chn_1, op.var_reci_chn_2)
    assert found == pytest.approx(aipp.scale, rel=6e-8)  # half a last place of fp32
    assert aipp.output_size == (23, 35)


def test_bgr_networks_get_no_swap() -> None:
    spec = PreprocessSpec(mean=(103.0, 116.0, 123.0), std=(1.0, 1.0, 1.0), to_rgb=False)

    text = config_text(from_pixels(Pixels("x", (8, 8), spec)))

    assert "rbuv_swap_switch: false" in text
    assert "mean_chn_0: 103\n" in text
    assert "min_chn_0: 0\n" in text
