"""Several profiles: in one stream, by files, and what a killed preprocessing leaves."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import yaml
from convertkit_ascend.target import Ascend
from onnx import TensorProto, helper, numpy_helper

from convertkit.api.graphs import save
from convertkit.errors import SpecError
from convertkit.offline.profiles import read_split
from tests.conftest import MASKRCNN
from tests.offline.conftest import detector_graph

WIDE, TALL = "240x320", "320x240"


@pytest.fixture
def variant(tmp_path):
    """A variant with two profiles, whose stock graph takes any size; an artifact directory ``art`` of both."""
    model = as_promised(detector_graph())
    for place, size in ((WIDE, (240, 320)), (TALL, (320, 240)), ("", ("H", "W"))):
        for dim, side in zip(model.graph.input[0].type.tensor_type.shape.dim[2:], size, strict=True):
            dim.ClearField("dim_value")
            setattr(dim, "dim_param" if isinstance(side, str) else "dim_value", side)
        directory = tmp_path / "art" / place
        directory.mkdir(parents=True, exist_ok=True)
        onnx.save(model, directory / "model.onnx")
    text = {"size": [320, 320], "profiles": [[240, 320], [320, 240]], "stock": "art/model.onnx"}
    (tmp_path / "two.yaml").write_text(yaml.safe_dump(text))
    return tmp_path / "two.yaml"


def as_promised(model):
    """With the dtypes and shapes of ``model.yaml``: labels int64, masks of every class."""
    tensors = {item.name: item for item in model.graph.initializer}
    labels, masks = (numpy_helper.to_array(tensors[name]) for name in ("labels_", "masks_"))
    every = np.repeat(masks[:, None], 80, axis=1)
    for name, array in (("labels_", labels.astype(np.int64)), ("masks_", every)):
        tensors[name].CopyFrom(numpy_helper.from_array(array, name))
    for output in model.graph.output:
        if output.name == "labels":
            output.type.tensor_type.elem_type = TensorProto.INT64
        if output.name == "masks":
            output.CopyFrom(helper.make_tensor_value_info("masks", TensorProto.FLOAT, every.shape))
    return model


@pytest.fixture
def mixed(tmp_path, scenes):
    """The scenes as photos of both orientations: every other one is turned."""
    found = json.loads((scenes / "instances.json").read_text())
    (tmp_path / "photos").mkdir()
    for index, image in enumerate(found["images"]):
        pixels = cv2.resize(cv2.imread(str(scenes / "images" / image["file_name"])), (200, 150))
        pixels = cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE) if index % 2 else pixels
        image["height"], image["width"] = pixels.shape[:2]
        cv2.imwrite(str(tmp_path / "photos" / image["file_name"]), pixels)
    for annotation in found["annotations"]:
        annotation |= {
            "bbox": [10, 10, 50, 60],
            "segmentation": [[10, 10, 60, 10, 60, 70, 10, 70]],
            "area": 3000,
        }
    (tmp_path / "mixed.json").write_text(json.dumps(found))
    return ("--annotations", tmp_path / "mixed.json", "--images", tmp_path / "photos")


def prepared(cli, variant, photos, *words):
    done = cli(
        "preprocess", MASKRCNN, "--variant", variant, *photos, "--artifact", "art", "-o", "pre", *words
    )
    assert done.code == 0, done.err
    return done


def run(ais_bench):
    for name in (WIDE, TALL):
        words = ("--input", f"pre/{name}", "--output", "out", "--output_dirname", name)
        ais_bench("--model", f"art/{name}/model.onnx", *words)


@pytest.mark.slow
def test_files_find_what_the_stream_finds(cli, variant, mixed, ais_bench):
    words = (MASKRCNN, "--variant", variant, "--from", "stock", "--runtime", "stock", "--results", "streamed")
    streamed = cli("verify", *words, *mixed, "--json")
    assert streamed.code == 0, streamed.err
    prepared(cli, variant, mixed)
    run(ais_bench)

    words = ("-i", "pre", "--artifact", "art", "--detections", "found.jsonl", "--json")
    done = cli("postprocess", MASKRCNN, "out", *words)

    assert done.code == 0, done.err
    assert Path("found.jsonl").read_bytes() == Path("streamed/stock.jsonl").read_bytes()
    assert Path("found.jsonl").read_bytes().count(b"\n") == 16
    assert done.json["scores"] == streamed.json["rungs"][0]["scores"]
    assert streamed.json["notes"][0] == f"photos by profile, on every rung: 2 at {WIDE}, 2 at {TALL}"
    assert Path("pre", "profiles.json").is_file()


@pytest.mark.slow
def test_what_was_interrupted_goes_on(cli, variant, mixed):
    first = prepared(cli, variant, mixed, "--json").json
    made = sorted(path.name for path in Path("pre").glob("*/*.bin"))
    Path("pre", TALL, "preprocess.json").unlink()  # killed after all of one profile and a part of the other
    next(Path("pre", TALL).glob("*.bin")).unlink()

    again = prepared(cli, variant, mixed, "--json").json

    assert [part["made"] for part in first["profiles"]] == [2, 2]
    assert [part["made"] for part in again["profiles"]] == [0, 1]
    assert sorted(path.name for path in Path("pre").glob("*/*.bin")) == made


@pytest.mark.slow
def test_photos_of_a_directory_are_read_for_their_size(cli, variant, mixed):
    prepared(cli, variant, ("--images", mixed[3]))
    by_annotations = json.loads(Path("pre/profiles.json").read_text())["photos"]

    assert list(by_annotations.values()) == [WIDE, TALL, WIDE, TALL]


def test_a_profile_without_photos_has_no_directory(cli, variant, mixed):
    found = prepared(cli, variant, mixed, "--limit", 1, "--json").json

    assert [Path(part["directory"]).name for part in found["profiles"]] == [WIDE]
    assert not Path("pre", TALL).exists()


def test_one_profile_alone_is_ordinary(cli, variant, mixed):
    words = ("--variant", variant, *mixed, "--artifact", f"art/{TALL}", "-o", "alone", "--profile", TALL)
    done = cli("preprocess", MASKRCNN, *words)

    assert done.code == 0, done.err
    assert len(list(Path("alone").glob("*.bin"))) == 4
    assert not Path("alone/profiles.json").exists()


@pytest.mark.slow
def test_what_cannot_be_said_of_all_profiles_is_one_line(cli, variant, mixed, ais_bench):
    post = ("postprocess", MASKRCNN, "out", "-i", "pre", "--artifact", "art")
    prepared(cli, variant, mixed)
    run(ais_bench)
    gone = next(Path("out", TALL).glob("*_0.bin"))
    gone.unlink()
    missing = cli(*post)
    part = cli(*post, "--partial")
    record = Path("pre", TALL, "preprocess.json")
    record.unlink()
    unfinished = cli(*post)
    Path("mine").mkdir()
    Path("mine/notes.txt").touch()
    foreign = cli("preprocess", MASKRCNN, "--variant", variant, *mixed, "--artifact", "art", "-o", "mine")

    assert [done.code for done in (missing, part, unfinished, foreign)] == [2, 0, 2, 2]
    assert f"{TALL}/{gone.name}: missing" in missing.err
    assert f"{WIDE}: 2 of 2 photos have a file for each of 3 outputs; {TALL}: 1 of 2 photos" in missing.err
    assert "3 of 4 images" in part.out
    assert f"error: pre/{TALL}: there is no preprocess.json in it" in unfinished.err
    assert "error: --output mine: notes.txt is there, and no profiles.json" in foreign.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not a record of convertkit preprocess"),
        ('{"format": 2, "own": true, "photos": {"a": "8x8"}}', "not a record of photos that this convertkit"),
        (
            '{"format": 1, "own": true, "photos": {"a": "../8x8"}}',
            "not a record of photos that this convertkit",
        ),
        ('{"format": 1, "own": true, "photos": {}}', "not a record of photos that this convertkit"),
    ],
)
def test_a_damaged_list_is_one_line(tmp_path, text, said):
    (tmp_path / "profiles.json").write_text(text)

    with pytest.raises(SpecError, match=said):
        read_split(tmp_path)


@pytest.mark.slow
def test_a_list_of_other_photos_is_refused(cli, variant, mixed):
    prepared(cli, variant, mixed)
    path = Path("pre/profiles.json")
    found = json.loads(path.read_text())
    found["photos"] = dict(list(found["photos"].items())[:3])
    path.write_text(json.dumps(found))

    done = cli("postprocess", MASKRCNN, "out", "-i", "pre", "--artifact", "art")

    assert done.code == 2
    assert "error: pre: its profiles are of other photos than profiles.json (preprocess again)" in done.err


@pytest.mark.slow
def test_the_offline_runtime_reads_the_directory_of_each_profile(cli, variant, mixed, ais_bench):
    target = ("--target", "ascend310p3")
    words = (MASKRCNN, "--variant", variant, "--from", "stock", *target, "--pipeline", "fold-constants")
    for name in (WIDE, TALL):
        shutil.rmtree(Path("art", name))
    built = cli("build", *words, "--compiler", "none", "--no-check", "-o", "art")
    assert built.code == 0, built.err
    prepared(cli, variant, mixed, *target)
    run(ais_bench)

    files = ("--runtime", "offline", "--inputs", "pre", "--outputs", "out", "-o", "art")
    done = cli("verify", *words, *mixed, *files, "--json")

    assert done.code == 0, done.err
    scored = cli("postprocess", MASKRCNN, "out", "-i", "pre", *target, "--artifact", "art", "--json")
    assert done.json["rungs"][0]["scores"] == scored.json["scores"]


@pytest.mark.slow
def test_a_profile_without_photos_needs_no_results(cli, variant, mixed, ais_bench, monkeypatch):
    monkeypatch.setattr(Ascend, "passes", lambda self, context: ())
    monkeypatch.setattr(Ascend, "compile", lambda self, model, place, _: save(model, place / "model.om"))
    prepared(cli, variant, mixed, "--limit", 1)
    words = ("--input", f"pre/{WIDE}", "--output", "out", "--output_dirname", WIDE)
    ais_bench("--model", f"art/{WIDE}/model.onnx", *words)
    words = (
        "--pipeline",
        "set-opset-window",
        "--variant",
        variant,
        "--target",
        "ascend310p3",
        "--from",
        "stock",
        *mixed,
        "--limit",
        1,
    )

    files = ("--inputs", "pre", "--outputs", "out", "--results", "found")
    done = cli("verify", MASKRCNN, *words, "-r", "stock", "-r", "offline", *files)

    assert done.code == 0, done.err
    assert Path("found/offline.jsonl").read_bytes() == Path("found/stock.jsonl").read_bytes()
