"""``select-class-masks``: one mask per detection leaves the graph, not one per class."""

from __future__ import annotations

from convertkit.api import passes


class SelectClassMasks(passes.GraphPass):
    """Output the mask of the predicted class only, instead of one mask per class.

    ``masks`` of K detections and C classes goes from ``(K, C, h, w)`` to ``(K, h, w)``: row ``k*C + labels[k]`` of the
    ``(K*C, h, w)`` masks. The elementwise operators at the end (mmdet's Sigmoid) move behind the selection and so
    work on 1/C of the values. Class-agnostic masks (C = 1) only lose their axis; masks that are ``(K, h, w)`` already
    stay.

    The effect is ``rounding``: the same function of the same values, but the shape changes, and an operator may
    round differently where its vectors end elsewhere. Every label must be in 0..C-1, those of empty slots too.

    Options:
        masks: the graph output of the masks, ``(K, C, h, w)``, static.
        labels: the graph output of the class indices, ``(K,)`` int32 or int64.
    """

    name = "select-class-masks"
    effect = "rounding"
    after = ("simplify", "fold-constants", "cast-int64-to-int32")
    masks: str = "masks"
    labels: str = "labels"

    def run(self, graph: passes.Graph) -> None:
        from convertkit_passes.masks.select import select

        select(graph, self.masks, self.labels)
