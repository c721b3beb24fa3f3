"""Small detectors of torchvision, written by its own exporter, for the tests.

    python of_torchvision.py DIRECTORY        # with torch 2.4.1 and torchvision 0.19.1

Every model is the framework's own class with a backbone of a few channels, a small picture and random weights. The
last layers are scaled so that scores are spread: a picture gives anything from no detection to as many as the model may
return.
"""

from __future__ import annotations

import sys
from pathlib import Path

import onnx
import torch
import torchvision
from torch import nn
from torchvision.models import detection
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.ops import MultiScaleRoIAlign

WIDTH = 4
CLASSES = 4
OPSET = 11
GAIN = 1.2


class Trunk(nn.Module):
    """Two maps of strides 4 and 8."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, WIDTH, 7, stride=2, padding=3)
        self.one = nn.Conv2d(WIDTH, WIDTH, 3, stride=2, padding=1)
        self.two = nn.Conv2d(WIDTH, WIDTH, 3, stride=2, padding=1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.two(self.one(self.stem(image).relu()).relu())


def pyramid() -> BackboneWithFPN:
    """Levels 0 and 1 and a pooled one."""
    return BackboneWithFPN(Trunk(), {"one": "0", "two": "1"}, [WIDTH] * 2, WIDTH)


def anchors(per: int = 1) -> AnchorGenerator:
    sizes = tuple(tuple(int(size * 1.3**index) for index in range(per)) for size in (12, 24, 48))
    return AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * 3)


SMALL = {"min_size": 64, "max_size": 64}
RPN = {
    "rpn_pre_nms_top_n_test": 40,
    "rpn_post_nms_top_n_test": 24,
    "box_detections_per_img": 12,
}


def heads(resolution: int = 3) -> dict[str, object]:
    pool = MultiScaleRoIAlign(["0", "1"], resolution, 2)
    return {
        "rpn_anchor_generator": anchors(),
        "box_roi_pool": pool,
        "box_head": detection.faster_rcnn.TwoMLPHead(WIDTH * resolution**2, 8),
        "box_predictor": detection.faster_rcnn.FastRCNNPredictor(8, CLASSES),
        **RPN,
        **SMALL,
    }


def faster_rcnn() -> nn.Module:
    return detection.FasterRCNN(pyramid(), **heads())


def mask_rcnn() -> nn.Module:
    return detection.MaskRCNN(
        pyramid(),
        mask_roi_pool=MultiScaleRoIAlign(["0", "1"], 4, 2),
        mask_head=detection.mask_rcnn.MaskRCNNHeads(WIDTH, (WIDTH,), 1),
        mask_predictor=detection.mask_rcnn.MaskRCNNPredictor(WIDTH, WIDTH, CLASSES),
        **heads(),
    )


def keypoint_rcnn() -> nn.Module:
    pool = MultiScaleRoIAlign(["0", "1"], 4, 2)
    return detection.KeypointRCNN(
        pyramid(),
        keypoint_roi_pool=pool,
        keypoint_head=detection.keypoint_rcnn.KeypointRCNNHeads(WIDTH, (WIDTH,)),
        keypoint_predictor=detection.keypoint_rcnn.KeypointRCNNPredictor(WIDTH, 3),
        **heads(),
    )


DENSE = {"topk_candidates": 30, "detections_per_img": 12}


def retinanet() -> nn.Module:
    backbone, boxes = pyramid(), anchors(2)
    head = detection.retinanet.RetinaNetHead(WIDTH, 6, CLASSES, norm_layer=None)
    return detection.RetinaNet(backbone, CLASSES, anchor_generator=boxes, head=head, **DENSE, **SMALL)


def fcos() -> nn.Module:
    boxes = AnchorGenerator(((4,), (8,), (16,)), ((1.0,),) * 3)
    head = detection.fcos.FCOSHead(WIDTH, 1, CLASSES, num_convs=0)  # its norm takes multiples of 32 channels
    return detection.FCOS(pyramid(), CLASSES, anchor_generator=boxes, head=head, **DENSE, **SMALL)


class Maps(nn.Module):
    """What SSD takes: maps of growing stride under names, without a pyramid."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = pyramid()
        self.out_channels = [WIDTH] * 3

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        return self.trunk(image)


def _ssd(head: nn.Module | None) -> nn.Module:
    boxes = DefaultBoxGenerator([[2]] * 3, scales=[0.1, 0.3, 0.6, 0.9])
    return detection.ssd.SSD(Maps(), boxes, (64, 64), CLASSES, head=head, **DENSE)


def ssd() -> nn.Module:
    return _ssd(None)


def ssdlite() -> nn.Module:
    return _ssd(detection.ssdlite.SSDLiteHead([WIDTH] * 3, [4] * 3, CLASSES, nn.BatchNorm2d))


MODELS = {
    "faster_rcnn": faster_rcnn,
    "mask_rcnn": mask_rcnn,
    "keypoint_rcnn": keypoint_rcnn,
    "retinanet": retinanet,
    "fcos": fcos,
    "ssd": ssd,
    "ssdlite": ssdlite,
}


def spread(model: nn.Module, name: str) -> nn.Module:
    """Random weights whose scores lie on both sides of every threshold."""
    torch.manual_seed(sum(name.encode()))
    for value in model.parameters():
        if value.dim() > 1:
            nn.init.normal_(value, std=GAIN / value[0].numel() ** 0.5)
        else:
            nn.init.zeros_(value)
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm2d, nn.GroupNorm)):
            nn.init.ones_(module.weight)
    for key, value in model.named_parameters():
        if key.endswith("cls_logits.weight"):  # of a sigmoid for each class
            value.data *= 0.5
        if key.endswith("cls_logits.bias") and "rpn" not in key:
            value.data -= 2
        if key.endswith("cls_score.bias"):  # of a softmax; the first class is the background
            value.data[0] += 2
    return model.eval()


def export(name: str, where: Path) -> Path:
    """Writes one model; returns the file."""
    model = spread(MODELS[name](), name)
    torch.manual_seed(7)
    image = torch.rand(3, 64, 64)
    path = where / f"{name}.onnx"
    model([image])  # what is computed once is computed before tracing
    torch.onnx.export(model, ([image],), str(path), opset_version=OPSET, input_names=["image"])
    proto = onnx.load(path)
    del proto.metadata_props[:]
    for key, value in (
        ("exporter", "torch.onnx.export (TorchScript)"),
        ("torch", torch.__version__.split("+")[0]),
        ("torchvision", torchvision.__version__.split("+")[0]),
        ("written by", "tests/exporters/of_torchvision.py"),
    ):
        proto.metadata_props.add(key=key, value=value)
    for node in proto.graph.node:
        node.ClearField("doc_string")
    onnx.save(proto, path)
    return path


def main() -> None:
    where = Path(sys.argv[1])
    where.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or MODELS:
        path = export(name, where)
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
