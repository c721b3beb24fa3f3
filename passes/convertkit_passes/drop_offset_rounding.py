"""``drop-offset-rounding``: boxes as the detection head computed them, not as class offsets left them."""

from __future__ import annotations

from convertkit.api import passes


class DropOffsetRounding(passes.RewritingPass):
    """Take off the rounding that class offsets left in the boxes of an export.

    mmdet's export moves the boxes of each class to a place of their own, up to 25,000 pixels away, and back; float32
    keeps 1/512 pixel there. ``fuse-multiclass-nms`` keeps that rounding, so that it can be held to the same bits;
    this pass takes it off. mmdet under PyTorch reports unmoved boxes too. In float16 the offsets would cost 16 pixels.
    """

    name = "drop-offset-rounding"
    effect = "semantic"
    requires = ("fuse-multiclass-nms",)
    heads = ("NonMaxSuppression",)
    before = ("restore-rpn-levels", "clip-to-picture", "center-nms-boxes", "legalize-ascend")

    def rewrite(self, graph: passes.Graph) -> tuple[passes.Finding, ...]:
        """Every MulticlassNms whose boxes were moved by class and back, and how far."""
        from convertkit_passes.heads.nms.experiment.rounding import drop

        return drop(graph)
