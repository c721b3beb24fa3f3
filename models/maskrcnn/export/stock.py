"""The stock graph: what mmdet's own ``onnx_export`` pieces give, composed but not patched."""

from __future__ import annotations

import copy
import inspect
import io
from typing import Any

import torch
from torch import Tensor, nn

from . import early
from .best_class import BestClassDetector, has_best_class
from .stages import stages

INPUT = "input"
OUTPUTS = ("dets", "labels", "masks")

#: Options that torch 1.9 has not, and there holds what they say. mmcv's and mmdet's autograd functions bring their own
#: symbolic; inlining would bypass it.
ONLY_LATER = {"dynamo": False, "autograd_inlining": False}
EXPORT_OPTIONS = inspect.signature(torch.onnx.export).parameters


class BoxDetector(nn.Module):
    """mmdet's ``onnx_export`` for detectors without masks, with the whole canvas as the image's shape."""

    outputs = OUTPUTS[:2]

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Detect in B normalised images (B, 3, H, W) float32, in the channel order of the weights.

        dets (B * N, 5) float32 x1 y1 x2 y2 score in pixels of the input, labels (B * N,) int64, image by image; N is
        max_per_img.
        """
        model: Any = self.model
        if early.is_early(model):
            return _one_list(*early.detect(model, model.extract_feat(image), image.shape[2:]))
        return _one_list(*model.onnx_export(image, _metas(image)))


class MaskDetector(nn.Module):
    """mmdet's export pieces from image to unpasted masks, with the whole canvas as the image's shape.

    mmdet's ``TwoStageDetector.onnx_export`` ends in masks pasted at the size of the canvas, which no
    deployment wants; everything before that is called here as mmdet itself calls it.
    """

    outputs = OUTPUTS

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Detect in B normalised images (B, 3, H, W) float32, R G B for mmdet's usual weights.

        dets (B * 100, 5) float32 x1 y1 x2 y2 score in pixels of the input, labels (B * 100,) int64,
        masks (B * 100, 80, 28, 28) float32 probabilities, one per class; image by image.
        """
        model: Any = self.model
        metas = _metas(image)
        features = model.extract_feat(image)
        found = (
            early.detect(model, features, image.shape[2:])
            if early.is_early(model)
            else self._detect(features, metas)
        )
        dets, labels = _one_list(*found)
        rois = torch.cat([_owners(dets, len(image), found[0].shape[1]), dets[:, :4]], dim=1)
        logits = [stage.run_masks(features, rois)["mask_pred"] for stage in stages(model.roi_head)]
        # A cascade's export averages logits; mmdet's test code averages probabilities.
        mean = logits[0] if len(logits) == 1 else sum(logits) / len(logits)
        return dets, labels, mean.sigmoid()

    def _detect(self, features: tuple[Tensor, ...], metas: list[dict[str, Any]]) -> tuple[Tensor, Tensor]:
        model: Any = self.model
        proposals = model.rpn_head.onnx_export(features, metas)
        return _boxes(model.roi_head, features, metas, proposals)


def export(model: nn.Module, batch: int, size: tuple[int, int], opset: int) -> bytes:
    """Trace the detector for so many images of one size [H, W] with torch's TorchScript exporter; return the ONNX file.

    The structure does not depend on the size. Tensors of equal value share an initializer through an Identity
    node, so the node count of Mask R-CNN with ResNet-50 is 2582 plus 0 to 75 of those (2641 for untouched weights).
    """
    detector = _detector(model)
    # mmdet draws random dummy indices for NonMaxSuppression while it is traced.
    torch.manual_seed(0)
    buffer = io.BytesIO()
    torch.onnx.export(
        detector.eval(),
        (torch.zeros(batch, 3, *size),),
        buffer,
        input_names=[INPUT],
        output_names=list(detector.outputs),
        opset_version=opset,
        **{name: value for name, value in ONLY_LATER.items() if name in EXPORT_OPTIONS},
    )
    return buffer.getvalue()


def _detector(model: nn.Module) -> nn.Module:
    """The composition for a detector's kind."""
    if has_best_class(model):
        return BestClassDetector(model)
    return MaskDetector(model) if getattr(model, "with_mask", False) else BoxDetector(model)


def _metas(image: Tensor) -> list[dict[str, Any]]:
    """What mmdet's export code wants to know of all images: their height and width, traced."""
    return [{"img_shape_for_onnx": torch._shape_as_tensor(image)[2:]}]


def _one_list(dets: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Flatten the batch axis away."""
    return dets.reshape(-1, 5), labels.reshape(-1)


def _owners(dets: Tensor, batch: int, each: int) -> Tensor:
    """The image of each row of dets (B * N, 5), as (B * N, 1) float32; ``each`` is N."""
    if batch == 1:  # the graph that it has always been
        return dets.new_zeros(dets.shape[0], 1)
    images = torch.arange(batch, dtype=dets.dtype).view(-1, 1, 1)
    return images.expand(batch, each, 1).reshape(-1, 1)


def _boxes(
    roi_head: Any, features: tuple[Tensor, ...], metas: list[dict[str, Any]], proposals: Tensor
) -> tuple[Tensor, Tensor]:
    """The boxes alone, (B, N, 5) and labels (B, N); only the cascade has no method of its own for that."""
    if hasattr(roi_head, "bbox_onnx_export"):
        boxes: tuple[Tensor, Tensor] = roi_head.bbox_onnx_export(
            features, metas, proposals, roi_head.test_cfg
        )
        return boxes
    maskless = copy.copy(roi_head)
    maskless._modules = {name: part for name, part in roi_head._modules.items() if name != "mask_head"}
    found: tuple[Tensor, Tensor] = maskless.onnx_export(features, proposals, metas)
    return found
