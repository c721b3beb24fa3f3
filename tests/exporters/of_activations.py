"""Writes ``activations-OPSET.onnx``: activation functions as an exporter spells them, in an environment of its own.

    python tests/exporters/of_activations.py tests/exports/torch-2.4.1 script 11 13 14
    python tests/exporters/of_activations.py tests/exports/torch-2.13.0 dynamo 18 20

It needs torch (and onnxscript for dynamo), which convertkit does not. The model's metadata say which exporter wrote it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import onnx
import torch
from torch import nn
from torch.nn import functional as F

FUNCTIONS = {
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "hardswish": F.hardswish,
    "hardswish_by_hand": lambda x: x * F.relu6(x + 3) / 6,
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "silu": F.silu,
}


class Activations(nn.Module):
    """One layer, and each function of its result as an output under its name."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(8, 8)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """``x`` (4, 8) float32 -> one (4, 8) float32 for each of ``FUNCTIONS``."""
        y = self.layer(x) * 4
        return tuple(function(y) for function in FUNCTIONS.values())


def export(kind: str, opset: int, path: Path) -> None:
    """Writes one file by the script exporter or by dynamo."""
    torch.manual_seed(0)
    model, x = Activations().eval(), torch.rand(4, 8)
    options = {"opset_version": opset, "input_names": ["x"], "output_names": list(FUNCTIONS)}
    if kind == "dynamo":
        proto = torch.onnx.export(model, (x,), dynamo=True, **options).model_proto
    else:
        torch.onnx.export(model, (x,), str(path), **options)
        proto = onnx.load(path)
    for item in (*proto.graph.node, *proto.graph.value_info, *proto.graph.input, *proto.graph.output):
        if hasattr(item, "metadata_props"):
            del item.metadata_props[:]
        item.doc_string = ""
    exporter = f"torch.onnx.export ({kind}), torch {torch.__version__}"
    onnx.helper.set_model_props(proto, {"exporter": exporter, "script": "tests/exporters/of_activations.py"})
    onnx.checker.check_model(proto, full_check=True)
    path.write_bytes(proto.SerializeToString(deterministic=True))


if __name__ == "__main__":
    folder, kind, *opsets = sys.argv[1:]
    for opset in map(int, opsets):
        export(kind, opset, Path(folder) / f"activations-{opset}.onnx")
