"""The samples of a bundle: in Python as on the chip and as convertkit, in C++ compiled and run with stand-ins."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import pytest
from convertkit_ascend.bundle.sample import CPP, sample

from convertkit.conversion.engine import build
from convertkit.conversion.request import Asked, make_request
from convertkit.conversion.standalone import sample_files
from convertkit.plugins.loading import open_plugins
from tests.ascend.runtimes.stand_in_aclruntime import install_aclruntime
from tests.conftest import MASKRCNN, Cli
from tests.samples import MOST, opened, run

STAND_INS = Path(__file__).with_name("stand_in_include")
WARNINGS = ("-Wall", "-Wextra", "-Werror")
TYPES = {"float32": 0, "int32": 3, "int64": 9}
"""AscendCL's ``aclDataType``."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``sample.cpp``, compiled with stand-ins for the headers of AscendCL and OpenCV."""
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("neither g++ nor clang++ is installed")
    place = tmp_path_factory.mktemp("cpp")
    (place / CPP).write_text(sample().files[CPP])
    command = [compiler, "-std=c++17", *WARNINGS, f"-I{STAND_INS}", CPP, "-o", "sample"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return place / "sample"


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of mini, its twin in the place of the compiled model, and a photo of the network's size."""
    directory = tmp_path_factory.mktemp("mini") / "bundle"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVERTKIT_HOME", str(directory.parent / "home"))
        request = make_request(Asked(MASKRCNN, target="ascend310p3", check=False), open_plugins())
        build(request, directory)
    shutil.copy(directory / "twin.onnx", directory / "model.om")
    image = next(request.package.sample_images())
    cv2.imwrite(str(directory / "photo.png"), cv2.resize(image, (320, 320)))
    return directory


@pytest.mark.slow
def test_on_the_chip_it_finds_what_detect_finds(
    cli: Cli, mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_aclruntime(monkeypatch)
    words = ("--package", MASKRCNN, "--above", "0", "--json")

    found = run(mini, mini / "photo.png", tmp_path / "drawn.png", alone=False)
    chip, twin = (
        cli("detect", mini, mini / "photo.png", *words, "--rung", rung).json[0]["rungs"]
        for rung in ("acl", "twin")
    )

    assert len(found) >= 4
    assert found == chip["acl"] == twin["twin"]


def test_the_script_of_a_bundle_is_short_too() -> None:
    request = make_request(Asked(MASKRCNN, target="ascend310p3"), open_plugins())

    files = {name: data.decode() for name, data in sample_files(request).items()}

    assert sorted(files) == [CPP, "sample.json", "sample.py"]
    assert len(files["sample.py"].splitlines()) < MOST
    assert "onnxruntime" not in files["sample.py"]
    assert "Never seen on hardware" in files[CPP]


def test_opencv_reads_the_settings(tmp_path: Path) -> None:
    """The C++ sample has no other reader of JSON."""
    request = make_request(Asked(MASKRCNN, target="ascend310p3"), open_plugins())
    path = tmp_path / "sample.json"
    path.write_bytes(sample_files(request)["sample.json"])
    told = json.loads(path.read_text())

    at = cv2.FileStorage(str(path), cv2.FILE_STORAGE_READ)

    assert at.getNode("model").string() == "model.om"
    assert [at.getNode("size").at(index).real() for index in (0, 1)] == told["size"]
    for name in ("mean", "factor", "padding"):
        assert [at.getNode(name).at(index).real() for index in range(3)] == told[name]
    classes = at.getNode("classes")
    assert [classes.at(index).string() for index in range(classes.size())] == told["classes"]


def test_bytes_are_fed_as_they_are_where_the_chip_normalises(tmp_path: Path) -> None:
    package = tmp_path / "package"
    shutil.copytree(MASKRCNN, package, ignore=shutil.ignore_patterns("*.onnx", "*.pth"))
    text = (package / "model.yaml").read_text()
    (package / "model.yaml").write_text(text.replace("normalize: host", "normalize: target"))
    request = make_request(Asked(package, target="ascend310p3"), open_plugins())
    for name, data in sample_files(request).items():
        (tmp_path / name).write_bytes(data)
    image = np.random.default_rng(0).integers(0, 255, (100, 50, 3), dtype=np.uint8)

    fed, *_ = opened(tmp_path).prepare(image)
    expected, _ = request.package.model.preprocess(image, (320, 320), request.package.spec.preprocess)

    assert expected["input"].dtype == np.uint8
    assert {name: array.tobytes() for name, array in fed.items()} == {
        name: array.tobytes() for name, array in expected.items()
    }


@pytest.mark.slow
def test_in_cpp_the_model_is_fed_and_read_the_same(program: Path, mini: Path, tmp_path: Path) -> None:
    module = opened(mini)
    photo = cv2.imread(str(mini / "photo.png"))
    fed, *way = module.prepare(photo)
    session = onnxruntime.InferenceSession(mini / "model.om", providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_inputs()]
    outputs = session.run(None, {name: fed[name] for name in names})
    cv2.imwrite(str(tmp_path / "photo.ppm"), photo)
    shutil.copy(mini / "sample.json", tmp_path)
    stand_in_model(tmp_path, {name: fed[name] for name in names}, outputs)

    done = subprocess.run(
        [program, "photo.ppm", "drawn.ppm"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    for index, name in enumerate(names):
        assert (tmp_path / f"fed_{index}.bin").read_bytes() == fed[name].tobytes(), name
    boxes, scores, labels, _ = module.detections(outputs, *way)
    shown = np.flatnonzero(scores > 0.3)
    lines = [line.rsplit(" ", 5) for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == [module.AT["classes"][label] for label in labels[shown]]
    read = np.array([[float(word) for word in line[1:]] for line in lines])
    np.testing.assert_allclose(read, np.column_stack([scores, boxes])[shown], rtol=1e-4, atol=1e-3)
    assert (cv2.imread(str(tmp_path / "drawn.ppm")) != photo).any()


@pytest.mark.slow
def test_in_cpp_an_error_is_one_line(program: Path, mini: Path, tmp_path: Path) -> None:
    shutil.copy(mini / "sample.json", tmp_path)
    cv2.imwrite(str(tmp_path / "photo.ppm"), np.zeros((20, 30, 3), np.uint8))

    done = [
        subprocess.run([program, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        for words in ([], ["photo.ppm", "drawn.ppm"])
    ]

    assert [each.returncode for each in done] == [1, 1]
    assert done[0].stderr == "error: ./sample PHOTO PICTURE, where sample.json is\n"
    assert done[1].stderr == "error: aclmdlLoadFromFile(model, &id) returned 500002\n"


def stand_in_model(directory: Path, inputs: Mapping[str, Any], outputs: list[Any]) -> None:
    """The text that the stand-in for AscendCL takes for a model, and the files of what it answers."""
    lines = [f"input {name} {array.nbytes}" for name, array in inputs.items()]
    for index, array in enumerate(outputs):
        array.tofile(directory / f"output_{index}.bin")
        lines.append(f"output {TYPES[str(array.dtype)]} output_{index}.bin {' '.join(map(str, array.shape))}")
    (directory / "model.om").write_text("\n".join(lines) + "\n")
