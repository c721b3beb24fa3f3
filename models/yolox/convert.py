"""Write the weights of a YOLOX of ncnn as mmdet's:  python convert.py yolox-nano.param yolox-nano.bin yolox-nano.pth

It needs numpy only. The .bin is what ncnn's ``onnx2ncnn`` and ``ncnnoptimize ... 1`` write of Megvii's export: for each
convolution, in the order of the .param, a flag, the weights in fp16, zeros up to a multiple of 4 bytes, the bias in
fp32. BN is folded into the convolutions; mmdet's BN becomes the one that adds the bias alone. Both name their layers
otherwise, and run them in the same order, which is what they are matched by.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "maskrcnn"))

from export.checkpoint.write import write_weights
from export.errors import JobError

Arrays = dict[str, NDArray[Any]]

#: ncnn's flag of weights in fp16; 0 is fp32, all else is quantised.
FP16, FP32 = 0x01306B47, 0
#: mmdet's ``norm_cfg`` of YOLOX.
EPS = 1e-3
CONVOLUTIONS = ("Convolution", "ConvolutionDepthWise")
#: Bottlenecks of the backbone's stages, ``deepen_factor`` 0.33.
BLOCKS = (1, 3, 3, 1)


@dataclass(frozen=True)
class Layer:
    """A convolution of a .param: output channels, kernel (square), groups, elements of its weights, has a bias."""

    name: str
    outputs: int
    kernel: int
    groups: int
    elements: int
    biased: bool

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of the weights: outputs, inputs per group, height, width."""
        return self.outputs, self.elements // (self.outputs * self.kernel**2), self.kernel, self.kernel


def main(arguments: list[str]) -> int:
    """Convert the files named on the command line; return the exit code."""
    if len(arguments) != 3:
        print("usage: convert.py NET.param NET.bin OUTPUT.pth", file=sys.stderr)
        return 2
    param, weights, output = map(Path, arguments)
    try:
        write_weights(output, convert(param.read_text(), weights.read_bytes()))
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    except (JobError, UnicodeDecodeError) as error:
        hint = f"; {error.hint}" if isinstance(error, JobError) else "; the .param is ncnn's text form"
        print(f"error: {error}{hint}", file=sys.stderr)
        return 2
    return 0


def convert(param: str, weights: bytes) -> Arrays:
    """mmdet's state dictionary of depthwise YOLOX, of the text of a .param and the bytes of its .bin.

    Raises:
        JobError: the network is another, or the two files do not belong together.
    """
    layers, names = list(convolutions(param)), list(mmdet_names())
    if len(layers) != len(names):
        raise JobError(
            f"the .param has {len(layers)} convolutions, a depthwise YOLOX {len(names)}",
            "only the structure of YOLOX-Nano is known here",
        )
    state: Arrays = {}
    for name, (weight, bias) in zip(names, read(weights, layers), strict=True):
        layer = _predictor if "multi_level_conv" in name else _unit
        state.update(layer(name, weight, bias))
    return state


def convolutions(param: str) -> Iterator[Layer]:
    """The convolutions of a .param, in its order.

    Raises:
        JobError: it is none.
    """
    lines = param.splitlines()
    if not lines or lines[0].strip() != "7767517":
        raise JobError("the .param does not begin with 7767517", "give ncnn's text form first, then the .bin")
    for line in lines[2:]:
        kind, name, inputs, outputs, *rest = line.split()
        if kind not in CONVOLUTIONS:
            continue
        keys = dict(pair.split("=") for pair in rest[int(inputs) + int(outputs) :])
        values = {int(key): int(value) for key, value in keys.items()}
        # ncnn's numbers of a convolution's parameters, docs/developer-guide/operators.md
        yield Layer(name, values[0], values[1], values.get(7, 1), values[6], bool(values.get(5, 0)))


def read(data: bytes, layers: list[Layer]) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Weights (outputs, inputs per group, k, k) float32 and bias (outputs,) float32 of each layer.

    Raises:
        JobError: the file is shorter or longer than the layers need, or holds quantised weights.
    """
    place = 0
    for layer in layers:
        flag = struct.unpack_from("<I", data, place)[0] if place + 4 <= len(data) else FP16
        if flag not in (FP16, FP32):
            raise JobError(f"{layer.name}: weights of kind {flag:#010x}", "give those in fp16 or fp32")
        dtype = np.dtype("<f2" if flag == FP16 else "<f4")
        begin = place + 4
        after = begin + (layer.elements * dtype.itemsize + 3) // 4 * 4
        place = after + 4 * layer.outputs * layer.biased
        if place > len(data):
            raise JobError(f"the .bin ends inside {layer.name}", "give the .bin of this .param, whole")
        weight = np.frombuffer(data, dtype, layer.elements, begin).astype(np.float32).reshape(layer.shape)
        bias = np.frombuffer(data, "<f4", layer.outputs if layer.biased else 0, after)
        yield weight, bias if layer.biased else np.zeros(layer.outputs, np.float32)
    if place != len(data):
        raise JobError(f"the .bin has {len(data) - place} bytes too many", "give the .bin of this .param")


def mmdet_names() -> Iterator[str]:
    """mmdet's convolutions of a depthwise YOLOX in the order in which they run in Megvii's."""
    yield "backbone.stem.conv"
    for stage, blocks in enumerate(BLOCKS, 1):
        yield from _separable(f"backbone.stage{stage}.0")
        if stage == len(BLOCKS):
            yield from (f"backbone.stage{stage}.1.conv{index}" for index in (1, 2))
        yield from _csp(f"backbone.stage{stage}.{2 if stage == len(BLOCKS) else 1}", blocks)
    for level in (0, 1):
        yield f"neck.reduce_layers.{level}"
        yield from _csp(f"neck.top_down_blocks.{level}", 1)
    for level in (0, 1):
        yield from _separable(f"neck.downsamples.{level}")
        yield from _csp(f"neck.bottom_up_blocks.{level}", 1)
    for level in (0, 1, 2):
        yield f"neck.out_convs.{level}"  # Megvii's stem of the head
        for branch, predicted in (("cls", ("cls",)), ("reg", ("reg", "obj"))):
            for index in (0, 1):
                yield from _separable(f"bbox_head.multi_level_{branch}_convs.{level}.{index}")
            yield from (f"bbox_head.multi_level_conv_{name}.{level}" for name in predicted)


def _separable(name: str) -> Iterator[str]:
    yield f"{name}.depthwise_conv"
    yield f"{name}.pointwise_conv"


def _csp(name: str, blocks: int) -> Iterator[str]:
    yield f"{name}.main_conv"
    yield f"{name}.short_conv"
    for index in range(blocks):
        yield f"{name}.blocks.{index}.conv1"
        yield from _separable(f"{name}.blocks.{index}.conv2")
    yield f"{name}.final_conv"


def _predictor(name: str, weight: NDArray[Any], bias: NDArray[Any]) -> Arrays:
    return {f"{name}.weight": weight, f"{name}.bias": bias}


def _unit(name: str, weight: NDArray[Any], bias: NDArray[Any]) -> Arrays:
    """A convolution without bias and the BN after it: variance + eps is 1."""
    ones = np.ones_like(bias)
    return {
        f"{name}.conv.weight": weight,
        f"{name}.bn.weight": ones,
        f"{name}.bn.bias": bias,
        f"{name}.bn.running_mean": np.zeros_like(bias),
        f"{name}.bn.running_var": ones - np.float32(EPS),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
