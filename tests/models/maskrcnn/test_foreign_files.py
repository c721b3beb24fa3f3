"""What is no checkpoint, or not of this network, is named in one line, and nothing in it is ever run."""

from __future__ import annotations

import gzip
import importlib
import io
import json
import os
import pickle
import struct
import sys
import tarfile
import types
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.models.maskrcnn.checkpoints import SECOND, STATE, Made, read, refusal, same, write
from tests.tiny import tiny_model

pytestmark = pytest.mark.usefixtures("reader")


ADAM = {"state": {0: {"exp_avg": STATE["backbone.weight"]}}, "param_groups": [{"params": [0]}]}
NONE = {
    "optimizer": ({"optimizer": ADAM, "epoch": 3}, "holds no weights, only the state of an optimizer"),
    "bare optimizer": (ADAM, "holds no weights, only the state of an optimizer"),
    "numbers": ({"epoch": 3, "loss": 0.5}, "holds no weights, its keys are epoch, loss (it needs names"),
    "list": ([STATE["fc_cls.bias"]], "holds no weights (it needs names with tensors"),
    "sparse": (
        {"state_dict": {**STATE, "w": Made("torch._utils._rebuild_sparse_tensor", (1,))}},
        "holds 'w' as a tensor of another form (torch._utils._rebuild_sparse_tensor), which is not read",
    ),
    "NumPy": (
        {"model": {"w": Made("numpy._core.multiarray._reconstruct", (1,), (1, (2,), 3, False, b"12345678"))}},
        "holds 'w' as an array of NumPy, which is not read (save dense tensors of torch)",
    ),
}


@pytest.mark.parametrize("kind", NONE)
def test_what_holds_no_weights_that_are_read_says_what_it_holds(tmp_path: Path, kind: str) -> None:
    content, line = NONE[kind]

    assert line in refusal(write(tmp_path / "x.pth", content))


def test_element_types_that_are_not_read_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "x.pth", STATE)
    damaged = path.read_bytes().replace(b"FloatStorage", b"QInt8Storage")  # names of the same length
    path.write_bytes(damaged)

    assert "holds tensors of type torch.QInt8Storage, which is not read (save them as float32)" in refusal(
        path
    )


class Network:
    """As much of a model of torch as it takes to be refused weights."""

    def state_dict(self) -> dict[str, Any]:
        return dict(STATE)


@pytest.mark.parametrize(
    ("state", "hint"),
    [
        (
            {f"unet.{name}": value for name, value in STATE.items()},
            "they begin with unet.: convertkit weights",
        ),
        (
            {"unet.in": SECOND["fc_cls.bias"], "vae.out": SECOND["fc_cls.bias"]},
            "unet., vae.: it holds another network",
        ),
        ({"fc_cls.bias": STATE["fc_cls.bias"]}, "was made for another config"),
    ],
)
@pytest.mark.parametrize("form", ["torch", "safetensors"])
def test_a_network_that_is_another_is_not_taken_for_another_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: dict[str, Any], hint: str, form: str
) -> None:
    from export.checkpoint import safetensors
    from export.errors import JobError

    torch = types.ModuleType("torch")
    torch.nn = types.ModuleType("torch.nn")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.delitem(sys.modules, "export.weights", raising=False)
    load = importlib.import_module("export.weights").load_checkpoint
    del sys.modules["export.weights"]
    path = tmp_path / "x.pth"
    write(path, state) if form == "torch" else path.write_bytes(safetensors.write(state))

    with pytest.raises(JobError, match="keys are missing") as caught:
        load(Network(), path)

    assert hint in caught.value.hint


def header(shape: list[int], end: int) -> bytes:
    text = json.dumps({"x": {"dtype": "F32", "shape": shape, "data_offsets": [0, end]}}).encode()
    return struct.pack("<Q", len(text)) + text


def foreign_files() -> dict[str, tuple[bytes, str]]:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("x.pth"))

    def zipped(name: str, content: bytes = b"x", method: int = zipfile.ZIP_STORED) -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as made:
            made.writestr(name, content)
        return stream.getvalue()

    return {
        "empty": (b"", "is empty"),
        "html": (b"<!DOCTYPE html><html>sign in</html>", "is a web page"),
        "html, indented": (b"\xef\xbb\xbf\n  <HTML lang=en>", "is a web page"),
        "xml": (b'<?xml version="1.0"?><Error><Code>AccessDenied', "is a web page"),
        "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\n", "git lfs pull"),
        "json": (b'{"error": "not found"}', 'is text that begins with \'{"error": "not found"}\''),
        "text": (b"404: Not Found", "is text that begins with '404: Not Found'"),
        "gzip": (gzip.compress(b"x"), "is a gzip archive (unpack it"),
        "xz": (b"\xfd7zXZ\0\0", "is a compressed archive"),
        "tar": (packed.getvalue(), "is a tar archive"),
        "keras": (b"\x89HDF\r\n\x1a\n" + bytes(64), "is an HDF5 file, as Keras writes it"),
        "npy": (b"\x93NUMPY\x01\0", "is an array of NumPy"),
        "onnx": (onnx.ModelProto.SerializeToString(tiny_model()), "is an ONNX graph"),
        "zeros": (bytes(4096), "is filled with zeros"),
        "noise": (b"\xde\xad\xbe\xef" * 9, "it begins with bytes de ad be ef"),
        "npz": (zipped("w.npy"), "is an .npz archive of NumPy"),
        "zipped": (zipped("run/best.pth"), "is a zip that holds 'run/best.pth' (unpack it"),
        "docx": (zipped("word/document.xml"), "is a zip, but no checkpoint"),
        "bomb": (zipped("x/data.pkl", bytes(1 << 20), zipfile.ZIP_LZMA), "is a zip that was compressed"),
        "pickle": (pickle.dumps({"state_dict": {}}), "is a pickle, but not one of torch"),
        "no weights": (b"\x80\x02}.", "is a pickle, but not one of torch"),
        "half a safetensors": (struct.pack("<Q", 999) + b'{"x"', "is cut: its header is not whole"),
        "odd safetensors": (
            struct.pack("<Q", 9) + b'{"x": [1}',
            "is damaged: its header is not one of safetensors",
        ),
        "short safetensors": (header([9], 36), "is cut: 36 bytes at least are missing"),
        "huge safetensors": (header([1 << 40], 1 << 42), "is cut: 4398046511104 bytes at least are missing"),
        "odd sizes": (header([9], 40), "is damaged"),
    }


@pytest.mark.parametrize("kind", foreign_files())
def test_a_file_that_is_no_checkpoint_is_named_by_its_first_bytes(tmp_path: Path, kind: str) -> None:
    content, line = foreign_files()[kind]
    path = tmp_path / "x.pth"
    path.write_bytes(content)

    assert line in refusal(path)


def test_what_is_no_regular_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.pth")

    assert "is not a regular file" in refusal(tmp_path / "fifo.pth")
    assert "is a directory" in refusal(tmp_path)
    assert "does not exist" in refusal(tmp_path / "absent.pth")


@pytest.mark.parametrize("legacy", [False, True])
def test_a_cut_file_is_one_line_wherever_it_is_cut(tmp_path: Path, legacy: bool) -> None:
    whole = write(
        tmp_path / "x.pth", {"meta": {"epoch": 1}, "state_dict": OrderedDict(STATE)}, legacy=legacy
    ).read_bytes()

    for end in range(0, len(whole) - 1, max(1, len(whole) // 60)):
        (tmp_path / "cut.pth").write_bytes(whole[:end])
        assert any(
            word in refusal(tmp_path / "cut.pth") for word in ("cut", "empty", "cannot be read", "text")
        )


@pytest.mark.parametrize("legacy", [False, True])
def test_a_damaged_file_gives_weights_or_one_line(tmp_path: Path, legacy: bool) -> None:
    from export.errors import JobError

    whole = bytearray(
        write(
            tmp_path / "x.pth", {"meta": {"mmengine_version": "0.10.7"}, "state_dict": STATE}, legacy=legacy
        ).read_bytes()
    )
    random = np.random.default_rng(0)

    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole), 3):
            damaged[place] = random.integers(0, 256)
        (tmp_path / "bad.pth").write_bytes(damaged)
        try:
            read(tmp_path / "bad.pth").arrays()
        except JobError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 50


class Payload:
    """Unpickling it writes a file."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return (open, (str(self.victim), "w"))


def test_code_in_a_checkpoint_is_named_and_never_run(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    path = write(tmp_path / "x.pth", {"state_dict": STATE, "hook": Payload(victim)})

    found = read(path)

    assert same(found, STATE)
    assert found.remarks({}) == ["not loaded and not run: io.open"]
    assert not victim.exists()
    write(path, {"state_dict": Payload(victim)})
    assert "holds no weights, its keys are state_dict; not loaded: io.open" in refusal(path)
    assert not victim.exists()


def bomb(*codes: bytes) -> bytes:
    """A checkpoint of today whose pickle is ``codes``."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + b"".join(codes) + b".")
    return stream.getvalue()


STORAGE = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu"


@pytest.mark.parametrize(
    "codes",
    [
        # A key whose hash takes 2^60 steps: nested pairs of one and the same tuple.
        (b"}", b")" + 60 * b"q\x00h\x00\x86", b"K\x01s"),
        # A place in the memo for which the library's C would reserve 32 GB.
        (b"}r\xff\xff\xff\x7f",),
        # A byte array of 2^62 bytes.
        (b"\x96" + struct.pack("<Q", 1 << 62),),
        # A tensor of 2^40 elements, all of them the same one.
        (
            b"}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n(",
            STORAGE + b"K\x01tQK\x00\x8a\x06\0\0\0\0\0\x01\x85K\x00\x85\x89}tRs",
        ),
        # A tensor before its storage.
        (
            b"}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n(",
            STORAGE + b"K\x01tQJ\xff\xff\xff\xffK\x01\x85K\x01\x85\x89}tRs",
        ),
    ],
)
def test_a_hostile_pickle_is_refused_at_once(tmp_path: Path, codes: tuple[bytes, ...]) -> None:
    (tmp_path / "x.pth").write_bytes(bomb(*codes))

    assert "x.pth" in refusal(tmp_path / "x.pth")
