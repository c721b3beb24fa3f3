"""What the Python side of a model package is written with: pre- and postprocessing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convertkit.api._door import door

if TYPE_CHECKING:
    from convertkit.detection.boxes import clip as clip
    from convertkit.detection.boxes import iou as iou
    from convertkit.detection.found import detections as detections
    from convertkit.detection.letterbox import letterbox as letterbox
    from convertkit.detection.letterbox import pad_pixel as pad_pixel
    from convertkit.detection.letterbox import unletterbox_boxes as unletterbox_boxes
    from convertkit.detection.masks import paste as paste
    from convertkit.detection.roles import as_sets as as_sets
    from convertkit.detection.settings import PostprocessSpec as PostprocessSpec
    from convertkit.detection.settings import PreprocessSpec as PreprocessSpec
    from convertkit.detection.types import RLE as RLE
    from convertkit.detection.types import Detections as Detections
    from convertkit.detection.types import Placement as Placement
    from convertkit.errors import GraphError as GraphError
    from convertkit.models.base import Model as Model
    from convertkit.plugins.hookspecs import hookimpl as hookimpl
else:
    __getattr__, __dir__, __all__ = door(__name__, __file__)
