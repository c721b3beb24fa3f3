"""``lower-heads``: detection heads in standard ONNX, for runtimes without operators for them."""

from __future__ import annotations

from convertkit.api import passes


class LowerHeads(passes.LightPass):
    """Write MultilevelRoiAlign and MulticlassNms in standard ONNX, their outputs of fixed shape.

    What an exporter writes for them is slower: here each RoI is pooled once, on its own level, and each class is a
    batch of NonMaxSuppression, so that no box is moved to keep classes apart. Outputs are as long as the operator's
    attributes say, unused slots of score 0 at the end.

    Every check runs heads in this form, that of the passes that find them too: there they are compared with what the
    exporter wrote. The check of this pass compares the form with itself.
    """

    name = "lower-heads"
    effect = "rounding"
    after = (
        "fuse-multilevel-roialign",
        "fuse-multiclass-nms",
        "drop-offset-rounding",
        "restore-rpn-levels",
        "clip-to-picture",
    )

    def run(self, model: passes.LightModel) -> passes.LightModel:
        from convertkit.api import heads

        return heads.lower(model)
