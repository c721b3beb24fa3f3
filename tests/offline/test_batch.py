"""Work by files with a model for several pictures: a file is one picture, the runtime fills up its last run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from convertkit.offline.interface import Interface, TensorInfo
from convertkit.offline.runtime import OfflineRuntime
from tests.conftest import MASKRCNN
from tests.offline.conftest import detector_graph


@pytest.fixture
def three(tmp_path):
    """An artifact directory whose graph takes three pictures; there are four."""
    (tmp_path / "three").mkdir()
    onnx.save(detector_graph(batch=3), tmp_path / "three" / "model.onnx")
    return tmp_path / "three"


def through_files(cli, ais_bench, photos, artifact, name, *words):
    """The bytes of the detections that come of ``name``-pre and ``name``-out."""
    pre, out, found = f"{name}-pre", f"{name}-out", f"{name}.jsonl"
    prepared = cli("preprocess", MASKRCNN, *photos, "--artifact", artifact, "-o", pre, *words)
    assert prepared.code == 0, prepared.err
    ais_bench("--model", artifact / "model.onnx", "--input", pre, "--output", out)
    done = cli("postprocess", MASKRCNN, out, "-i", pre, "--artifact", artifact, "--detections", found)
    assert done.code == 0, done.err
    return Path(found).read_bytes()


@pytest.mark.parametrize("suffix", ["bin", "npy"])
def test_runs_of_three_find_in_four_photos_what_runs_of_one_find(
    cli, photos, detector, three, ais_bench, suffix
):
    alone = through_files(cli, ais_bench, photos, detector, "one", "--format", suffix)

    together = through_files(cli, ais_bench, photos, three, "three", "--format", suffix, "--batch", 3)

    assert together == alone
    assert together.count(b"\n") == 16
    assert json.loads(Path("three-pre/preprocess.json").read_text())["batch"] == 3
    files = list(Path("one-pre").glob(f"*.{suffix}"))
    assert len(files) == 4
    for file in files:
        assert (Path("three-pre") / file.name).read_bytes() == file.read_bytes()


def test_the_offline_runtime_answers_for_a_run_of_several(cli, photos, three, ais_bench, stems):
    through_files(cli, ais_bench, photos, three, "three", "--batch", 3)
    boxes = TensorInfo("dets", "float32", (12, 5)), TensorInfo("labels", "int32", (12,))
    interface = Interface(
        (TensorInfo("input", "float32", (3, 3, 320, 320)),),
        (*boxes, TensorInfo("masks", "float32", (12, 28, 28))),
    )
    order = [stems[3], stems[0], stems[0]]
    pictures = [np.fromfile(f"three-pre/{stem}.bin", np.float32).reshape(1, 3, 320, 320) for stem in order]

    (run,) = {path.parent for path in Path("three-out").glob(f"*/{stems[0]}_0.bin")}
    found = OfflineRuntime(Path("three-pre"), run, interface).run({"input": np.concatenate(pictures)})

    rows = [np.fromfile(run / f"{stem}_0.bin", np.float32).reshape(4, 5) for stem in order]
    np.testing.assert_array_equal(found["dets"], np.concatenate(rows))


def test_a_graph_of_another_number_of_pictures_is_one_line(cli, photos, detector, three):
    few = cli("preprocess", MASKRCNN, *photos, "--artifact", detector, "-o", "pre", "--batch", 3)
    many = cli("preprocess", MASKRCNN, *photos, "--artifact", three, "-o", "pre")

    assert (few.code, few.err.count("\n"), many.code) == (2, 1, 2)
    assert "input=float32:1x3x320x320 is not of 3 pictures (build it with the same --batch)" in few.err
    assert (
        "preprocessing gives input=float32:1x3x320x320, the graph takes input=float32:3x3x320x320" in many.err
    )


@pytest.mark.slow
@pytest.mark.export
@pytest.mark.parametrize("target", ["cpu", "ascend310p3"])
def test_mini_by_files_finds_what_verify_finds(cli, photos, ais_bench, export_python, target):
    words = ("--target", target, "--batch", 3)
    rung, graph = ("target", "model.onnx") if target == "cpu" else ("twin", "twin.onnx")
    built = cli("build", MASKRCNN, *words, "--python", export_python, "-o", "built")
    assert built.code == 0, built.err
    asked = ("--runtime", rung, "--results", "streamed", "--python", export_python)
    streamed = cli("verify", MASKRCNN, *photos, *words, *asked, "--json")
    assert streamed.code == 0, streamed.err
    cli("preprocess", MASKRCNN, *photos, *words, "--artifact", "built", "-o", "pre")
    inputs = ["pre/input", "pre/picture"] if Path("pre/picture").is_dir() else ["pre"]
    ais_bench("--model", f"built/{graph}", "--input", ",".join(inputs), "--output", "out")
    asked = ("--target", target, "--artifact", "built", "--detections", "found.jsonl", "--json")

    done = cli("postprocess", MASKRCNN, "out", "-i", "pre", *asked)

    assert done.code == 0, done.err
    assert Path("found.jsonl").read_bytes() == Path(f"streamed/{rung}.jsonl").read_bytes()
    assert done.json["scores"] == streamed.json["rungs"][-1]["scores"]
