"""torchvision's detectors at their real size, with random weights whose scores are spread, for ``make exports-full``.

    python of_torchvision_full.py DIRECTORY [NAME ...]     # with torch 2.4.1 and torchvision 0.19.1

The constructors are torchvision's own and nothing is made smaller but the picture where the model takes any size.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import nn
from torchvision.models import detection

OPSET = 11
SIDES = {"ssd300_vgg16": 300, "ssdlite320_mobilenet_v3_large": 320}
SIDE = 320
"""Pixels of the square picture, which no model resizes: ``min_size`` and ``max_size`` are set to it."""

NAMES = (
    "fasterrcnn_resnet50_fpn", "fcos_resnet50_fpn", "keypointrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn",
    "retinanet_resnet50_fpn", "ssd300_vgg16", "ssdlite320_mobilenet_v3_large",
)  # fmt: skip


def build(name: str) -> nn.Module:
    """The detector without any download; scores lie on both sides of its threshold."""
    torch.manual_seed(sum(name.encode()))
    sizes = {} if name in SIDES else {"min_size": SIDE, "max_size": SIDE}
    model = getattr(detection, name)(weights=None, weights_backbone=None, **sizes)
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    model.eval()
    _normalise(model, SIDES.get(name, SIDE))
    return model


def _normalise(model: nn.Module, side: int) -> None:
    """Each convolution and linear layer is scaled by what it gives in a first run, so that it gives variance 1."""

    def scale(module: nn.Module, _: object, output: torch.Tensor) -> torch.Tensor:
        spread = output.std().item() or 1.0
        module.weight.data /= spread
        return output / spread

    layers = [module for module in model.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    for module in layers:
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    hooks = [module.register_forward_hook(scale) for module in layers]
    with torch.no_grad():
        model([torch.rand(3, side, side)])
    for hook in hooks:
        hook.remove()


def main() -> None:
    where = Path(sys.argv[1])
    where.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or NAMES:
        model, side = build(name), SIDES.get(name, SIDE)
        path = where / f"{name}.onnx"
        image = torch.rand(3, side, side)
        with torch.no_grad():
            found = model([image])[0]
        torch.onnx.export(model, ([image],), str(path), opset_version=OPSET, input_names=["image"])
        print(
            f"{path.name}: {path.stat().st_size / 1e6:.0f} MB, {len(found['boxes'])} detections", flush=True
        )


if __name__ == "__main__":
    main()
