"""PaddleDetection's ``multiclass_nms3``, written by paddle2onnx, for the tests.

    python of_paddle.py DIRECTORY     # with paddlepaddle 2.6.2 and paddle2onnx 1.3.1, both from PyPI

A program of that one operator, with the options that PaddleDetection's heads give it: boxes ``(1, 30, 4)``, scores
``(1, 3, 30)`` -> rows ``(K, 6)`` of class, score and box, and how many they are. ``background`` leaves class 0 out.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import onnx
import paddle
import paddle2onnx
from paddle.base.layer_helper import LayerHelper

BOXES, CLASSES = 30, 3
OPTIONS = {
    "background_label": -1,
    "score_threshold": 0.3,
    "nms_top_k": 20,
    "nms_threshold": 0.5,
    "keep_top_k": 8,
    "nms_eta": 1.0,
    "normalized": True,
}
MODELS = {
    "nms": {},
    "all": {"keep_top_k": -1},
    "background": {"background_label": 0},
    "index": {},
}


def build(directory: Path, name: str) -> None:
    """Saves the program as Paddle does."""
    paddle.enable_static()
    program = paddle.static.Program()
    with paddle.static.program_guard(program, paddle.static.Program()):
        boxes = paddle.static.data("boxes", [1, BOXES, 4])
        scores = paddle.static.data("scores", [1, CLASSES, BOXES])
        helper = LayerHelper("multiclass_nms3")
        made = {
            key: helper.create_variable_for_type_inference(kind)
            for key, kind in (("Out", "float32"), ("Index", "int32"), ("NmsRoisNum", "int32"))
        }
        helper.append_op(
            type="multiclass_nms3",
            inputs={"BBoxes": boxes, "Scores": scores},
            attrs={**OPTIONS, **MODELS[name]},
            outputs=made,
        )
        wanted = [made["Out"], made["NmsRoisNum"], *([made["Index"]] if name == "index" else [])]
        engine = paddle.static.Executor(paddle.CPUPlace())
        paddle.static.save_inference_model(
            str(directory / "model"), [boxes, scores], wanted, engine, program=program
        )


def write(directory: Path, name: str) -> None:
    """Exports one program, and says in the file who wrote it."""
    with tempfile.TemporaryDirectory() as room:
        build(Path(room), name)
        paddle2onnx.export(
            str(Path(room, "model.pdmodel")), "", str(directory / f"{name}.onnx"),
            opset_version=11, auto_upgrade_opset=False, enable_onnx_checker=True,
        )  # fmt: skip
    graph = onnx.load(directory / f"{name}.onnx")
    written = {
        "exporter": f"paddle2onnx {paddle2onnx.__version__}",
        "paddle": paddle.__version__,
        "model": name,
    }
    onnx.helper.set_model_props(graph, written)
    onnx.save(graph, directory / f"{name}.onnx")


if __name__ == "__main__":
    for name in MODELS:
        write(Path(sys.argv[1]), name)
