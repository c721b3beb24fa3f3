"""``restore-rpn-levels``: proposals of one pyramid level do not suppress those of another."""

from __future__ import annotations

from convertkit.api import passes


class RestoreRpnLevels(passes.RewritingPass):
    """Let the NMS of proposals work inside each pyramid level, as the framework does outside of its export.

    mmdet's ``RPNHead._bbox_post_process`` (2.28.2) calls ``batched_nms`` with level ids; its ``onnx_export`` notes that
    it does NMS across all levels instead. Here each level becomes a class of the operator: boxes
    ``(B, M, L, 4)`` and scores ``(B, M, L)``, M the longest level. Shorter levels are padded with boxes of zeros and
    score 0, which is not above any score threshold the operator has (0 or more).

    A MulticlassNms is rewritten when it has one class, its boxes become RoIs, and boxes and scores are
    concatenations of the same levels. How many boxes are kept in all stays the same.
    """

    name = "restore-rpn-levels"
    effect = "semantic"
    requires = ("fuse-multiclass-nms",)
    heads = ("NonMaxSuppression",)
    before = ("legalize-ascend",)

    def rewrite(self, graph: passes.Graph) -> tuple[passes.Finding, ...]:
        """Every MulticlassNms of one class whose boxes become RoIs."""
        from convertkit_passes.heads.levels import restore

        return restore(graph)
