"""A network whose modules are functions of the model, written by torch's own exporter, for the tests.

    python of_functions.py FILE               # with torch 2.4.1

torch has ``export_modules_as_functions`` from opset 15 on: a function for every class, and a call for every module.
"""

from __future__ import annotations

import sys
from pathlib import Path

import onnx
import torch
from torch import nn

OPSET = 15


class Block(nn.Module):
    def __init__(self, before: int, behind: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, behind, 3, padding=1)
        self.norm = nn.BatchNorm2d(behind)
        self.act = nn.Hardswish()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.act(self.norm(self.conv(image)))


def main() -> None:
    torch.manual_seed(0)
    path, model = Path(sys.argv[1]), nn.Sequential(Block(3, 4), Block(4, 4)).eval()
    torch.onnx.export(
        model,
        (torch.rand(1, 3, 16, 16),),
        str(path),
        opset_version=OPSET,
        export_modules_as_functions=True,
        input_names=["image"],
    )
    proto = onnx.load(path)
    for key, value in (
        ("exporter", "torch.onnx.export (TorchScript, export_modules_as_functions)"),
        ("torch", torch.__version__.split("+")[0]),
        ("written by", "tests/exporters/of_functions.py"),
    ):
        proto.metadata_props.add(key=key, value=value)
    for node in (node for body in (proto.graph, *proto.functions) for node in body.node):
        node.ClearField("doc_string")
    onnx.save(proto, path)


if __name__ == "__main__":
    main()
