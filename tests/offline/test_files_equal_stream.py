"""Through files or in one stream: the same detections, byte for byte, and the same accuracy."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path

import onnx
import pytest

from convertkit.conversion.keys import step_key
from convertkit.conversion.manifest import Manifest, StepEntry
from convertkit.storage.files import TEMPORARY
from tests.conftest import MASKRCNN
from tests.offline.conftest import detector_graph

SHAPES = "dets=float32:4x5,labels=int32:4,masks=float32:4x28x28"


def through_files(cli, ais_bench, target, artifact, graph, *options):
    """The JSON of ``postprocess`` for photos that are prepared in ``pre``; detections go to ``found.jsonl``."""
    inputs = ["pre/input", "pre/picture"] if Path("pre/picture").is_dir() else ["pre"]
    ais_bench("--model", graph, "--input", ",".join(inputs), "--output", "out", *options)
    words = ("--target", target, "--artifact", artifact, "--detections", "found.jsonl", "--json")
    done = cli("postprocess", MASKRCNN, "out", "--inputs", "pre", *words)
    assert done.code == 0, done.err
    return done.json


def is_the_same(streamed, rung, found):
    expected = Path(f"streamed/{rung}.jsonl").read_bytes()
    assert expected.count(b"\n") > 4
    assert Path("found.jsonl").read_bytes() == expected
    assert found["scores"] == streamed.json["rungs"][-1]["scores"]
    assert found["scores"]["segm"]["AP"] > 0.3


@pytest.mark.slow
def test_the_stock_graph_of_mini(cli, photos, ais_bench):
    two = (*photos, "--limit", 2)
    streamed = cli("verify", MASKRCNN, *two, "--runtime", "stock", "--results", "streamed", "--json")
    cli("export", MASKRCNN, "-o", "artifact/model.onnx")
    cli("preprocess", MASKRCNN, *two, "-o", "pre")

    found = through_files(cli, ais_bench, "cpu", "artifact", "artifact/model.onnx", "--warmup_count", 0)

    is_the_same(streamed, "stock", found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "rung", "graph"), [("cpu", "target", "model.onnx"), ("ascend310p3", "twin", "twin.onnx")]
)
def test_the_target_graph_of_mini(cli, photos, ais_bench, target, rung, graph):
    artifact = f"build/maskrcnn-mini-{target}"
    cli("build", MASKRCNN, "--target", target)
    words = ("--target", target, "--runtime", rung, "--results", "streamed", "--json")
    streamed = cli("verify", MASKRCNN, *photos, *words)
    cli("preprocess", MASKRCNN, *photos, "--target", target, "-o", "pre")

    found = through_files(
        cli, ais_bench, target, artifact, f"{artifact}/{graph}", "--device", "0,1", "--divide_input", "1"
    )

    is_the_same(streamed, rung, found)


@pytest.mark.slow
@pytest.mark.parametrize("words", [[], ["--outfmt", "NPY"], ["--output_dirname", "mine"]])
def test_whatever_the_runtime_writes(cli, photos, detector, ais_bench, words):
    cli("preprocess", MASKRCNN, *photos, "--artifact", detector, "-o", "pre")
    ais_bench(
        "--model", detector / "model.onnx", "--input", "pre", "--output", "flat", "--output_dirname", "run"
    )
    ais_bench("--model", detector / "model.onnx", "--input", "pre", "--output", "out", *words)
    flat = cli(
        "postprocess", MASKRCNN, "flat/run", "-i", "pre", "--shapes", SHAPES, "--detections", "flat.jsonl"
    )
    place = "out/mine" if "mine" in words else "out"

    done = cli(
        "postprocess", MASKRCNN, place, "-i", "pre", "--artifact", detector, "--detections", "found.jsonl"
    )

    assert (flat.code, done.code) == (0, 0), flat.err + done.err
    assert done.out == flat.out
    assert Path("found.jsonl").read_bytes() == Path("flat.jsonl").read_bytes()
    assert Path("found.jsonl").read_bytes().count(b"\n") == 16


@pytest.mark.slow
def test_devices_with_a_time_each_are_one_run_unless_each_computed_everything(
    cli, photos, detector, ais_bench, monkeypatch
):
    seconds = itertools.count()
    monkeypatch.setattr("time.strftime", lambda form, *_: f"2026_11_27-23_20_{next(seconds):02}")
    cli("preprocess", MASKRCNN, *photos, "--artifact", detector, "-o", "pre")
    words = ("--model", detector / "model.onnx", "--input", "pre", "--device", "0,1", "--output")
    ais_bench(*words, "one")
    ais_bench(*words, "divided", "--divide_input", "1")
    asked = ("-i", "pre", "--artifact", detector)

    whole = cli("postprocess", MASKRCNN, "one/2026_11_27-23_20_00/device0_0", *asked)
    twice = cli("postprocess", MASKRCNN, "one", *asked)
    divided = cli("postprocess", MASKRCNN, "divided", *asked)

    assert (twice.code, twice.err.count("\n"), divided.code) == (2, 1, 0), divided.err
    assert "one: results of 2 runs (2026_11_27-23_20_00 ... 2026_11_27-23_20_01): " in twice.err
    assert divided.out == whole.out
    assert divided.err.startswith("note: 2 runs are taken together")


@pytest.mark.parametrize("suffix", ["bin", "npy"])
def test_a_graph_of_two_inputs_reads_two_directories(cli, tmp_path, photos, ais_bench, suffix):
    (tmp_path / "artifact").mkdir()
    onnx.save(detector_graph(picture=True), tmp_path / "artifact" / "model.onnx")

    prepared = cli("preprocess", MASKRCNN, *photos, "--artifact", "artifact", "-o", "pre", "--format", suffix)
    ais_bench("--model", "artifact/model.onnx", "--input", "pre/input,pre/picture", "--output", "out")
    done = cli("postprocess", MASKRCNN, "out", "-i", "pre", "--artifact", "artifact")

    assert "inputs, in the order of the graph: pre/input,pre/picture" in prepared.out
    assert done.code == 0, done.err
    assert "4 images, 16 detections" in done.out


@pytest.mark.slow
def test_what_was_prepared_before_the_build_is_told_to_lack_an_input_and_its_files_are_not_forgotten(
    cli, tmp_path, photos, detector, ais_bench
):
    (tmp_path / "artifact").mkdir()
    onnx.save(detector_graph(picture=True), tmp_path / "artifact" / "model.onnx")
    words = ("--target", "ascend310p3", "--artifact", "artifact")

    early = cli("preprocess", MASKRCNN, *photos, "--target", "ascend310p3", "-o", "pre")
    ais_bench("--model", detector / "model.onnx", "--input", "pre", "--output", "out")
    refused = cli("postprocess", MASKRCNN, "out", "-i", "pre", *words)
    again = cli("preprocess", MASKRCNN, *photos, *words, "-o", "pre")
    done = cli("postprocess", MASKRCNN, "out", "-i", "pre", *words)

    assert "the inputs are those of the stock graph: input" in early.err
    assert "note: a pass of ascend310p3 may add picture: build first" in early.err
    assert (refused.code, refused.err.count("\n"), done.code) == (2, 1, 0), done.err
    assert "the graph takes picture=float32:1x4, prepared is input=float32:1x3x320x320" in refused.err
    assert "note: files that are not of this run: 4 in pre, like pre/heldout-0-000000.bin" in again.err


@pytest.fixture
def results(cli, photos, detector, ais_bench):
    """``pre`` and ``out``, complete."""
    cli("preprocess", MASKRCNN, *photos, "--artifact", detector, "-o", "pre")
    ais_bench(
        "--model", detector / "model.onnx", "--input", "pre", "--output", ".", "--output_dirname", "out"
    )
    return Path("out")


@pytest.mark.slow
def test_missing_and_extra_files_are_named_up_to_a_limit(cli, results, detector, stems):
    (results / f"{stems[1]}_2.bin").unlink()
    (results / f"{stems[2]}_0.bin").write_bytes(b"1234")
    (results / "other_0.bin").write_bytes(b"")
    words = ("postprocess", MASKRCNN, results, "-i", "pre", "--artifact", detector)

    all_named = cli(*words)
    some = cli(*words, "--report", 1)

    assert all_named.err.splitlines() == [
        f"{stems[1]}_2.bin: missing",
        f"{stems[2]}_0.bin: 4 bytes, but dets=float32:4x5 has 80",
        "other_0.bin: no photo of that name was prepared",
        "error: out: 3 files are missing, wrong or of no photo; 3 of 4 photos have a file for each of 3 outputs "
        "(--partial scores the photos whose results are complete)",
    ]
    assert (all_named.code, all_named.out) == (2, "")
    assert some.err.splitlines()[:2] == [f"{stems[1]}_2.bin: missing", "... and 2 more"]


@pytest.mark.slow
def test_after_a_postprocess_that_was_killed_nothing_is_lost_or_doubled(cli, results, detector):
    words = ("postprocess", MASKRCNN, results, "-i", "pre", "--artifact", detector, "--detections", "f.jsonl")
    Path(f".f.jsonl.0123456789ab{TEMPORARY}").write_bytes(
        b'{"image_id":1,"category_id":1,"score":0.5}\n{"image_id":1,"cat'
    )

    first = cli(*words)
    lines = Path("f.jsonl").read_bytes()
    again = cli(*words)

    assert (first.code, again.out) == (0, first.out), first.err
    assert lines.count(b"\n") == 16
    assert Path("f.jsonl").read_bytes() == lines
    assert [path.name for path in Path().glob("*f.jsonl*")] == ["f.jsonl"]


def test_part_of_the_results_is_scored_but_not_judged(cli, results, detector, stems):
    (results / f"{stems[1]}_2.bin").unlink()

    done = cli("postprocess", MASKRCNN, results, "-i", "pre", "--artifact", detector, "--partial", "--json")

    assert done.code == 0, done.err
    assert (done.json["images"], done.json["prepared"], done.json["detections"]) == (3, 4, 12)
    assert done.json["verdict"]["judged"] is False


def test_a_damaged_file_is_no_missing_one(cli, results, detector, stems):
    (results / f"{stems[1]}_2.bin").unlink()
    (results / f"{stems[2]}_0.bin").write_bytes(b"1234")

    done = cli("postprocess", MASKRCNN, results, "-i", "pre", "--artifact", detector, "--partial")

    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines()[0] == f"{stems[2]}_0.bin: 4 bytes, but dets=float32:4x5 has 80"
    assert f"{stems[1]}_2.bin" not in done.err


def variant_file(scenes, expected):
    text = f"""
size: [320, 320]
config: {{base: none}}
stock: {MASKRCNN / "mini" / "mini.onnx"}
dataset: {{annotations: {scenes / "instances.json"}, images: {scenes / "images"}}}
accuracy: {{bbox: {{AP: {expected}}}, images: 4, tolerance: 0.0}}
"""
    Path("mine.yaml").write_text(text)


@pytest.mark.slow
@pytest.mark.parametrize(("expected", "code"), [(0.0, 0), (0.999, 1)])
def test_the_accuracy_spec_judges(cli, scenes, detector, ais_bench, expected, code):
    variant_file(scenes, expected)
    cli("preprocess", MASKRCNN, "--variant", "mine.yaml", "--artifact", detector, "-o", "pre")
    ais_bench("--model", detector / "model.onnx", "--input", "pre", "--output", "out")

    done = cli("postprocess", MASKRCNN, "out", "-i", "pre", "--artifact", detector)

    assert done.code == code, done.err
    assert ("ok   bbox AP" in done.out) is (code == 0)
    assert ("the accuracy spec is not met" in done.err) is (code == 1)


@pytest.mark.slow
def test_without_annotations_detections_are_written_and_not_scored(cli, scenes, detector, ais_bench):
    cli("preprocess", MASKRCNN, "--images", scenes / "images", "--artifact", detector, "-o", "pre")
    ais_bench("--model", detector / "model.onnx", "--input", "pre", "--output", "out")
    words = (
        "postprocess",
        MASKRCNN,
        "out",
        "-i",
        "pre",
        "--artifact",
        detector,
        "--detections",
        "found.jsonl",
    )

    alone = cli(*words)
    lines = [json.loads(line) for line in Path("found.jsonl").read_text().splitlines()]
    scored = cli(*words, "--annotations", scenes / "instances.json")

    assert "not judged: there are no annotations to score against" in alone.out
    assert {line["image_id"] for line in lines} == {0, 1, 2, 3}
    assert {line["category_id"] for line in lines} == {41, 45, 46}
    assert scored.code == 0, scored.err
    assert "segm" in scored.out


@pytest.mark.slow
def test_annotations_of_other_photos_are_refused(cli, scenes, results, detector, tmp_path):
    data = json.loads((scenes / "instances.json").read_text())
    shutil.copy(scenes / "instances.json", "sizes.json")
    data["images"][0]["height"] += 1
    for annotation in data["annotations"]:
        annotation["segmentation"] = [[0, 0, 1, 1, 0, 1]]
    Path("sizes.json").write_text(json.dumps(data))
    data["images"][0]["file_name"] = "elsewhere.png"
    Path("names.json").write_text(json.dumps(data))
    words = ("postprocess", MASKRCNN, results, "-i", "pre", "--artifact", detector, "--annotations")

    assert "the prepared one was" in cli(*words, "sizes.json").err
    assert "is not among its images" in cli(*words, "names.json").err


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--inputs", "nowhere"], "nowhere: there is no preprocess.json in it"),
        (
            ["--inputs", "pre"],
            "so nothing says what the result files hold (build it, or give --artifact or --shapes)",
        ),
        (["--inputs", "pre", "--shapes", "dets"], "--shapes: 'dets' is not NAME=DTYPE:SIZExSIZE"),
        (["--inputs", "pre", "--artifact", "nowhere"], "nowhere/model.onnx: no such file"),
    ],
)
def test_a_mistake_is_one_line(cli, results, words, line):
    done = cli("postprocess", MASKRCNN, results, *words)

    assert (done.code, done.err.count("\n"), done.out) == (2, 1, "")
    assert line in done.err


@pytest.mark.slow
def test_annotations_that_have_moved_since_are_asked_for(cli, tmp_path, scenes, detector, ais_bench):
    shutil.copy(scenes / "instances.json", "mine.json")
    words = ("--annotations", "mine.json", "--images", scenes / "images")
    cli("preprocess", MASKRCNN, *words, "--artifact", detector, "-o", "pre")
    ais_bench("--model", detector / "model.onnx", "--input", "pre", "--output", "out")
    shutil.move("mine.json", "moved.json")
    asked = ("postprocess", MASKRCNN, "out", "-i", "pre", "--artifact", detector)

    lost, found = cli(*asked), cli(*asked, "--annotations", "moved.json")

    assert (lost.code, found.code) == (2, 0), found.err
    assert lost.err == (
        f"error: {tmp_path / 'mine.json'}: the annotations of the prepared photos are not there "
        "(say where with --annotations)\n"
    )


def test_the_inputs_must_have_been_prepared_for_this_model(cli, results, tiny, detector):
    done = cli("postprocess", tiny, results, "-i", "pre", "--artifact", detector)

    assert (done.code, done.err) == (2, "error: the inputs were prepared for model maskrcnn, not for tiny\n")


@pytest.mark.slow
def test_what_makes_annotations_doubtful_is_said_beside_the_figures(cli, photos, detector, ais_bench):
    cli("preprocess", MASKRCNN, *photos, "--artifact", detector, "-o", "pre")
    ais_bench("--model", detector / "model.onnx", "--input", "pre", "--output", "out")
    data = json.loads(photos[1].read_text())
    data["annotations"].append({**data["annotations"][0], "id": 10**6})
    Path("twice.json").write_text(json.dumps(data))
    for annotation in data["annotations"]:
        annotation["bbox"] = [value / 1000 for value in annotation["bbox"]]
    Path("normalised.json").write_text(json.dumps(data))
    words = ("postprocess", MASKRCNN, "out", "-i", "pre", "--artifact", detector, "--annotations")

    done, refused = cli(*words, "twice.json", "--json"), cli(*words, "normalised.json")

    assert "annotations repeat another's object" in done.json["notes"][0]
    assert (refused.code, refused.out, "they are normalised" in refused.err) == (2, "", True)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], None),
        (["--placement", "corner", "--rounding", "nearest"], None),
        (
            ["--placement", "center", "--rounding", "floor"],
            "prepared with other settings than the variant has: "
            "placement center, not corner; rounding floor, not nearest",
        ),
    ],
)
def test_other_settings_than_the_variant_has_are_said_beside_the_figures(
    cli, photos, detector, ais_bench, words, line
):
    cli("preprocess", MASKRCNN, *photos, "--artifact", detector, "-o", "pre", *words)
    ais_bench("--model", detector / "model.onnx", "--input", "pre", "--output", "out")

    done = cli("postprocess", MASKRCNN, "out", "-i", "pre", "--artifact", detector, "--json")

    assert (done.json["notes"] or [None])[0] == line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "line"),
    [
        ("mini", ""),
        ("mini48", "note: built is of maskrcnn mini48, not of maskrcnn mini\n"),
        (None, ""),
    ],
)
def test_an_artifact_of_another_variant_is_said(cli, photos, detector, ais_bench, variant, line):
    """Where it takes and gives the same shapes; a manifest of another tool says nothing."""
    shutil.copytree(detector, "built")
    step = StepEntry("stock", step_key("stock", {}), {}, "0")
    manifest = Manifest(1, "1", "maskrcnn", variant or "", "cpu", (320, 320), (step,), {}).sealed()
    Path("built/manifest.json").write_bytes(manifest.encode() if variant else b'{"files": []}')

    before = cli("preprocess", MASKRCNN, *photos, "--artifact", "built", "-o", "pre")
    ais_bench("--model", detector / "model.onnx", "--input", "pre", "--output", "out")
    after = cli("postprocess", MASKRCNN, "out", "-i", "pre", "--artifact", "built")

    assert (before.code, before.err.count("note: built is of"), line in before.err) == (
        0,
        len(line) > 0,
        True,
    )
    assert (after.code, after.err.count("note: built is of"), line in after.err) == (0, len(line) > 0, True)


def test_doubtful_annotations_are_named_before_any_photo_is_prepared(cli, photos, detector):
    """Long before their figures; the files are right all the same."""
    data = json.loads(photos[1].read_text())
    data["annotations"].append({**data["annotations"][0], "id": 10**6})
    for annotation in data["annotations"]:
        annotation["bbox"] = [value / 1000 for value in annotation["bbox"]]
    Path("normalised.json").write_text(json.dumps(data))
    words = ("--annotations", "normalised.json", *photos[2:], "--artifact", detector, "-o")

    plain, done = (
        cli("preprocess", MASKRCNN, *photos, *words[2:], "a"),
        cli("preprocess", MASKRCNN, *words, "b"),
    )

    assert (plain.code, done.code, "note:" in plain.err) == (0, 0, False)
    assert "they are normalised" in done.err
    assert "repeat another's object" in done.err
    files = list(Path("a").glob("*.bin"))
    assert len(files) == 4
    for file in files:
        assert (Path("b") / file.name).read_bytes() == file.read_bytes()
