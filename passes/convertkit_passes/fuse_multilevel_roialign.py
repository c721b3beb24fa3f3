"""``fuse-multilevel-roialign``: the extraction of RoI features from several levels becomes one operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convertkit.api import passes

if TYPE_CHECKING:
    from convertkit_passes.heads.roi.search import Match


class FuseMultilevelRoialign(passes.RewritingPass):
    """Replace multi-level RoIAlign by one MultilevelRoiAlign, which targets have an operator for.

    RoiAlign nodes of 2 to 8 levels whose RoIs come from one tensor and whose results go into one, in whatever way the
    exporter has written what lies between. Everything about a candidate that its RoiAlign nodes do not state is
    measured by running it: which RoI takes which level, ``finest_scale``, ``aligned``. Then it has to agree with
    the operator on random features; otherwise it stays. The number of RoIs may be open.

    A RoI whose scale is a bound between two levels (2e-5, relative) is not asked; as in frameworks it goes up. Targets
    may differ there, and below one feature pixel where the framework does not clamp; the finding says which rule was
    seen.

    Options:
        square: leave heads alone whose bins are not as many one way as the other, for targets that cannot have them.
    """

    name = "fuse-multilevel-roialign"
    effect = "rounding"
    after = ("simplify", "fold-constants")
    heads = ("RoiAlign",)
    square: bool = False

    def rewrite(self, graph: passes.Graph) -> tuple[passes.Finding, ...]:
        """Every group of RoiAlign nodes: what takes its place, or why nothing does."""
        from convertkit_passes.heads.roi.search import search

        matches, findings = search(graph, square=self.square)
        for match in matches:
            _rewrite(graph, match)
        return findings


def _rewrite(graph: passes.Graph, match: Match) -> None:
    import numpy as np

    from convertkit.api import heads

    result = graph.add(
        heads.MULTILEVEL_ROI_ALIGN.name,
        [*match.features, _rois(graph, match)],
        attrs=match.verdict.attributes,
        dtype=np.float32,
        shape=match.shape,
        domain=heads.HEADS,
    )
    graph.replace(match.exit, result)


def _rois(graph: passes.Graph, match: Match) -> Any:
    """``(K, 5)``; where the graph has boxes only, with the image's number put in front."""
    import numpy as np

    if match.source.tensor is not None:
        return match.source.tensor
    count = match.entry.shape[0]
    if not isinstance(count, int):
        in_front = [
            graph.constant(np.array([0, 1, 0, 0], np.int64)),
            graph.constant(np.full((), match.source.image, np.float32)),
        ]
        return graph.add("Pad", [match.entry, *in_front], dtype=np.float32, shape=(count, 5), name="rois")
    images = graph.constant(np.full((count, 1), match.source.image, np.float32), name="roi_images")
    return graph.add(
        "Concat", [images, match.entry], attrs={"axis": 1}, dtype=np.float32, shape=(count, 5), name="rois"
    )
