"""What is guessed of ONNX files from elsewhere, real ones first."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from convertkit.detection.roles import Meaning
from convertkit.errors import UsageError
from convertkit.models.foreign import IMAGE_FIRST, guess, model_yaml
from convertkit.models.spec import ModelSpec
from convertkit.models.yamlspec import parse, to_record
from tests.exports import torchvision
from tests.passes.heads import nms_forms

MINI = Path(__file__).parents[2] / "models" / "maskrcnn" / "mini" / "mini.onnx"
DYNAMO = Path(__file__).parents[1] / "exports" / "torch-2.13.0" / "dynamo-18.onnx"


def roles(file: Path) -> list[str]:
    return [one.role for one in guess(onnx.load(file)).outputs.values()]


def test_of_mmdets_export_everything_is_recognised() -> None:
    found = guess(onnx.load(MINI))

    assert found.inputs == {"input": ("image", (1, 3, "H", "W"))}
    assert {name: one.role for name, one in found.outputs.items()} == {
        "dets": "dets", "labels": "labels", "masks": "masks",
    }  # fmt: skip
    assert found.size == (320, 320)


def test_of_torchvisions_exports() -> None:
    found = {name: roles(torchvision.file(name)) for name in torchvision.NAMES}

    assert found["faster_rcnn"] == ["boxes", "labels", "scores"]
    assert [found[name] for name in ("fcos", "retinanet", "ssd", "ssdlite")] == [
        ["boxes", "scores", "labels"]
    ] * 4
    assert found["keypoint_rcnn"] == ["boxes", "labels", "scores", "other", "other"]
    assert guess(onnx.load(torchvision.file("ssd"))).inputs == {"image": ("image", (3, "H", "W"))}


def test_of_a_dynamo_export_with_a_pictures_axis() -> None:
    assert roles(DYNAMO) == ["boxes", "scores", "labels"]


def test_rows_of_seven_are_taken_for_yolov7s_and_that_is_said() -> None:
    proto = nms_forms.best_class(nms_forms.Form(count=24, limit=12)).proto
    proto.graph.input.append(value("image", TensorProto.FLOAT, [1, 3, 64, 96]))

    found = guess(proto)

    assert found.outputs == {"found": Meaning("detections", IMAGE_FIRST)}
    assert any("rows of 7, taken for other x1 y1 x2 y2 label score" in doubt for doubt in found.doubts)


def value(name: str, kind: int, dims: list[int | str | None]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, dims)


def model(outputs: list[onnx.ValueInfoProto], image: list[int | str], **metadata: str) -> onnx.ModelProto:
    proto = helper.make_model(helper.make_graph([], "g", [value("image", TensorProto.FLOAT, image)], outputs))
    helper.set_model_props(proto, metadata)
    return proto


FLOAT, INT64, INT32 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([("output0", FLOAT, [1, 300, 6])], ["detections"]),
        ([("output0", FLOAT, [1, 84, 8400])], ["other"]),
        ([("num_dets", INT32, [1, 1]), ("b", FLOAT, [1, 9, 4]), ("s", FLOAT, [1, 9]), ("c", INT32, [1, 9])],
         ["count", "boxes", "scores", "labels"]),
        ([("dets", FLOAT, [1, 9, 5]), ("labels", INT64, [1, 9]), ("masks", FLOAT, [1, 9, 28, 28])],
         ["dets", "labels", "masks"]),
        ([("dets", FLOAT, ["n", 5]), ("scores", FLOAT, ["n"])], ["dets", "other"]),
        ([("b", FLOAT, ["n", 4])], ["other"]),
        ([("b", FLOAT, ["n", 4]), ("again", FLOAT, ["n", 4]), ("s", FLOAT, ["n"])], ["boxes", "other", "scores"]),
        ([("label_text", TensorProto.STRING, ["n"]), ("dets", FLOAT, ["n", 5])], ["other", "dets"]),
    ],
)  # fmt: skip
def test_of_shapes_and_names(
    outputs: list[tuple[str, int, list[int | str | None]]], expected: list[str]
) -> None:
    found = guess(model([value(*one) for one in outputs], [1, 3, 64, 64]))

    assert [one.role for one in found.outputs.values()] == expected
    assert any("no detections were recognised" in doubt for doubt in found.doubts) == (
        set(expected) == {"other"}
    )


@pytest.mark.parametrize(
    ("dims", "size", "shape", "expected"),
    [
        ([1, 3, 64, 96], None, (1, 3, "H", "W"), (64, 96)),
        (["n", 3, "h", "w"], None, (1, 3, "H", "W"), (640, 640)),
        (["n", 3, "h", "w"], (320, 416), (1, 3, "H", "W"), (320, 416)),
        ([1, 3, 64, "w"], (64, 96), (1, 3, "H", "W"), (64, 96)),
        ([1, 64, 96, 3], None, (1, "H", "W", 3), (64, 96)),
        ([3, 64, 96], None, (3, "H", "W"), (64, 96)),
        (["n", "c", "h", "w"], (64, 96), (1, 3, "H", "W"), (64, 96)),
    ],
)
def test_of_the_picture(
    dims: list[int | str],
    size: tuple[int, int] | None,
    shape: tuple[int | str, ...],
    expected: tuple[int, int],
) -> None:
    found = guess(model([], dims), size)

    assert found.inputs == {"image": ("image", shape)}
    assert found.size == expected
    assert any(doubt.startswith("size:") for doubt in found.doubts) == ("h" in dims and size is None)


def test_a_size_beside_the_files_own_is_refused() -> None:
    with pytest.raises(UsageError, match="the picture is 64 x 96 in the file, not 96 x 64"):
        guess(model([], [1, 3, 64, 96]), (96, 64))


def test_a_file_without_a_picture_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no input is a picture: .*it has image \[1, 10\]"):
        guess(model([], [1, 10]))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{0: 'person', 1: 'hot dog'}", ("person", "hot dog")),
        ("['a', 'b']", ("a", "b")),
        ("{1: 'b', 0: 'a'}", ("a", "b")),
        ("{1: 'a', 2: 'b'}", ()),
        ("__import__('os').getcwd()", ()),
        ("[1, 2]", ()),
        ("((((", ()),
        ("{'x': 'a'}", ()),
    ],
)
def test_class_names_of_the_metadata(text: str, names: tuple[str, ...]) -> None:
    found = guess(model([], [1, 3, 8, 8], names=text))

    assert found.classes == names
    assert any(doubt.startswith("classes:") for doubt in found.doubts) == (not names)


def test_what_is_written_is_a_specification() -> None:
    found = guess(model([value('o"1', FLOAT, [1, 9, 7])], [1, 3, 8, 8], names="['a: b', '[x]']"))

    spec = to_record(parse(model_yaml('na"me', "../a file.onnx", found)), ModelSpec, where="model.yaml")

    assert (spec.name, spec.classes) == ('na"me', ("a: b", "[x]"))
    assert spec.outputs['o"1'].meaning == Meaning("detections", IMAGE_FIRST)
    assert spec.variants["main"].stock == "../a file.onnx"
