"""Small modules as torch's own exporters write them; run by the interpreter of the export environment.

PYTHON exports.py DIRECTORY
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Backbone(nn.Module):
    """Convolutions, batch norm, a pyramid's upsampling to the size of another level."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU())
        self.down = nn.Conv2d(8, 8, 3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        fine = self.stem(x)
        coarse = F.interpolate(self.down(fine), size=fine.shape[-2:], mode="nearest")
        return fine + coarse


class Decode(nn.Module):
    """Anchors from arange and meshgrid, sizes from the input, as one-stage detectors have them."""

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        ys, xs = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        centres = torch.stack((xs, ys), -1).reshape(1, -1, 2).to(x.dtype)
        return torch.cat((centres * 8 + x.flatten(2).permute(0, 2, 1)[..., :2], centres), -1)


class Best(nn.Module):
    """Top k, gathers by its indices, labels by division and remainder of a flat index."""

    def forward(self, scores: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        values, flat = scores.flatten().topk(5)
        classes = scores.shape[1]
        return values, boxes[flat // classes], flat % classes


class Kept(nn.Module):
    """A mask, its indices, and what they pick."""

    def forward(self, scores: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        keep = torch.nonzero(scores.max(1).values > 0.5).squeeze(1)
        return boxes[keep], keep


class Written(nn.Module):
    """Rows written by index."""

    def forward(self, x: Tensor, at: Tensor) -> Tensor:
        out = x.new_zeros(8, x.shape[1])
        out[at] = x
        return out.scatter_add(0, at[:, None].expand_as(x), x)


class Counted(nn.Module):
    """Integers all the way: sums, running sums, comparisons, a smallest one of those that count."""

    def forward(self, ids: Tensor, on: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        none = torch.iinfo(torch.int64).max
        first = torch.where(on, ids, torch.full_like(ids, none)).min()
        return torch.cumsum(ids, 0), (ids * on).sum(), first


class Attention(nn.Module):
    """A transformer's layer with a mask of positions."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(50, 16), nn.Linear(16, 4)
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embed(ids) + self.embed(torch.arange(ids.shape[1]))[None]
        mask = torch.ones(ids.shape[1], ids.shape[1]).tril() == 0
        return self.head(self.layer(x, mask))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.gru = nn.LSTM(8, 8, bidirectional=True), nn.GRU(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.gru(self.lstm(x)[0])[0]


class Sampled(nn.Module):
    def forward(self, x: Tensor, grid: Tensor) -> Tensor:
        return F.grid_sample(x, grid.tanh(), align_corners=False)


class Padded(nn.Module):
    """To a multiple of 32, by the input's own size."""

    def forward(self, x: Tensor) -> Tensor:
        bottom, right = (-x.shape[2]) % 32, (-x.shape[3]) % 32
        return F.pad(x, (0, right, 0, bottom), value=0.5)[:, :, ::2, -7:]


class Products(nn.Module):
    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return torch.einsum("bij,bkj->bik", a, b).softmax(-1).roll(1, -1) @ b


class Branched(nn.Module):
    """An If whose branches do different things, and a Loop."""

    def forward(self, x: Tensor, n: Tensor) -> Tensor:
        y = x
        for _ in range(int(n)):
            y = y * 0.5 + 1
        if bool(x.sum() > 0):  # noqa: SIM108 - it becomes an If
            y = y + 1
        else:
            y = y - x.mean()
        return y


def image(size: int = 64) -> Tensor:
    return torch.rand(1, 3, size, size)


def cases() -> dict[str, tuple[nn.Module, tuple[Tensor, ...], dict[str, dict[int, str]]]]:
    """Module, example inputs, names of sizes that are left open."""
    yx = {2: "height", 3: "width"}
    ids = torch.tensor([3, 1, 2])
    return {
        "backbone": (Backbone(), (image(),), {}),
        "backbone_open": (Backbone(), (image(),), {"a": yx}),
        "decode": (Decode(), (torch.rand(1, 4, 6, 5),), {}),
        "decode_open": (Decode(), (torch.rand(1, 4, 6, 5),), {"a": yx}),
        "best": (Best(), (torch.rand(20, 4), torch.rand(20, 4)), {}),
        "kept": (Kept(), (torch.rand(20, 4), torch.rand(20, 4)), {}),
        "written": (Written(), (torch.rand(3, 4), ids), {}),
        "counted": (Counted(), (ids, torch.tensor([True, False, True])), {}),
        "counted_open": (Counted(), (ids, torch.tensor([True, False, True])), {"a": {0: "n"}, "b": {0: "n"}}),
        "attention": (Attention(), (torch.randint(0, 50, (2, 6)),), {}),
        "attention_open": (Attention(), (torch.randint(0, 50, (2, 6)),), {"a": {0: "batch", 1: "length"}}),
        "recurrent": (Recurrent(), (torch.rand(5, 2, 8),), {}),
        "sampled": (Sampled(), (image(16), torch.rand(1, 8, 8, 2)), {}),
        "padded": (Padded(), (image(50),), {}),
        "padded_open": (Padded(), (image(50),), {"a": yx}),
        "products": (Products(), (torch.rand(2, 3, 4), torch.rand(2, 3, 4)), {}),
        "branched": (torch.jit.script(Branched()), (torch.rand(3), torch.tensor(4)), {}),
    }


def main(directory: Path) -> None:
    torch.manual_seed(0)
    for name, (module, inputs, axes) in cases().items():
        names = ["a", "b"][: len(inputs)]
        torch.onnx.export(
            module.eval(),
            inputs,
            str(directory / f"torch_{name}.onnx"),
            opset_version=16,
            input_names=names,
            dynamic_axes=axes or None,
            dynamo=False,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
