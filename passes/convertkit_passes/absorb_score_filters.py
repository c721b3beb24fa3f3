"""``absorb-score-filters``: NonMaxSuppression's own threshold instead of a filter of open length in front of it."""

from __future__ import annotations

from convertkit.api import passes


class AbsorbScoreFilters(passes.RewritingPass):
    """Let NonMaxSuppression drop low scores instead of filters ahead, so that its inputs have a fixed size.

    A filter takes the scores above a threshold of a tensor of fixed size, and the best K of those (torchvision: every
    level of a one-stage head). Which threshold and which K is measured; afterwards the best K of all scores are taken.
    The same boxes are selected: what the filter lets through are the first of the best K, and the rest is not above
    the threshold that NonMaxSuppression gets.

    A filter stays where anything but selected boxes would see that there are more rows, or where rows are not treated
    one by one in between. One thing may see them, a maximum over all boxes, which class offsets are made of
    (torchvision): offsets may be larger, and so round otherwise.
    """

    name = "absorb-score-filters"
    effect = "rounding"
    after = ("simplify", "fold-constants", "set-input-shape", "resolve-if")
    before = ("fuse-multiclass-nms",)

    def rewrite(self, graph: passes.Graph) -> tuple[passes.Finding, ...]:
        """Every NonMaxSuppression with scores of open length: the threshold it gets, or what is in the way."""
        from convertkit_passes.heads.nms.filters.absorb import absorb

        return absorb(graph)
