"""A checkpoint of any origin gives its weights or one line, and nothing in it is ever run."""

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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.conftest import MASKRCNN, Cli
from tests.models.maskrcnn.checkpoints import Made, write
from tests.tiny import tiny_model

STATE = {
    "backbone.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "backbone.count": np.array(7),
    "fc_cls.bias": np.array([1.5, -2, 3, 4], np.float16),
}
SECOND = {name: np.asarray(value + 1, value.dtype) for name, value in STATE.items()}


@pytest.fixture(autouse=True)
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The worker's package as the worker finds it."""
    monkeypatch.syspath_prepend(str(MASKRCNN))
    yield


def read(path: Path, **how: Any) -> Any:
    from export.checkpoint.read import read_checkpoint

    return read_checkpoint(path, **how)


def refusal(path: Path, **how: Any) -> str:
    from export.errors import JobError

    with pytest.raises(JobError) as caught:
        read(path, **how)
    line = f"{caught.value} ({caught.value.hint})"
    assert "\n" not in line
    assert str(path) in line
    return line


def same(found: Any, expected: dict[str, Any]) -> bool:
    arrays = found.arrays()
    return list(arrays) == list(expected) and all(
        arrays[name].dtype == value.dtype and np.array_equal(arrays[name], value)
        for name, value in expected.items()
    )


WRAPPED = {
    "bare": STATE,
    "mmdet 2": {
        "meta": {"epoch": 1},
        "state_dict": OrderedDict(STATE),
        "optimizer": {"state": {0: {"step": 1}}},
    },
    "detectron": {"model": STATE, "iteration": 10},
    "two deep": {"state": 1, "model": {"state_dict": STATE}},
    "DataParallel": {"state_dict": {f"module.{name}": value for name, value in STATE.items()}},
    "compiled": {"state_dict": {f"module._orig_mod.{name}": value for name, value in STATE.items()}},
    "numpy in meta": {
        "meta": {
            "mAP": Made("numpy.core.multiarray.scalar", (Made("numpy.dtype", ("f8", False, True)), "x")),
            "lr": Made(
                "numpy._core.multiarray._reconstruct", (1, (0,), "b"), (1, (2,), 3, False, b"12345678")
            ),
        },
        "state_dict": STATE,
    },
    "a class that is nowhere": {
        "message_hub": Made("mmengine.logging.HistoryBuffer", (), {"a": 1}),
        "state_dict": STATE,
    },
    "argparse": {"args": Made("argparse.Namespace", (), {"lr": 1}), "state_dict": STATE},
    "a parameter": {
        "state_dict": {n: Made("torch._utils._rebuild_parameter", (v, True, {})) for n, v in STATE.items()}
    },
    "a whole model": Made(
        "mmdet.models.MaskRCNN",
        (),
        {
            "_parameters": {},
            "_buffers": {},
            "_modules": OrderedDict(
                backbone=Made(
                    "torch.nn.Conv2d",
                    (),
                    {
                        "_parameters": {"weight": STATE["backbone.weight"], "bias": None},
                        "_buffers": {"count": STATE["backbone.count"]},
                        "_modules": {},
                    },
                ),
                fc_cls=Made("torch.nn.Linear", (), {"_parameters": {"bias": STATE["fc_cls.bias"]}}),
            ),
        },
    ),
    "mmdet 3": {
        "meta": {"mmengine_version": "0.10.7", "dataset_meta": {"classes": ("cat", "dog")}},
        "state_dict": {"data_preprocessor.mean": np.zeros((3, 1, 1), np.float32), **STATE},
    },
}


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("kind", WRAPPED)
def test_the_weights_are_found_in_every_wrapping(tmp_path: Path, kind: str, legacy: bool) -> None:
    path = write(tmp_path / "x.pth", WRAPPED[kind], legacy=legacy)

    assert same(read(path), STATE)


def test_bfloat16_becomes_float32(tmp_path: Path) -> None:
    path = write(tmp_path / "x.pth", {"state_dict": {"w": np.array([0x3FC0, 0xC000], np.uint16)}})

    assert read(path).arrays()["w"].tolist() == [1.5, -2.0]


def test_a_transposed_tensor_is_read_in_its_own_order(tmp_path: Path) -> None:
    from export.checkpoint.inert import Storage, _tensor

    storage = Storage("FloatStorage", 6, lambda: memoryview(np.arange(6, dtype=np.float32).tobytes()))

    assert _tensor(storage, 0, (3, 2), (1, 3)).array().tolist() == [[0, 3], [1, 4], [2, 5]]


EMA = {
    "mmdet 2": {**STATE, **{"ema_" + name.replace(".", "_"): value for name, value in SECOND.items()}},
    "mmengine": {
        "state_dict": STATE,
        "ema_state_dict": {
            "steps": np.array(3),
            **{f"module.{name}": value for name, value in SECOND.items()},
        },
    },
    "timm": {"state_dict": STATE, "state_dict_ema": SECOND},
}


BESIDE = {
    "teacher": {"teacher": STATE, "student": SECOND},
    "averaged parameters": {"params": STATE, "params_ema": SECOND},
    "a wrapping of one's own": {
        "checkpoint": {"state_dict": STATE},
        "optimizer": {"x": STATE["fc_cls.bias"]},
    },
    "averaged alone": {"model": None, "ema": STATE},
}


@pytest.mark.parametrize("kind", BESIDE)
def test_weights_under_an_unusual_key_are_a_part_with_its_name(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / "x.pth", BESIDE[kind])
    key = next(iter(BESIDE[kind]))

    if kind == "averaged alone":
        assert same(read(path), STATE)
        assert read(path).remarks({}) == ["it holds a second set of 3 weights (ema): it is taken"]
    else:
        assert same(read(path, prefix=f"{key}."), STATE)
        assert not any("optimizer" in name for name in read(path).state)


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


@pytest.mark.parametrize("kind", EMA)
def test_the_second_set_of_weights_is_taken_only_where_it_is_asked_for(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / "x.pth", EMA[kind])

    own, second = read(path), read(path, ema=True)

    assert same(own, STATE)
    assert same(second, SECOND)
    assert any("second set of 3 weights (ema): the model's own are taken" in one for one in own.remarks({}))
    assert any("second set of 3 weights (ema): it is taken" in one for one in second.remarks({}))
    plain = write(tmp_path / "plain.pth", STATE)
    assert "holds no second set of weights (ema)" in refusal(plain, ema=True)


def test_a_module_that_is_called_ema_is_no_average(tmp_path: Path) -> None:
    state = {"ema_head.weight": STATE["backbone.weight"]}

    assert same(read(write(tmp_path / "x.pth", state)), state)


def test_what_the_file_says_is_compared_with_the_specification(tmp_path: Path) -> None:
    text = "img_norm_cfg = dict(\n    mean=[103.53, 116.28, 123.675], std=[1.0, 1.0, 1.0], to_rgb=False)"
    path = write(
        tmp_path / "x.pth", {"meta": {"config": text, "CLASSES": ("cat", "dog")}, "state_dict": STATE}
    )
    expected = {
        "mean": [123.675, 116.28, 103.53],
        "std": [1, 1, 1],
        "to_rgb": True,
        "classes": ["cat", "Dog"],
    }

    found = read(path)

    assert (found.report["mean"], found.report["classes"]) == ([103.53, 116.28, 123.675], ["cat", "dog"])
    assert found.remarks(expected) == [
        "trained with mean [103.53, 116.28, 123.675], the specification has [123.675, 116.28, 103.53]",
        "trained with to_rgb False, the specification has True",
        "class 1 is 'dog' in the checkpoint, 'Dog' in the specification",
    ]
    assert found.remarks({"classes": ["cat"]}) == [
        "trained for 2 classes (cat, dog), the specification lists 1"
    ]
    assert found.remarks({"classes": ["cat", "dog"]}) == []


def test_mean_and_std_of_mmengine_are_read_from_among_the_weights(tmp_path: Path) -> None:
    pixels = {f"data_preprocessor.{key}": np.full((3, 1, 1), 2, np.float32) for key in ("mean", "std")}
    hub = {"log": Made("mmengine.logging.history_buffer.HistoryBuffer")}

    found = read(write(tmp_path / "x.pth", {"state_dict": {**pixels, **STATE}, "message_hub": hub}))

    assert (found.report["mean"], found.report["std"]) == ([2, 2, 2], [2, 2, 2])
    assert found.report["framework"] == "mmengine (mmdet 3)"
    assert found.remarks({}) == [
        "left out: 2 data_preprocessor.*",
        "not loaded and not run: mmengine.logging.history_buffer.HistoryBuffer",
    ]


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
    whole = write(tmp_path / "x.pth", WRAPPED["mmdet 2"], legacy=legacy).read_bytes()

    for end in range(0, len(whole) - 1, max(1, len(whole) // 60)):
        (tmp_path / "cut.pth").write_bytes(whole[:end])
        assert any(
            word in refusal(tmp_path / "cut.pth") for word in ("cut", "empty", "cannot be read", "text")
        )


@pytest.mark.parametrize("legacy", [False, True])
def test_a_damaged_file_gives_weights_or_one_line(tmp_path: Path, legacy: bool) -> None:
    from export.errors import JobError

    whole = bytearray(write(tmp_path / "x.pth", WRAPPED["mmdet 3"], legacy=legacy).read_bytes())
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


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_one_command_gives_plain_weights(cli: Cli, tmp_path: Path, ending: str) -> None:
    write(tmp_path / "x.pth", EMA["mmengine"] | {"meta": {"CLASSES": ["cat"], "mmdet_version": "2.28.2"}})

    done = cli("weights", MASKRCNN, "x.pth", "-o", f"plain.{ending}", "--json")

    assert done.code == 0
    assert (done.json["tensors"], done.json["second_set"], done.json["classes"]) == (3, 3, ["cat"])
    assert done.json["framework"] == "mmdet 2.28.2 (mmcv ?)"
    assert "trained for 1 classes (cat), the specification lists 80" in done.json["remarks"]
    assert same(read(tmp_path / f"plain.{ending}"), STATE)
    again = cli("weights", MASKRCNN, "x.pth", "-o", f"plain.{ending}", "--ema")
    assert again.code == 0
    assert "it holds a second set of 3 weights (ema): it is taken" in again.err
    assert f"wrote plain.{ending}" in again.out
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"plain.{ending}", "x.pth"]
    assert same(read(tmp_path / f"plain.{ending}"), SECOND)


def test_weights_say_nothing_of_the_time_they_were_written_at(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path / "x.pth", STATE)
    assert cli("weights", MASKRCNN, "x.pth", "-o", "plain.pth").code == 0

    with zipfile.ZipFile(tmp_path / "plain.pth") as archive:
        assert {item.date_time for item in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_what_a_killed_worker_wrote_is_not_beside_the_weights(cli: Cli, tmp_path: Path) -> None:
    """The worker is another program and cleans nothing up: what it writes is our temporary, known by its name."""
    write(tmp_path / "x.pth", STATE)
    left = tmp_path / ".plain.pth.0123456789ab.convertkit-tmp"
    left.mkdir()
    (left / "plain.pth").write_bytes(b"half")

    assert cli("weights", MASKRCNN, "x.pth", "-o", "plain.pth").code == 0

    assert sorted(path.name for path in tmp_path.iterdir()) == ["plain.pth", "x.pth"]


def test_a_part_of_a_checkpoint_is_taken_by_its_prefix(cli: Cli, tmp_path: Path) -> None:
    two = {f"{who}.{name}": value for who in ("student", "teacher") for name, value in STATE.items()}
    write(tmp_path / "x.pth", {"state_dict": two})

    wrong = cli("weights", MASKRCNN, "x.pth", "--prefix", "model.")
    done = cli("weights", MASKRCNN, "x.pth", "--prefix", "teacher.", "-o", "plain.pth")

    assert wrong.code == 2
    assert "has no name that begins with 'model.' (its names begin with student., teacher.)" in wrong.err
    assert done.code == 0
    assert same(read(tmp_path / "plain.pth"), STATE)


def test_a_mistake_of_the_command_is_one_line_and_leaves_nothing(
    cli: Cli, tiny: Path, own_home: Path
) -> None:
    Path("page.pth").write_text("<html>")
    write(Path("x.pth"), STATE)
    mistakes = {
        ("page.pth",): "page.pth is a web page",
        ("absent.pth",): "absent.pth does not exist",
        ("x.pth", "-o", "plain.zip"): "plain.zip: unknown ending (name it .pth or .safetensors)",
        ("x.pth", "--ema"): "holds no second set of weights (ema)",
    }

    for words, line in mistakes.items():
        done = cli("weights", MASKRCNN, *words)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert line in done.err
    strange = cli("weights", tiny, "x.pth")
    nowhere = cli("weights", MASKRCNN, "x.pth", "-o", "page.pth/plain.pth")

    assert (nowhere.code, nowhere.err.count("\n")) == (4, 1)
    assert "plain.pth: cannot be written: File exists" in nowhere.err
    assert (strange.code, strange.err.count("\n")) == (2, 1)
    assert "model package tiny cannot read checkpoints without its framework" in strange.err
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["page.pth", "tiny", "x.pth"]
    assert list((own_home / "failures").iterdir()) == []


@pytest.mark.parametrize(
    ("lines", "checkpoint", "line"),
    [
        ("size: [96, 96]", "page.pth", "page.pth is a web page"),
        ("size: [96, 96]", "cut.pth", "cut.pth is cut"),
        ("size: [97, 96]", "x.pth", "size [97, 96] cannot be used"),
        ("size: [96, 96]\noverrides: {data: 1}", "x.pth", "config overrides hold 'data'"),
        (
            "size: [96, 96]\nbase: r50.yaml",
            "x.pth",
            "config base 'r50.yaml' is not a path below mmdet's configs",
        ),
    ],
)
def test_what_the_worker_would_refuse_is_refused_before_its_environment_is_built(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, lines: str, checkpoint: str, line: str
) -> None:
    from convertkit.exporting.environment import Environment

    monkeypatch.setattr(Environment, "ensure", lambda *_, **__: pytest.fail("an environment is built"))
    Path("page.pth").write_text("<html>")
    Path("cut.pth").write_bytes(write(Path("x.pth"), STATE).read_bytes()[:-40])
    size, _, other = lines.partition("\n")
    config = (
        "{base: x.py, " + other + "}"
        if other.startswith("overrides")
        else "{" + (other or "base: x.py") + "}"
    )
    Path("v.yaml").write_text(f"{size}\nconfig: {config}\n")

    done = cli("export", MASKRCNN, "--variant", "v.yaml", "--weights", checkpoint, "-o", "out.onnx")

    assert done.code == 2
    assert line in done.err.splitlines()[-1]
    assert not Path("out.onnx").exists()
