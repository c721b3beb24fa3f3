"""``clip-to-picture``: boxes end where the picture ends, not where the canvas does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convertkit.api import passes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class ClipToPicture(passes.RewritingPass):
    """Clip boxes to the picture on the canvas just before every NMS, as the framework does outside of its export.

    An export clips to the canvas, because it does not know the picture; mmdet's test code clips to ``img_shape``, the
    resized picture without padding. Where the picture lies is a new graph input, ``(B, 4) float32``: x1 y1 x2 y2 of
    the picture on the canvas, pixels of the network input. A clip to the larger canvas before it changes nothing, so
    none has to be found.

    Boxes must be corners in pixels of the network input.

    A clip may leave a box without area. Proposals - boxes that another NMS depends on - are then dropped, by score 0:
    mmdet (``min_bbox_size``), torchvision and detectron2 drop empty proposals, too, and so does the golden model of
    Ascend's operator (its 310P kernel does not). Detections are not: mmdet keeps those.

    Options:
        input: the name of the new graph input.
        drop_empty: drop proposals without area.
    """

    name = "clip-to-picture"
    effect = "semantic"
    requires = ("fuse-multiclass-nms",)
    heads = ("NonMaxSuppression",)
    after = ("restore-rpn-levels",)
    before = ("center-nms-boxes", "legalize-ascend")
    input: str = "picture"
    drop_empty: bool = True

    def rewrite(self, graph: passes.Graph) -> tuple[passes.Finding, ...]:
        """Every MulticlassNms: all are clipped, unless the graph has such an input already."""
        from convertkit_passes.heads.picture import clip

        return clip(graph, self.input, drop_empty=self.drop_empty)

    def added_inputs(self, model: passes.LightModel) -> Mapping[str, NDArray[Any]]:
        """The whole canvas: under it nothing is clipped that was not before."""
        from convertkit_passes.heads.picture import whole_canvas

        return whole_canvas(model, self.input)
