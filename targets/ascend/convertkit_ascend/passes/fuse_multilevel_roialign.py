"""``fuse-multilevel-roialign``: the extraction of RoI features from several levels becomes one ``RoiExtractor``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import convertkit
from convertkit_ascend.passes.rewriting import RewritingPass

if TYPE_CHECKING:
    from convertkit_ascend.matching.roi.search import Match


class FuseMultilevelRoialign(RewritingPass):
    """Replace multi-level RoIAlign by the vendor operator RoiExtractor.

    RoiAlign nodes of 2 to 8 levels whose RoIs come from one tensor and whose results go into one, in whatever way the
    exporter has written what lies between. Everything about a candidate that its RoiAlign nodes do not state is
    measured by running it: which RoI takes which level, ``finest_scale``, ``aligned``. Then it has to agree with
    the operator on random features; otherwise it stays.

    Framework and operator disagree by design where a RoI's scale is a bound between two levels (2e-5, relative), and
    below one feature pixel where the framework does not clamp; the finding says which rule was seen.
    """

    name = "fuse-multilevel-roialign"
    effect = "rounding"
    after = ("simplify", "fold-constants")
    heads = ("RoiAlign",)

    def rewrite(self, graph: convertkit.Graph) -> tuple[convertkit.Finding, ...]:
        """Every group of RoiAlign nodes: what takes its place, or why nothing does."""
        from convertkit_ascend.matching.roi.search import search

        matches, findings = search(graph)
        for match in matches:
            _rewrite(graph, match)
        return findings


def _rewrite(graph: convertkit.Graph, match: Match) -> None:
    import numpy as np

    from convertkit_ascend import ops

    result = graph.add(
        ops.ROI_EXTRACTOR.name,
        [*match.features, _rois(graph, match)],
        attrs=match.verdict.attributes,
        dtype=np.float32,
        shape=match.shape,
        domain=ops.DOMAIN,
    )
    graph.replace(match.exit, result)


def _rois(graph: convertkit.Graph, match: Match) -> Any:
    """``(K, 5)``; where the graph has boxes only, with the picture's number put in front."""
    import numpy as np

    if match.source.tensor is not None:
        return match.source.tensor
    count = match.entry.shape[0]
    pictures = graph.constant(np.full((count, 1), match.source.picture, np.float32), name="roi_pictures")
    return graph.add(
        "Concat", [pictures, match.entry], attrs={"axis": 1}, dtype=np.float32, shape=(count, 5), name="rois"
    )
