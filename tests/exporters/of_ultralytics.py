"""Detectors by ultralytics' own export with ``nms=True``, for the table of docs/exports.md.

    python of_ultralytics.py DIRECTORY        # with ultralytics 8, torch and torchvision
    python -m bench.exports --ultralytics DIRECTORY

ultralytics and its weights are AGPL-3.0: whoever runs this does so in an environment of their own. Nothing of it is a
part of the tests, and the files stay in that directory. Weights are drawn (nothing is downloaded), and the scores of a
grey picture are moved so that NMS has work.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import torch
from torch import nn
from ultralytics import YOLO

MODELS = {
    "yolov8n": ("yolov8n", {}),
    "yolov8n, two pictures": ("yolov8n", {"batch": 2}),
    "yolov8n, open sizes": ("yolov8n", {"dynamic": True}),
    "yolov8n-seg": ("yolov8n-seg", {}),
    "yolo11n": ("yolo11n", {}),
}
SIDE, ABOVE, OVERLAP, SLOTS = 320, 0.25, 0.45, 100


def write(directory: Path, name: str) -> None:
    torch.manual_seed(0)
    model, more = MODELS[name]
    found = YOLO(f"{model}.yaml")
    _spread(found.model, found.model.model[-1])
    made = found.export(
        format="onnx", nms=True, imgsz=SIDE, opset=13, simplify=False,
        conf=ABOVE, iou=OVERLAP, max_det=SLOTS, **more,
    )  # fmt: skip
    shutil.move(made, directory / f"{name}.onnx")


@torch.no_grad()
def _spread(network: torch.nn.Module, head: torch.nn.Module) -> None:
    """Statistics of a few pictures of coloured squares; 200 boxes of many classes have scores above the threshold."""
    pictures = torch.rand(4, 3, SIDE // 8, SIDE // 8, generator=torch.Generator().manual_seed(0))
    pictures = nn.functional.interpolate(pictures, scale_factor=8)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    network.train()(pictures)
    network.eval()
    for layers in head.cv3:
        layers[-1].bias.zero_()
    for layers in head.cv2:  # sides near the anchor, so that boxes hardly leave the picture
        layers[-1].weight.mul_(0.2)
        layers[-1].bias.copy_(-torch.arange(head.reg_max).repeat(4))
    logits = _logits(network, head, pictures)
    for layers in head.cv3:  # each class as likely as another
        layers[-1].weight.mul_(0.7 / logits.std())
        layers[-1].bias.sub_(logits.mean(1) * 0.7 / logits.std())
    best = _logits(network, head, pictures).amax(0).sort(descending=True).values
    for layers in head.cv3:
        layers[-1].bias.sub_(best[200] - torch.tensor(ABOVE).logit())


def _logits(network: nn.Module, head: nn.Module, pictures: torch.Tensor) -> torch.Tensor:
    """Of the first picture, ``(classes, boxes)``."""
    seen = network(pictures[:1])
    while isinstance(seen, (list, tuple)):
        seen = seen[0]
    return seen[0, 4 : 4 + head.nc].clamp(1e-6, 1 - 1e-6).logit()


if __name__ == "__main__":
    where = Path(sys.argv[1])
    where.mkdir(parents=True, exist_ok=True)
    for name in MODELS:
        write(where, name)
