"""``limit-detections``: fewer detections leave the graph, and fewer masks are computed."""

from __future__ import annotations

from convertkit.api import passes


class LimitDetections(passes.RewritingPass):
    """Keep only the best detections of each picture; a mask head behind them works on as many.

    As ``limit-proposals``, of the MulticlassNms that no other NMS depends on. Outputs with a row for each detection
    get as many rows, so their sizes change.

    Options:
        count: how many detections stay, of each picture.
    """

    name = "limit-detections"
    effect = "semantic"
    requires = ("fuse-multiclass-nms",)
    after = ("fuse-multilevel-roialign", "drop-offset-rounding", "restore-rpn-levels", "limit-proposals")
    before = ("clip-to-picture", "center-nms-boxes", "cast-fp16-operators", "legalize-ascend", "lower-heads")
    count: int = 100

    def __post_init__(self) -> None:
        from convertkit_passes.heads.rows.limit import check

        check(self.count)

    def shortens(self) -> bool:
        return True

    def run(self, graph: passes.Graph) -> None:
        from convertkit_passes.heads.rows.limit import require

        require(self.rewrite(graph), "detections")

    def rewrite(self, graph: passes.Graph) -> tuple[passes.Finding, ...]:
        """Every MulticlassNms of detections."""
        from convertkit_passes.heads.rows.limit import gives_detections, limit

        return limit(graph, self.count, gives_detections)
