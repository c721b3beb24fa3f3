"""``fuse-multiclass-nms``: one operator instead of NonMaxSuppression and everything around it."""

from __future__ import annotations

from convertkit.api import passes


class FuseMulticlassNms(passes.RewritingPass):
    """Replace a NonMaxSuppression and what selects by it with one MulticlassNms.

    What is replaced is found by value: boxes and scores above (through class offsets, views and filters), and below
    every tensor that equals an output of the operator on random boxes and scores - boxes, scores, classes, boxes with
    scores, or the number of detections; or rows of something that has one for each box (mask coefficients, labels that
    move no box, the places themselves), which are then those of the box that is nearest to what the operator gives,
    the first of equal ones. If anything else needs the selection, nothing is changed; :meth:`rewrite` names
    that tensor.

    Equal in used slots up to rounding. An unused slot is zero and has score 0; the graph before may have had a shifted
    box or another label there, with score 0 too. Of two boxes with the very same score another one may come
    first. A filter ahead that drops small boxes (torchvision's ``remove_small_boxes``) is measured, and written as
    nodes that take the score of such boxes away.

    Options:
        pad_detections: detections of symbolic length get a fixed one, with unused slots of score 0 at the end. It
            changes the shape of what the graph gives, so it must be asked for.
        box_range: lowest and highest coordinate of the boxes, for a graph that keeps classes apart by offsets and does
            not bound the boxes itself. It is believed, not checked: boxes beyond may suppress those of another class
            in the graph before.
    """

    name = "fuse-multiclass-nms"
    effect = "rounding"
    after = ("simplify", "fold-constants", "cast-int64-to-int32", "fuse-multilevel-roialign")
    before = ("legalize-ascend",)
    heads = ("NonMaxSuppression",)
    pad_detections: bool = False
    box_range: tuple[float, float] | None = None

    def pads(self) -> bool:
        return self.pad_detections

    def rewrite(self, graph: passes.Graph) -> tuple[passes.Finding, ...]:
        """Every NonMaxSuppression: its attributes, or what is in the way and at which tensor."""
        from convertkit_passes.heads.nms.rewrite import fuse

        return fuse(graph, pad=self.pad_detections, stated=self.box_range)
