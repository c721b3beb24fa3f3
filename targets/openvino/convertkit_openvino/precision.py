"""What stays in fp32 when a graph is computed in fp16: whatever decides where a box is, and which is kept."""

from __future__ import annotations

from typing import Any

PRODUCTS = {
    "Convolution",
    "ConvolutionBackpropData",
    "GroupConvolution",
    "GroupConvolutionBackpropData",
    "MatMul",
}
"""Nearly all of a network's arithmetic."""

DECIDES = ("NonMaxSuppression", "TopK", "ROIAlign", "Result")

KEEP = "precise_0"
"""OpenVINO's runtime attribute: no conversion to fp16. It is written into ``model.xml``, where the plugin heeds it."""


def keep_heads_in_fp32(model: Any) -> None:
    """Marks what lies between the last products and NMS, TopK, the RoIs of RoIAlign and the outputs.

    In fp16 a count above 2,048 and a coordinate above 1,024 pixels are rounded to even numbers, and the area of a RoI
    above 65,504, of 256 x 256 pixels, is infinite.
    """
    todo = [node for node in model.get_ops() if node.get_type_name() in DECIDES]
    seen: set[str] = set()
    while todo:
        node = todo.pop()
        if node.get_name() in seen or node.get_type_name() in PRODUCTS:
            continue
        seen.add(node.get_name())
        node.get_rt_info()[KEEP] = ""
        features = int(node.get_type_name() == "ROIAlign")
        todo += [value.get_node() for value in node.input_values()[features:]]
