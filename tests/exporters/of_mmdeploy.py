"""mmdeploy's own NMS, as it writes it into the graphs of mmdet's detectors, for the tests.

    python of_mmdeploy.py DIRECTORY   # with torch 2.4.1, mmdeploy 1.3.1, mmengine and mmcv-lite 2.1.0, all from PyPI

``mmdeploy.mmcv.ops.nms.multiclass_nms`` is called as its rewritten detectors call it, in the rewriter's context of its
onnxruntime backend: ``single`` for one picture, ``batch`` for several. Inputs are boxes ``(B, 30, 4)`` and scores
``(B, 30, 3)``. No detector stands in front: those of mmdet 3 need mmcv's compiled operators. The NMS that mmdeploy runs
while it is traced is one of them, too: torchvision's stands in for it, and none of it is in the graph.
"""

from __future__ import annotations

import io
import sys
import types
from pathlib import Path

import mmdeploy
import mmdeploy.pytorch  # its rewriters of torch's own functions
import onnx
import torch
import torchvision
from mmdeploy.core import RewriterContext
from mmdeploy.mmcv.ops import nms
from mmengine import Config
from torch import nn

BOXES, CLASSES = 30, 3
KEEP = {
    "max_output_boxes_per_class": 20,
    "iou_threshold": 0.5,
    "score_threshold": 0.3,
    "pre_top_k": -1,
    "keep_top_k": 8,
}


def traced(boxes, scores, iou_threshold, offset, score_threshold, max_num):
    """What ``mmcv.ops.nms`` gives: rows ``(K, 5)`` and which boxes they are."""
    above = (scores > score_threshold).nonzero().reshape(-1)
    kept = above[torchvision.ops.nms(boxes[above], scores[above], iou_threshold)][:max_num]
    return torch.cat([boxes[kept], scores[kept, None]], dim=1), kept


sys.modules["mmcv.ops"] = types.ModuleType("mmcv.ops")
sys.modules["mmcv.ops"].nms = traced


class Nms(nn.Module):
    """mmdeploy's function with some options."""

    def __init__(self, **changes) -> None:
        super().__init__()
        self.options = {**KEEP, **changes}

    def forward(self, boxes: torch.Tensor, scores: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return nms.multiclass_nms(boxes, scores, **self.options)


MODELS = {
    "single": (Nms(), 1),
    "single_top": (Nms(pre_top_k=24), 1),
    "single_all": (Nms(keep_top_k=-1), 1),
    "batch": (Nms(), 2),
}
CONFIG = Config(
    {
        "onnx_config": {"type": "onnx", "opset_version": 11, "input_shape": None},
        "backend_config": {"type": "onnxruntime"},
        "codebase_config": {"type": "mmdet", "task": "ObjectDetection"},
    }
)


def _export(model: nn.Module, shapes, buffer: io.BytesIO) -> None:
    torch.onnx.export(
        model,
        tuple(torch.rand(shape) for shape in shapes),
        buffer,
        input_names=["boxes", "scores"],
        output_names=["dets", "labels"],
        opset_version=11,
        autograd_inlining=False,  # mmdeploy's function brings its own symbolic
    )


def write(directory: Path, name: str) -> None:
    """Exports one function, and says in the file who wrote it."""
    model, pictures = MODELS[name]
    shapes = (pictures, BOXES, 4), (pictures, BOXES, CLASSES)
    buffer = io.BytesIO()
    with RewriterContext(CONFIG, backend="onnxruntime", opset=11):
        _export(model, shapes, buffer)
    graph = onnx.load_from_string(buffer.getvalue())
    written = {"exporter": "torch.onnx.export (TorchScript)", "torch": torch.__version__.partition("+")[0]}
    written |= {"mmdeploy": mmdeploy.__version__, "model": name}
    onnx.helper.set_model_props(graph, written)
    onnx.save(graph, directory / f"{name}.onnx")


if __name__ == "__main__":
    torch.manual_seed(0)
    for name in MODELS:
        write(Path(sys.argv[1]), name)
