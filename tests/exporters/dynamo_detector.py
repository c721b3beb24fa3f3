"""Writes the detectors of ``tests/exports/torch-2.13.0/`` by PyTorch's dynamo exporter, in an environment of its own.

    python tests/exporters/dynamo_detector.py tests/exports/torch-2.13.0

It needs torch and onnxscript, which convertkit does not. Weights are random; scores are spread so that some of the
detections lie above any threshold. The model's metadata say which exporter wrote it, in which version.
"""

from __future__ import annotations

import sys
from pathlib import Path

import onnx
import onnxscript
import torch
from torch import nn
from torch.nn import functional as F

SIZE = 64
STRIDES = (8, 16)


class Detector(nn.Module):
    """A backbone of two levels with lateral sums, FCOS's head (class, centre, distances), top-k and decoded boxes."""

    def __init__(self, width: int = 8, classes: int = 4) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 3, 4, 1),
            nn.BatchNorm2d(width),
            nn.Hardswish(),
            nn.Conv2d(width, width, 3, 2, 1),
        )
        self.down = nn.Sequential(nn.Conv2d(width, width, 3, 2, 1), nn.Mish())
        self.lateral = nn.Conv2d(width, width, 1)
        self.attention = nn.Linear(2 * width, width)
        self.norm = nn.LayerNorm(width)
        self.group = nn.GroupNorm(2, width)
        self.classes = nn.Conv2d(width, classes, 3, 1, 1)
        self.boxes = nn.Conv2d(width, 5, 3, 1, 1)
        self.register_buffer("limit", torch.tensor([SIZE, SIZE], dtype=torch.float32))

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """``image`` (1, 3, 64, 64) float32 -> boxes (1, 20, 4) x1 y1 x2 y2 in its pixels, scores, labels (1, 20)."""
        fine = self.stem(image)
        coarse = self.down(fine)
        up = F.interpolate(self.lateral(coarse), scale_factor=2.0, mode="bilinear", align_corners=False)
        levels = [
            self.head(level, stride) for level, stride in zip((fine + up, coarse), STRIDES, strict=True)
        ]
        boxes, scores = (torch.cat(parts, 1) for parts in zip(*levels, strict=True))
        best, labels = scores.max(-1)
        values, places = best.topk(20, dim=1)
        boxes = boxes.gather(1, places.unsqueeze(-1).expand(-1, -1, 4))
        return boxes, values, labels.gather(1, places)

    def head(self, level: torch.Tensor, stride: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Boxes (1, N, 4) and scores (1, N, C) of a level."""
        pooled = torch.cat([level.amax((2, 3)), level.mean((2, 3))], 1)
        gate = F.gelu(self.attention(pooled)).softmax(1)
        first, second = self.group(F.pad(level, (1, 1, 1, 1)))[:, :, 1:-1, 1:-1].chunk(2, 1)
        level = level * gate[:, :, None, None] + torch.cat([second, first], 1)
        level = self.norm(level.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        raw = self.boxes(level).flatten(2).permute(0, 2, 1)
        distances, centre = F.relu(raw[..., :4]).exp() * stride / 2, raw[..., 4:]
        side = SIZE // stride
        y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
        points = (torch.stack([x, y], -1).reshape(1, -1, 2).float() + 0.5) * stride
        corners = torch.cat([points - distances[..., :2], points + distances[..., 2:]], -1)
        corners = torch.minimum(corners.clamp(min=0), self.limit.repeat(2))
        scores = self.classes(level).flatten(2).permute(0, 2, 1).sigmoid() * centre.sigmoid()
        return corners, scores.sqrt()


def export(opset: int, path: Path) -> None:
    """Writes one detector."""
    torch.manual_seed(0)
    model = Detector().eval()
    for conv in (model.classes, model.boxes):
        nn.init.normal_(conv.weight, std=0.3)
    program = torch.onnx.export(
        model,
        (torch.rand(1, 3, SIZE, SIZE),),
        dynamo=True,
        opset_version=opset,
        input_names=["image"],
        output_names=["boxes", "scores", "labels"],
    )
    proto = program.model_proto
    for item in (*proto.graph.node, *proto.graph.value_info, *proto.graph.input, *proto.graph.output):
        del item.metadata_props[:]
    del proto.graph.metadata_props[:]
    exporter = (
        f"torch.onnx.export(dynamo=True), torch {torch.__version__}, onnxscript {onnxscript.__version__}"
    )
    onnx.helper.set_model_props(proto, {"exporter": exporter, "script": "tests/exporters/dynamo_detector.py"})
    onnx.checker.check_model(proto, full_check=True)
    path.write_bytes(proto.SerializeToString(deterministic=True))


if __name__ == "__main__":
    for opset in (18, 20):
        export(opset, Path(sys.argv[1]) / f"dynamo-{opset}.onnx")
