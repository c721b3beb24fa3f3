"""``prune-mask-head``: the last convolution of the mask head computes the predicted class only."""

from __future__ import annotations

from convertkit.api import passes


class PruneMaskHead(passes.GraphPass):
    """Compute the mask of the predicted class only: one row of the last 1x1 convolution per detection.

    Behind ``select-class-masks`` C-1 of the C classes are computed and dropped. Here the row of the weights (and of the
    bias) that belongs to each label is gathered, ``(K, 1, Cin)``, and multiplied with the features, ``(K, Cin, h*w)``:
    C times fewer multiplications in that layer. Where the selection is not fed by such a convolution alone, nothing
    changes.

    The effect is ``rounding``: the same products, summed in another order.
    """

    name = "prune-mask-head"
    effect = "rounding"
    requires = ("select-class-masks",)

    def run(self, graph: passes.Graph) -> None:
        from convertkit_passes.masks.prune import prune

        for node in graph.find("Gather"):
            prune(graph, node)
