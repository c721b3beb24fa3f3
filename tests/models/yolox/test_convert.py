"""ncnn's files as mmdet's weights: what is read, and what is said of files that are others."""

from __future__ import annotations

import importlib.util
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.conftest import MASKRCNN
from tests.shared import SHARED, needs_shared

SCRIPT = MASKRCNN.parent / "yolox" / "convert.py"
STEM = SHARED / "data" / "yolox_nano" / "yolox-nano"
FP16 = 0x01306B47

NET = """7767517
4 4
Input            in    0 1 in
Convolution      first 1 1 in a 0=2 1=1 5=1 6=6
Swish            act   1 1 a b
ConvolutionDepthWise second 1 1 b c 0=3 1=3 4=1 6=27 7=3
"""


@pytest.fixture
def convert(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", [*sys.path])
    spec = importlib.util.spec_from_file_location("yolox_convert", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def blob(first: int = FP16) -> bytes:
    """The .bin of ``NET``: 6 weights in fp16 and 2 biases; 27 weights in fp16, which need 2 bytes of padding."""
    one = struct.pack("<I", first) + np.arange(6, dtype="<f2").tobytes() + np.float32([7, 8]).tobytes()
    return one + struct.pack("<I", FP16) + np.arange(27, dtype="<f2").tobytes() + b"\0\0"


def test_weights_and_biases_are_read_in_the_order_of_the_param(convert: ModuleType) -> None:
    layers = list(convert.convolutions(NET))

    (first, bias), (second, none) = convert.read(blob(), layers)

    assert [layer.shape for layer in layers] == [(2, 3, 1, 1), (3, 1, 3, 3)]
    assert [layer.groups for layer in layers] == [1, 3]
    np.testing.assert_array_equal(first.ravel(), np.arange(6, dtype=np.float32))
    np.testing.assert_array_equal(bias, np.float32([7, 8]))
    assert second.shape == (3, 1, 3, 3)
    np.testing.assert_array_equal(none, np.zeros(3))


def test_weights_in_fp32_are_read(convert: ModuleType) -> None:
    (layer, _) = convert.convolutions(NET)
    data = struct.pack("<I", 0) + np.arange(6, dtype="<f4").tobytes() + np.float32([7, 8]).tobytes()

    ((weight, _),) = convert.read(data, [layer])

    np.testing.assert_array_equal(weight.ravel(), np.arange(6))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (blob()[:-1], "the .bin ends inside second"),
        (blob()[:3], "the .bin ends inside first"),
        (blob() + b"\0", "the .bin has 1 bytes too many"),
        (blob(0x000D4B38), "first: weights of kind 0x000d4b38"),
    ],
)
def test_a_bin_that_is_another_is_refused(convert: ModuleType, data: bytes, said: str) -> None:
    with pytest.raises(Exception, match=said):
        list(convert.read(data, list(convert.convolutions(NET))))


def test_the_identity_of_a_bn_is_exact(convert: ModuleType) -> None:
    bias = np.float32([0.5, -3])

    state = convert._unit("x", np.ones((2, 1, 1, 1), np.float32), bias)

    deviation = np.sqrt(state["x.bn.running_var"] + np.float32(convert.EPS))
    np.testing.assert_array_equal(deviation, np.float32([1, 1]))
    assert sorted(state) == [
        "x.bn.bias",
        "x.bn.running_mean",
        "x.bn.running_var",
        "x.bn.weight",
        "x.conv.weight",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "usage: convert.py NET.param NET.bin OUTPUT.pth"),
        (["absent.param", "x.bin", "out.pth"], "error: absent.param: No such file or directory"),
        (
            ["x.bin", "net.param", "out.pth"],
            "error: the .param does not begin with 7767517; give ncnn's text form",
        ),
        (["net.param", "x.bin", "out.pth"], "error: the .param has 2 convolutions, a depthwise YOLOX 113"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "net.param").write_text(NET)
    (tmp_path / "x.bin").write_bytes(b"x")

    done = subprocess.run([sys.executable, SCRIPT, *words], cwd=tmp_path, capture_output=True, text=True)

    assert done.returncode == 2
    assert done.stderr.startswith(said)
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out.pth").exists()


@needs_shared
def test_every_layer_of_the_real_one_has_its_weights(convert: ModuleType) -> None:
    state = convert.convert(STEM.with_suffix(".param").read_text(), STEM.with_suffix(".bin").read_bytes())

    trained = [array.size for name, array in state.items() if "running" not in name]
    assert round(sum(trained) / 1e6, 2) == 0.91  # million parameters, as published
    assert state["backbone.stem.conv.conv.weight"].shape == (16, 12, 3, 3)
    assert state["bbox_head.multi_level_conv_cls.2.weight"].shape == (80, 64, 1, 1)
    assert all(np.isfinite(array).all() for array in state.values())
