"""A checkpoint of any origin gives its weights, and says which."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from tests.models.maskrcnn.checkpoints import SECOND, STATE, Made, read, refusal, same, write

pytestmark = pytest.mark.usefixtures("reader")


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
