"""The stock graph: what mmdet's own ``onnx_export`` pieces give, composed but not patched."""

from __future__ import annotations

import io
from typing import Any

import torch
from torch import Tensor, nn

INPUT = "input"
OUTPUTS = ("dets", "labels", "masks")


class StockDetector(nn.Module):
    """mmdet's export pieces from image to unpasted masks, with the whole canvas as the picture's shape.

    mmdet's ``TwoStageDetector.onnx_export`` ends in masks pasted at the size of the canvas, which no
    deployment wants; everything before that is called here as mmdet itself calls it.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Detect in a normalised image (1, 3, H, W) float32, R G B for mmdet's usual weights.

        dets (100, 5) float32 x1 y1 x2 y2 score in pixels of the input, labels (100,) int64,
        masks (100, 80, 28, 28) float32 probabilities, one per class.
        """
        model: Any = self.model
        metas = [{"img_shape_for_onnx": torch._shape_as_tensor(image)[2:]}]
        features = model.extract_feat(image)
        proposals = model.rpn_head.onnx_export(features, metas)
        dets, labels = model.roi_head.bbox_onnx_export(features, metas, proposals, model.roi_head.test_cfg)
        # One image: flatten the batch axis away.
        dets, labels = dets.reshape(-1, 5), labels.reshape(-1)
        rois = torch.cat([dets.new_zeros(dets.shape[0], 1), dets[:, :4]], dim=1)
        masks = model.roi_head._mask_forward(features, rois)["mask_pred"].sigmoid()
        return dets, labels, masks


def export(model: nn.Module, size: tuple[int, int], opset: int) -> bytes:
    """Trace the detector at one input size [H, W] with torch's TorchScript exporter; return the ONNX file.

    The structure does not depend on the size. Tensors of equal value share an initializer through an Identity
    node, so the node count of ResNet-50 is 2582 plus 0 to 75 of those (2641 for untouched weights).
    """
    # mmdet draws random dummy indices for NonMaxSuppression while it is traced.
    torch.manual_seed(0)
    buffer = io.BytesIO()
    torch.onnx.export(
        StockDetector(model).eval(),
        (torch.zeros(1, 3, *size),),
        buffer,
        input_names=[INPUT],
        output_names=list(OUTPUTS),
        opset_version=opset,
        dynamo=False,
        # mmcv's and mmdet's autograd functions bring their own symbolic; inlining would bypass it.
        autograd_inlining=False,
    )
    return buffer.getvalue()
