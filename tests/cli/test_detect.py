"""``convertkit detect``: photos in, pictures and data out."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

from tests.offline.conftest import detector_graph


@pytest.fixture
def photos(tmp_path) -> Path:
    directory = tmp_path / "photos"
    directory.mkdir()
    for name, size in (("a.png", (200, 300)), ("b.jpg", (300, 200)), ("c.bmp", (50, 60))):
        cv2.imwrite(str(directory / name), np.full((*size, 3), 90, np.uint8))
    return directory


def test_every_photo_of_a_directory_is_drawn(cli, boxes, photos):
    done = cli("detect", boxes, photos)

    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert [line.split()[0] for line in lines[2:5]] == ["a.png", "b.jpg", "c.bmp"]
    assert lines[2].split(maxsplit=1)[1] == "2 class 41, 1 class 45, 1 class 46"
    assert lines[-1] == "drawn in detections"
    assert sorted(path.name for path in Path("detections").iterdir()) == ["a.png", "b.jpg", "c.jpg"]
    drawn = cv2.imread("detections/a.png")
    assert drawn.shape == (200, 300, 3)
    assert (drawn != 90).any()


def test_rungs_are_drawn_side_by_side(cli, boxes, photos):
    done = cli("detect", boxes, photos / "a.png", "-r", "stock", "-r", "target", "-o", "two.png")

    assert done.code == 0, done.err
    assert done.out.splitlines()[0].split() == ["photo", "stock", "target"]
    assert cv2.imread("two.png").shape[1] == 2 * 300 + 4


def test_as_json_nothing_is_drawn(cli, boxes, photos):
    done = cli("detect", boxes, photos / "b.jpg", "--json")

    (seen,) = done.json
    assert (seen["width"], seen["height"], seen["picture"]) == (200, 300, None)
    things = seen["rungs"]["target"]
    assert [thing["label"] for thing in things] != []
    assert [thing["score"] for thing in things] == sorted((thing["score"] for thing in things), reverse=True)
    assert all(len(thing["box"]) == 4 and "mask" not in thing for thing in things)
    assert not Path("detections").exists()


def test_data_and_picture_together(cli, boxes, photos):
    done = cli("detect", boxes, photos / "b.jpg", "--json", "-o", "b.jpg")

    assert done.json[0]["picture"] == "b.jpg"
    assert Path("b.jpg").is_file()


def test_data_in_a_file(cli, boxes, photos):
    done = cli("detect", boxes, photos, "-o", "found.json", "--above", 1)

    assert done.code == 0, done.err
    assert Path("found.json").read_text().count('"target": []') == 3
    assert "nothing" in done.out and done.out.endswith("written to found.json\n")


def test_an_artifact_is_run_as_it_is(cli, boxes, photos):
    cli("build", boxes, "-o", "artifact")
    onnx.save(detector_graph(), "artifact/model.onnx")

    done = cli("detect", "artifact", photos / "a.png", "--package", boxes, "-o", "a.png")

    assert done.code == 0, done.err
    assert "[1/" not in done.err  # nothing was built
    assert Path("a.png").is_file()


def test_an_artifact_finds_its_package_by_name(cli, boxes, photos):
    cli("build", boxes, "-o", "artifact")
    Path("models").mkdir()
    Path(boxes).rename("models/boxes")

    assert cli("detect", "artifact", photos / "a.png").code == 0


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["boxes", "nowhere"], "error: nowhere: no such photo or directory of photos"),
        (["boxes", "photos", "-o", "x.png"], "error: x.png: one picture for 3 photos (give a directory)"),
        (["boxes", "photos", "-o", "x.gif"], "error: x.gif: neither a directory nor one of .png, .jpg, .jpeg, .json"),
        (["boxes", "photos", "-o", "photos"], "error: photos/a.png is one of the photos (give another --output)"),
        (["boxes", "photos/a.png", "photos/a.png"], "error: a.png and a.png have the same name before the first dot"),
        (["photos", "photos"], "error: photos: neither a model package (model.yaml) nor an artifact (manifest.json)"),
        (["boxes", "photos", "--package", "boxes"], "error: --package has no meaning for a model package"),
        (["artifact", "photos"], "error: artifact: its model package boxes is not found (say where: --package)"),
        (["artifact", "photos", "-t", "cpu"], "error: --target has no meaning for an artifact, which is built"),
        (
            ["artifact", "photos", "--package", "boxes", "-r", "stock"],
            "error: rung stock: artifact has only the graph it was made of (give the model package",
        ),
        (["boxes", "photos", "-r", "stok"], "error: unknown rung 'stok'"),
        (["boxes", "photos", "--device", "1"], "error: --device has no meaning for cpu target, which runs on the host"),
        (["boxes", "text.png"], "error: text.png: not an image that OpenCV can read"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(cli, boxes, photos, words, line):
    Path("text.png").write_text("no picture")
    if "artifact" in words:
        cli("build", boxes, "-o", "artifact")

    done = cli("detect", *words)

    assert done.code == 2
    assert done.err.splitlines()[-1].startswith(line)
    assert not Path("detections").exists()


def test_a_box_that_is_no_number_is_an_error(cli, boxes, photos):
    model = detector_graph()
    spread = next(item for item in model.graph.initializer if item.name == "spread")
    spread.CopyFrom(onnx.numpy_helper.from_array(np.full((1, 5), np.nan, np.float32), "spread"))
    onnx.save(model, Path(boxes) / "boxes.onnx")

    done = cli("detect", boxes, photos / "a.png", "-r", "stock")

    assert done.code == 2
    assert done.err.splitlines()[-1].endswith("a.png: rung stock: a box or a score is not finite")


@pytest.mark.slow
def test_one_profile_is_asked_for_and_known_of_an_artifact(cli, boxes, photos):
    model = onnx.load(boxes / "boxes.onnx")
    for dim, side in zip(model.graph.input[0].type.tensor_type.shape.dim[2:], "HW", strict=True):
        dim.dim_param = side
    onnx.save(model, boxes / "boxes.onnx")
    text = (boxes / "model.yaml").read_text()
    (boxes / "model.yaml").write_text(
        text.replace("size: [320, 320]", "size: [320, 320]\n    profiles: [[240, 320], [320, 240]]")
    )
    words = ("detect", boxes, photos / "a.png", "--from", "stock")

    unsaid = cli(*words)
    said = cli(*words, "--profile", "240x320", "--json")
    built = cli(
        "detect",
        "build/boxes-only-cpu/240x320",
        photos / "a.png",
        "--package",
        boxes,
        "--from",
        "stock",
        "--json",
    )

    assert unsaid.code == 2
    assert (
        "variant only has profiles 240x320, 320x240, one is taken here (give --profile 240x320)" in unsaid.err
    )
    assert said.code == built.code == 0, said.err + built.err
    assert built.json[0]["rungs"] == said.json[0]["rungs"]
