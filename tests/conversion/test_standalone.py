"""The sample beside an artifact: what convertkit finds, bit for bit, without convertkit; and no step's result."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import hotcoco.mask
import msgspec
import numpy as np
import onnx
import pytest

from convertkit.conversion.engine import BuildResult, build
from convertkit.conversion.manifest import NAME, read_manifest
from convertkit.conversion.replay import check
from convertkit.conversion.request import Asked, BuildRequest, make_request
from convertkit.conversion.standalone import SETTINGS, sample_files, why_none
from convertkit.detection.types import Detections
from convertkit.models.package import read_spec
from convertkit.plugins.loading import open_plugins
from tests.conftest import MASKRCNN, Cli
from tests.offline.conftest import detector_graph
from tests.samples import MOST, opened, run

YAML = """
name: plain
summary: finds boxes whatever the photo
inputs: {input: {role: image, dtype: float32, shape: [1, 3, H, W]}}
outputs: {dets: {role: dets}, labels: {role: labels}, masks: {role: masks}}
preprocess: {mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375]}
pipeline: []
default_variant: only
variants: {only: {size: [320, 320], stock: boxes.onnx}}
"""
USUAL = "preprocess: {mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375]"


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A package without code."""
    root = tmp_path / "plain"
    root.mkdir()
    onnx.save(detector_graph(), root / "boxes.onnx")
    (root / "model.yaml").write_text(YAML)
    return root


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), np.random.default_rng(3).integers(0, 255, (211, 307, 3), dtype=np.uint8))
    return path


def asked(package: Path, target: str = "cpu") -> BuildRequest:
    return make_request(Asked(package, target=target), open_plugins())


def built(package: Path, output: Path) -> BuildResult:
    return build(asked(package), output)


def change(package: Path, old: str, new: str) -> None:
    text = (package / "model.yaml").read_text()
    assert old in text
    (package / "model.yaml").write_text(text.replace(old, new))


@pytest.mark.slow
def test_it_finds_what_detect_finds(cli: Cli, plain: Path, photo: Path, tmp_path: Path) -> None:
    output = built(plain, tmp_path / "out").directory

    found = run(output, photo, tmp_path / "drawn.png")
    done = cli("detect", output, photo, "--package", plain, "--above", "0", "--json")

    assert done.code == 0, done.err
    assert len(found) == 4
    assert found == done.json[0]["rungs"]["target"]
    assert (cv2.imread(str(tmp_path / "drawn.png")) != cv2.imread(str(photo))).any()


@pytest.mark.slow
def test_mini_finds_what_detect_finds(cli: Cli, tmp_path: Path) -> None:
    request = make_request(Asked(MASKRCNN, check=False), open_plugins())
    result, photos = build(request, tmp_path / "out"), [tmp_path / "a.png", tmp_path / "b.png"]
    output = result.directory
    for path, image in zip(photos, asked(MASKRCNN).package.sample_images(), strict=True):
        cv2.imwrite(str(path), image)

    done = cli("detect", output, *photos, "--package", MASKRCNN, "--above", "0", "--json")
    found = [run(output, each, tmp_path / f"{each.stem}-drawn.png") for each in photos]

    assert done.code == 0, done.err
    assert found == [seen["rungs"]["target"] for seen in done.json]
    assert sum(map(len, found)) >= 8


@pytest.mark.parametrize(
    "settings",
    [
        "}",
        ", to_rgb: false, pad_value: [0.5, -1, 2]}",
        ", placement: center, rounding: floor, pad_value: 1.25}",
    ],
)
@pytest.mark.parametrize("shape", ["[1, 3, H, W]", "[1, H, W, 3]", "[3, H, W]"])
@pytest.mark.parametrize("size", [(211, 307), (400, 90), (320, 320)])
def test_the_network_is_fed_the_same(
    plain: Path, tmp_path: Path, settings: str, shape: str, size: tuple[int, int]
) -> None:
    change(plain, USUAL + "}", USUAL + settings)
    change(plain, "[1, 3, H, W]", shape)
    request = asked(plain)
    sample = opened(written(request, tmp_path / "out"))
    image = np.random.default_rng(1).integers(0, 255, (*size, 3), dtype=np.uint8)

    fed, padding, scale = sample.prepare(image)
    expected, place = request.package.model.preprocess(
        image, request.variant.spec.size, request.package.spec.preprocess
    )

    assert {name: array.dtype for name, array in fed.items()} == {
        name: array.dtype for name, array in expected.items()
    }
    for name, array in fed.items():
        assert array.flags.c_contiguous
        np.testing.assert_array_equal(array, expected[name])
    assert padding.tolist() == [place.pad_left, place.pad_top] * 2
    assert scale.tolist() == np.float32([place.scale_x, place.scale_y] * 2).tolist()


@pytest.mark.parametrize(
    "outputs",
    [
        "dets: {role: dets}, labels: {role: labels}, masks: {role: masks}",
        "dets: {role: detections, columns: [cx, cy, w, h, label, score]}, count: {role: count}",
        "dets: {role: boxes, columns: [x1, y1, w, h]}, other: {role: other}, scores: {role: scores}",
    ],
)
def test_the_answers_mean_the_same(plain: Path, tmp_path: Path, outputs: str) -> None:
    change(plain, "dets: {role: dets}, labels: {role: labels}, masks: {role: masks}", outputs)
    request = asked(plain)
    sample, names = opened(written(request, tmp_path / "out")), list(request.package.spec.outputs)
    photo = np.zeros((211, 307, 3), np.uint8)
    _, place = request.package.model.preprocess(photo, (320, 320), request.package.spec.preprocess)
    _, *way = sample.prepare(photo)

    for seed in range(20):
        answers = invented(seed, request)
        expected = request.package.detections(dict(zip(names, answers, strict=True)), place)
        boxes, scores, labels, masks = sample.detections(answers, *way)
        np.testing.assert_array_equal(scores, expected.scores)
        np.testing.assert_array_equal(labels, expected.labels)
        np.testing.assert_array_equal(np.clip(boxes, 0, np.float32([307, 211] * 2)), expected.boxes)
        assert_pasted(sample, boxes, masks, expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cascade_mask_rcnn", "faster_rcnn", "maskrcnn", "retinanet", "yolox"])
def test_every_model_here_has_one_that_does_the_same(tmp_path: Path, name: str) -> None:
    package = MASKRCNN.parent / name
    for number, variant in enumerate(read_spec(package).variants):
        request = make_request(Asked(package, variant=variant), open_plugins())
        sample = opened(written(request, tmp_path / str(number)))
        image = np.random.default_rng(0).integers(0, 255, (211, 307, 3), dtype=np.uint8)
        spec = request.package.preprocess_spec(request.variant)
        expected, place = request.package.model.preprocess(image, request.variant.spec.size, spec)
        fed, *way = sample.prepare(image)
        np.testing.assert_array_equal(fed["input"], expected["input"])
        for seed in range(5):
            answers = [array[:, :1] if array.ndim == 4 else array for array in invented(seed, request)]
            named = dict(zip(request.package.spec.outputs, answers, strict=True))
            named |= {key: array[:, 0] for key, array in named.items() if array.ndim == 4}
            boxes, scores, labels, masks = sample.detections(answers, *way)
            found = request.package.detections(named, place)
            np.testing.assert_array_equal(scores, found.scores)
            np.testing.assert_array_equal(labels, found.labels)
            np.testing.assert_array_equal(np.clip(boxes, 0, np.float32([307, 211] * 2)), found.boxes)
            assert_pasted(sample, boxes, masks, found)


@pytest.mark.slow
def test_several_pictures_in_one_run_are_one_photo(plain: Path, tmp_path: Path) -> None:
    onnx.save(detector_graph(batch=2), plain / "boxes.onnx")
    change(plain, "stock: boxes.onnx", "stock: boxes.onnx, batch: 2")
    sample = opened(built(plain, tmp_path / "out").directory)
    fed, *way = sample.prepare(np.zeros((100, 100, 3), np.uint8))

    _, scores, *_ = sample.detections(sample.run(str(tmp_path / "out" / "model.onnx"), fed), *way)

    assert fed["input"].shape == (2, 3, 320, 320)
    assert len(scores) == 4


def test_it_is_short_and_the_same_for_all_models(plain: Path, tmp_path: Path) -> None:
    mine, minis = sample_files(asked(plain)), sample_files(asked(MASKRCNN))

    assert mine["sample.py"] == minis["sample.py"]
    assert len(mine["sample.py"].splitlines()) < MOST
    assert mine[SETTINGS] != minis[SETTINGS]


@pytest.mark.slow
def test_a_mistake_is_told_in_words(plain: Path, tmp_path: Path) -> None:
    script = built(plain, tmp_path / "out").directory / "sample.py"

    none, no_photo = (
        subprocess.run([sys.executable, script, *words], capture_output=True, text=True, check=False)
        for words in ([], ["absent.png", "drawn.png"])
    )

    assert (none.returncode, no_photo.returncode) == (1, 1)
    assert (
        none.stderr.startswith("Draw what the model finds in a photo")
        and "sample.py PHOTO PICTURE" in none.stderr
    )
    assert no_photo.stderr.splitlines()[-1] == "absent.png is no photo that OpenCV reads"
    assert "Traceback" not in no_photo.stderr


@pytest.mark.slow
def test_another_threshold_is_another_sample_and_nothing_is_compiled(plain: Path, tmp_path: Path) -> None:
    first = built(plain, tmp_path / "out")
    change(plain, "pipeline: []", "pipeline: []\npostprocess: {score_threshold: 0.25}")

    second, third = built(plain, tmp_path / "out"), built(plain, tmp_path / "out")

    assert json.loads((tmp_path / "out" / SETTINGS).read_text())["score_threshold"] == 0.25
    assert second.manifest.files[SETTINGS] != first.manifest.files[SETTINGS]
    assert second.manifest.steps == first.manifest.steps
    assert (second.fresh, third.fresh) == (True, False)
    assert all(finding.ok for finding in check(tmp_path / "out" / NAME))


@pytest.mark.slow
def test_an_artifact_of_before_is_whole_and_gets_one(plain: Path, tmp_path: Path) -> None:
    output = built(plain, tmp_path / "out").directory
    now = read_manifest(output / NAME)
    old = {name: entry for name, entry in now.files.items() if not name.startswith("sample.")}
    for name in set(now.files) - set(old):
        (output / name).unlink()
    (output / NAME).write_bytes(msgspec.structs.replace(now, files=old).sealed().encode())

    findings, again = check(output / NAME), built(plain, output)

    assert all(finding.ok for finding in findings)
    assert again.manifest == now
    assert (output / "sample.py").is_file()


@pytest.mark.slow
def test_a_damaged_sample_is_found_and_mended(plain: Path, tmp_path: Path) -> None:
    script = built(plain, tmp_path / "out").directory / "sample.py"
    whole = script.read_bytes()
    script.write_bytes(whole + b"#")

    wrong = [finding.what for finding in check(script.parent / NAME) if not finding.ok]
    again = built(plain, script.parent)

    assert wrong == ["sample.py does not match its sha256"]
    assert again.fresh
    assert script.read_bytes() == whole


@pytest.mark.slow
def test_a_package_with_code_of_its_own_has_none_and_says_why(cli: Cli, tiny: Path, tmp_path: Path) -> None:
    done = cli("build", tiny, "-o", tmp_path / "out")

    assert sample_files(asked(tiny)) == {}
    assert "no sample: the package's own code does what its settings would say: preprocess" in done.out


def test_a_target_without_one_and_other_inputs_are_told(plain: Path) -> None:
    request = asked(plain)
    bare = replace(request, target=asked(plain, "openvino").target)
    change(plain, "inputs: {", "inputs: {sizes: {role: other}, ")

    assert why_none(request) == ""
    assert why_none(bare) == "target openvino has none"
    assert why_none(asked(plain)).startswith("the package needs an image for its only input")


def written(request: BuildRequest, directory: Path) -> Path:
    directory.mkdir()
    for name, data in sample_files(request).items():
        (directory / name).write_bytes(data)
    return directory


def invented(seed: int, request: BuildRequest) -> list[np.ndarray]:
    """Outputs of up to 6 slots with empty, inverted and far boxes among them, equal scores, and masks of 3 classes."""
    source = np.random.default_rng(seed)
    count = int(source.integers(0, 7))
    roles = {name: item.role for name, item in request.package.spec.outputs.items()}
    width = len(next(item.meaning.row for item in request.package.spec.outputs.values() if item.meaning.row))
    rows = source.uniform(-60, 380, (count, width)).astype(np.float32)
    if "labels" in roles.values():
        rows[:, 4] = source.choice(np.float32([0.01, 0.3, 0.05, 0.9]), count)
    else:
        rows[:, 4:] = source.uniform(0, 1, rows[:, 4:].shape) * ([2, 1] if width == 6 else [1] * (width - 4))
    rows[::3, 2:4] = rows[::3, :2]
    made = {
        "labels": source.integers(0, 3, count),
        "masks": source.uniform(0, 1, (count, 3, 28, 28)).astype(np.float32),
        "scores": source.uniform(0, 1, count).astype(np.float32),
        "count": np.array(count // 2),
        "other": np.zeros(3),
    }
    return [made.get(role, rows) for role in roles.values()]


def assert_pasted(sample, boxes, masks, expected: Detections) -> None:
    if masks is None:
        assert not expected.masks
        return
    assert expected.masks is not None
    for mask, box, packed in zip(masks, boxes, expected.masks, strict=True):
        inside = sample.paste(mask, box, (211, 307))
        np.testing.assert_array_equal(inside, hotcoco.mask.decode(dict(packed)).astype(bool))
