"""``center-nms-boxes``: half the magnitude, half the rounding of float16."""

from __future__ import annotations

from convertkit.api import passes


class CenterNmsBoxes(passes.RewritingPass):
    """Let the float16 NMS see boxes around the middle of the canvas, which it rounds half as much.

    float16 has a spacing of 1 pixel above 1024 and of 0.5 above 512; the 310P kernel has no other type
    (ascend-facts: nms-fp16). Boxes of a W x H canvas are moved by -W/2, -H/2 before the operator and back behind it.
    IoU does not change. An unused slot (score 0) is not moved back: it stays zero.

    Worth it on a chip that rounds to float16; in float32 the sums round by up to 6e-5 pixels at 1024.
    """

    name = "center-nms-boxes"
    effect = "rounding"
    requires = ("fuse-multiclass-nms",)
    heads = ("NonMaxSuppression",)
    after = ("restore-rpn-levels", "clip-to-picture")
    before = ("legalize-ascend",)

    def rewrite(self, graph: passes.Graph) -> tuple[passes.Finding, ...]:
        """Every NMS: by how much its boxes are moved, or why they are not."""
        from convertkit_ascend.passes.centring import centre

        return centre(graph)
