"""The text of ``atc --insert_op_conf``: prototxt, one ``aipp_op``, only what differs from the unit's defaults."""

from __future__ import annotations

from collections.abc import Iterator

from convertkit_ascend.aipp.aipp_op import Aipp

Value = str | int | float | bool


def config_text(aipp: Aipp) -> str:
    """The file, ending with a newline; the same settings give the same bytes.

    Numbers have nine digits: whatever precision the unit has, it gets the nearest value.
    """
    lines = [f"    {name}: {_value(value)}" for name, value in _fields(aipp)]
    return "\n".join(["aipp_op {", *lines, "}", ""])


def _fields(aipp: Aipp) -> Iterator[tuple[str, Value]]:
    yield "aipp_mode", "static"
    yield "related_input_rank", aipp.input_rank
    yield "input_format", "RGB888_U8"
    yield "src_image_size_w", aipp.width
    yield "src_image_size_h", aipp.height
    yield "csc_switch", False
    yield "rbuv_swap_switch", aipp.swap
    yield from _crop(aipp)
    for name, values in (("mean_chn", aipp.mean), ("min_chn", aipp.low), ("var_reci_chn", aipp.scale)):
        for index, value in enumerate(values):
            yield f"{name}_{index}", value
    yield from _padding(aipp)


def _crop(aipp: Aipp) -> Iterator[tuple[str, Value]]:
    yield "crop", aipp.crop is not None
    if aipp.crop is not None:
        yield "load_start_pos_w", aipp.crop.left
        yield "load_start_pos_h", aipp.crop.top
        yield "crop_size_w", aipp.crop.width
        yield "crop_size_h", aipp.crop.height


def _padding(aipp: Aipp) -> Iterator[tuple[str, Value]]:
    yield "padding", aipp.padding is not None
    if aipp.padding is not None:
        for name in ("left", "right", "top", "bottom"):
            yield f"{name}_padding_size", getattr(aipp.padding, name)
        yield "padding_value", aipp.padding.value


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.9g}" if isinstance(value, float) else str(value)
