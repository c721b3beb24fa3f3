"""Heads of today as torch modules of our own, written by torch's exporter, for the tests.

    python of_nms.py DIRECTORY        # with torch 2.4.1 and torchvision 0.19.1

Each module follows what a framework says in public about its detections; none of a framework's code is in it, and no
file says that a framework wrote it. Inputs are boxes ``(B, N, 4)``, corners, and scores ``(B, N, C)``. The operators
are those that torch and torchvision write for indices, masks and ``torchvision.ops.nms``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import onnx
import torch
import torchvision
from torch import nn
from torchvision.ops import nms

SIDE, CLASSES, IOU, SCORE, SLOTS = 64, 3, 0.5, 0.3, 12


def nonmax(boxes: torch.Tensor, scores: torch.Tensor, picked: int = SLOTS) -> torch.Tensor:
    return nms(boxes, scores, IOU)[:picked]


class Clipped(nn.Module):
    """One picture: what is found in boxes ``(N, q, 4)`` inside of the picture and scores ``(N, C)``."""

    def forward(self, boxes: torch.Tensor, scores: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return self.found(boxes[0].clamp(0, SIDE), scores[0].clamp(0, 1))


@torch.jit.script
def made_float(values: torch.Tensor) -> torch.Tensor:
    """Scripted, so that the exporter does not know that they are."""
    return values.float()


class Cast(Clipped):
    """Boxes and scores are made float, which they are."""

    def found(self, boxes, scores):
        best, kinds = scores.max(1)
        moved = boxes + kinds[:, None].float() * SIDE
        keep = nonmax(made_float(moved), made_float(best))
        return boxes[keep], best[keep], kinds[keep]


class Agnostic(Clipped):
    """Boxes of all classes suppress each other; the best class of a box is told, and moves no box."""

    def found(self, boxes, scores):
        best, kinds = scores.max(1)
        above = best > SCORE
        boxes, best, kinds = boxes[above], best[above], kinds[above]
        keep = nonmax(boxes, best)
        return boxes[keep], best[keep], kinds[keep]


class AgnosticWhole(Clipped):
    """As ``agnostic``, without a filter."""

    def found(self, boxes, scores):
        best, kinds = scores.max(1)
        keep = nonmax(boxes, best)
        return boxes[keep], best[keep], kinds[keep]


class PerClass(Clipped):
    """After detectron2's public description of its box head: boxes for each class and a background behind the classes.

    Scores above the threshold, whose boxes are moved by class times the largest coordinate and one.
    """

    def found(self, boxes, scores):
        scores = (scores * 6).softmax(1)[:, :-1]
        rows = (scores > SCORE).nonzero()
        boxes, scores = boxes[rows[:, 0], rows[:, 1]], scores[rows[:, 0], rows[:, 1]]
        kinds = rows[:, 1]
        moved = boxes + (kinds.to(boxes) * (boxes.max() + 1))[:, None]
        keep = nonmax(moved, scores)
        return boxes[keep], scores[keep], kinds[keep]


class Pictures(nn.Module):
    """After ultralytics' public description of ``nms=True``: picture by picture, in rows ``(B, T, 6)``.

    Boxes are divided by the larger side of the picture, and moved apart by their class.
    """

    def forward(self, boxes: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        boxes = boxes.clamp(0, SIDE)
        best, kinds = scores.max(-1)
        found = torch.zeros(boxes.shape[0], SLOTS, 6)
        for picture in range(boxes.shape[0]):
            above = best[picture] > SCORE
            rows, values, labels = boxes[picture][above], best[picture][above], kinds[picture][above]
            keep = nonmax(rows / SIDE + labels.to(rows)[:, None], values)
            dets = torch.cat([rows[keep], values[keep][:, None], labels[keep].to(rows)[:, None]], 1)
            found[picture] = nn.functional.pad(dets, (0, 0, 0, SLOTS - dets.shape[0]))
        return found


class Normalised(nn.Module):
    """One picture of ``pictures``, as newer releases are described: boxes are brought to 0 to 1 by the picture's side.

    Then they are moved apart by their class, both made as small as there are classes. Columns that a detector of
    boxes does not have are taken along, and rows are filled up as one list of numbers.
    """

    def forward(self, boxes: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        rows = torch.cat([boxes, scores], 2)
        corners, scores, beside = rows.split([4, CLASSES, rows.shape[2] - 4 - CLASSES], 2)
        corners, (best, kinds) = corners.clamp(0, SIDE), scores.max(-1)
        above = best[0] > SCORE
        rows, values, labels, beside = corners[0][above], best[0][above], kinds[0][above], beside[0][above]
        small = rows / SIDE * (1 / CLASSES)
        moved = small[:, :4] + labels[:, None].expand(labels.shape[0], 4) * (1 / CLASSES)
        keep = nonmax(torch.cat([moved, small[:, 4:]], -1), values)
        dets = torch.cat(
            [rows[keep], values[keep][:, None], labels[keep].to(rows)[:, None], beside[keep]], -1
        )
        filled = nn.functional.pad(dets.reshape(-1), (0, (SLOTS - dets.shape[0]) * 6))
        return filled.reshape(1, SLOTS, 6)


class Background(Clipped):
    """The first class is the background, which is left out ``behind`` the NMS or in front of it."""

    def __init__(self, *, behind: bool) -> None:
        super().__init__()
        self.behind = behind

    def found(self, boxes, scores):
        best, kinds = scores.max(1)
        if not self.behind:
            object_ = kinds > 0
            boxes, best, kinds = boxes[object_], best[object_], kinds[object_]
        keep = nms(boxes + kinds[:, None].float() * SIDE, best, IOU)
        keep = keep[kinds[keep] > 0][:SLOTS] if self.behind else keep[:SLOTS]
        return boxes[keep], best[keep], kinds[keep]


class EachClass(Clipped):
    """One NMS for each class, one after the other; the best of all classes are taken."""

    def found(self, boxes, scores):
        rows, values, kinds = [], [], []
        for kind in range(CLASSES):
            above = scores[:, kind] > SCORE
            mine, best = boxes[above], scores[above, kind]
            keep = nms(mine, best, IOU)
            rows.append(mine[keep])
            values.append(best[keep])
            kinds.append(torch.full_like(keep, kind))
        values = torch.cat(values)
        count = torch.minimum(torch.tensor(SLOTS), torch._shape_as_tensor(values)[0])
        best, places = values.topk(count)
        return torch.cat(rows)[places], best, torch.cat(kinds)[places]


class Masks(nn.Module):
    """Mask coefficients ``(1, N, 8)`` are read at the boxes that are kept."""

    def forward(self, boxes, scores, masks):
        boxes, (best, kinds) = boxes[0].clamp(0, SIDE), scores[0].clamp(0, 1).max(1)
        keep = nonmax(boxes + kinds[:, None].float() * SIDE, best)
        return boxes[keep], best[keep], kinds[keep], masks[0][keep].sigmoid()


class Places(Clipped):
    """Which boxes are kept is given too."""

    def found(self, boxes, scores):
        best, kinds = scores.max(1)
        keep = nonmax(boxes + kinds[:, None].float() * SIDE, best)
        return boxes[keep], best[keep], kinds[keep], keep


ONE = ((1, 30, 4), (1, 30, CLASSES))
MODELS = {
    "cast": (Cast(), ONE),
    "agnostic": (Agnostic(), ONE),
    "agnostic_whole": (AgnosticWhole(), ONE),
    "per_class": (PerClass(), ((1, 30, CLASSES, 4), (1, 30, CLASSES + 1))),
    "pictures": (Pictures(), ((2, 30, 4), (2, 30, CLASSES))),
    "normalised": (Normalised(), ONE),
    "background_ahead": (Background(behind=False), ONE),
    "background_behind": (Background(behind=True), ONE),
    "each_class": (EachClass(), ONE),
    "masks": (Masks(), (*ONE, (1, 30, 8))),
    "places": (Places(), ONE),
}
OPSET = {"cast": 11, "masks": 13, "each_class": 13, "normalised": 13}
NEWER = 17


def write(directory: Path, name: str) -> None:
    """Exports one module, and says in the file who wrote it."""
    module, shapes = MODELS[name]
    torch.manual_seed(0)
    inputs = tuple(torch.rand(shape) for shape in shapes)
    inputs[0][..., :2] *= SIDE / 2
    inputs[0][..., 2:] = inputs[0][..., :2] + SIDE / 4
    path = directory / f"{name}.onnx"
    names = ["boxes", "scores", "masks"][: len(shapes)]
    torch.onnx.export(
        module.eval(), inputs, str(path), input_names=names, opset_version=OPSET.get(name, NEWER)
    )
    graph = onnx.load(path)
    for node in graph.graph.node:
        node.ClearField("doc_string")
    written = {
        "exporter": "torch.onnx.export (TorchScript)",
        "torch": torch.__version__.partition("+")[0],
        "torchvision": torchvision.__version__.partition("+")[0],
        "written by": "tests/exporters/of_nms.py",
        "model": name,
    }
    onnx.helper.set_model_props(graph, written)
    onnx.save(graph, path)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    for name in sys.argv[2:] or MODELS:
        write(Path(sys.argv[1]), name)
