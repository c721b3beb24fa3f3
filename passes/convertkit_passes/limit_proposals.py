"""``limit-proposals``: fewer RoIs go into the heads of a two-stage detector."""

from __future__ import annotations

from convertkit.api import passes


class LimitProposals(passes.RewritingPass):
    """Keep only the best proposals, so that the heads behind them work on fewer RoIs.

    A MulticlassNms whose boxes become RoIs that another NMS depends on gives its best ``count`` boxes: the operator
    orders them by score, so they are the first of those it gave. Everything behind that has a row for each proposal
    gets as many: sizes that the exporter has written down, constants with a value for each, sizes of outputs. The graph
    is then what its exporter would have written for ``count`` proposals.

    Which tensors these are follows from the graph, node by node; at the first that cannot be told to have as many rows
    the pass fails, with its name and operator. It also fails where there are no such proposals. Where there are no more
    than ``count``, nothing changes.

    Options:
        count: how many proposals stay, of each picture.
    """

    name = "limit-proposals"
    effect = "semantic"
    requires = ("fuse-multiclass-nms",)
    after = ("fuse-multilevel-roialign", "drop-offset-rounding", "restore-rpn-levels")
    before = ("clip-to-picture", "center-nms-boxes", "cast-fp16-operators", "legalize-ascend", "lower-heads")
    count: int = 500

    def __post_init__(self) -> None:
        from convertkit_passes.heads.rows.limit import check

        check(self.count)

    def run(self, graph: passes.Graph) -> None:
        from convertkit_passes.heads.rows.limit import require

        require(self.rewrite(graph), "proposals")

    def rewrite(self, graph: passes.Graph) -> tuple[passes.Finding, ...]:
        """Every MulticlassNms of proposals."""
        from convertkit_passes.heads.rows.limit import gives_proposals, limit

        return limit(graph, self.count, gives_proposals)
