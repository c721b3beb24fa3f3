"""The ``openvino`` targets: what they leave, that it runs as onnxruntime does, and what goes wrong in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from convertkit_cpu.target import CpuTarget
from convertkit_openvino import engine, runtime
from convertkit_openvino.target import TARGETS, OpenvinoTarget

from convertkit.api.errors import ConvertkitError, ProcessError
from convertkit.api.graphs import load, save
from convertkit.api.targets import CompileContext, GraphError, LightModel, TargetError
from convertkit.conversion.request import Asked, make_request
from convertkit.detection.compare import Tolerance, compare_detections
from convertkit.graph.light import detach
from convertkit.plugins.loading import open_plugins
from tests import graphtext
from tests.conftest import MASKRCNN, Cli
from tests.tiny import tiny_model

FP32, FP16 = TARGETS
IMAGE = {"image": np.random.default_rng(3).standard_normal((1, 3, 8, 8)).astype(np.float32)}


def made(target: OpenvinoTarget, model: LightModel, directory: Path) -> Path:
    """An artifact directory, as build leaves it but for the manifest."""
    directory.mkdir()
    save(model, directory / "model.onnx")
    target.compile(model, directory, CompileContext())
    return directory


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    return made(FP32, detach(tiny_model()), tmp_path / "artifact")


def test_it_runs_as_onnxruntime_does(artifact: Path) -> None:
    found = FP32.open(artifact).run({**IMAGE, "unknown": np.zeros(1)})

    wanted = CpuTarget("cpu").open(artifact).run(IMAGE)
    assert list(found) == list(wanted) == ["features"]
    assert found["features"].dtype == np.float32
    np.testing.assert_allclose(found["features"], wanted["features"], rtol=1e-4, atol=1e-4)


def test_results_stay_when_the_next_image_runs(artifact: Path) -> None:
    opened = FP32.open(artifact)
    first = opened.run(IMAGE)["features"]
    before = first.copy()

    opened.run({"image": 2 * IMAGE["image"]})

    np.testing.assert_array_equal(first, before)


def test_inputs_and_outputs_are_those_of_the_graph_whatever_they_share(tmp_path: Path) -> None:
    """One tensor under two names, an input that goes right through, an input with a default."""
    model = graphtext.parse("""
        (float[2] x, float[2] w) => (float[2] y, float[2] same, float[2] through, int64[1] size, bool[2] mask)
        <float[2] w = {1, 1}>
        {
            y = Add(x, w)
            same = Identity(y)
            through = Identity(x)
            size = Shape(x)
            mask = Greater(x, w)
        }""")
    x = {"x": np.float32([0.5, 2])}

    directory = made(FP32, model, tmp_path / "artifact")
    found = FP32.open(directory).run(x)

    wanted = {"y": [1.5, 3], "same": [1.5, 3], "through": [0.5, 2], "size": [2], "mask": [False, True]}
    assert {name: value.tolist() for name, value in found.items()} == wanted
    assert [value.dtype.name for value in found.values()] == ["float32"] * 3 + ["int64", "bool"]


CRASH = """
from convertkit_openvino import _child
import os, signal, sys
_child.Plugin.run = lambda *_, **__: os.kill(os.getpid(), signal.SIGSEGV)
_child.main([int(argument) for argument in sys.argv[1:]])
"""


def test_a_plugin_that_dies_is_one_line_and_not_our_end(
    artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "CHILD", (sys.executable, "-c", CRASH))

    with pytest.raises(ProcessError, match=r"^OpenVINO was killed by SIGSEGV$"):
        FP32.open(artifact).run(IMAGE)


def test_results_stay_when_more_are_kept_than_there_are_blocks(artifact: Path) -> None:
    opened = FP32.open(artifact)

    kept = [opened.run({"image": by * IMAGE["image"]})["features"] for by in range(5)]

    for by, features in enumerate(kept):
        np.testing.assert_array_equal(features, opened.run({"image": by * IMAGE["image"]})["features"])
    opened.close()


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_the_same_graph_gives_the_same_bytes_wherever_it_is(target: OpenvinoTarget, tmp_path: Path) -> None:
    one, other = (made(target, detach(tiny_model()), tmp_path / name) for name in ("one", "other"))

    assert sorted(path.name for path in one.iterdir()) == ["model.bin", "model.onnx", "model.xml"]
    for path in one.iterdir():
        assert path.read_bytes() == (other / path.name).read_bytes()
    assert str(tmp_path) not in (one / "model.xml").read_text()


def test_fp16_keeps_half_the_bytes_of_weights_and_is_nearly_the_same(artifact: Path, tmp_path: Path) -> None:
    half = made(FP16, detach(tiny_model()), tmp_path / "half")

    assert (half / "model.bin").stat().st_size < 0.6 * (artifact / "model.bin").stat().st_size
    found, wanted = (
        target.open(place).run(IMAGE)["features"] for target, place in ((FP16, half), (FP32, artifact))
    )
    assert found.dtype == np.float32
    assert not np.array_equal(found, wanted)
    np.testing.assert_allclose(found, wanted, rtol=1e-2, atol=2e-2)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the variable is for x86, and tried on Linux")
def test_fp16_says_what_the_processor_computes_in(artifact: Path) -> None:
    """oneDNN, which the plugin computes with, can be told to leave newer instructions alone."""
    code = (
        f"from pathlib import Path; from convertkit_openvino.target import TARGETS\n"
        f"print(*TARGETS[1].remarks(Path({str(artifact)!r})))"
    )
    old = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert old.stdout == (
        "OpenVINO's CPU plugin computes in float32 on this processor; only the weights are rounded to float16\n"
    )
    assert engine.given("f16") in FP16.remarks(artifact)[0]
    assert (engine.given("f32"), FP32.remarks(artifact)) == ("float32", ())


@pytest.mark.parametrize(
    ("file", "said"),
    [("model.bin", "Incorrect weights in bin file!"), ("model.xml", "Error parsing element attribute")],
)
def test_a_damaged_file_is_one_line(artifact: Path, file: str, said: str) -> None:
    content = (artifact / file).read_bytes()
    (artifact / file).write_bytes(content[: len(content) // 2])

    with pytest.raises(TargetError, match=f"^OpenVINO cannot open model.xml: .*{said}") as caught:
        FP32.open(artifact)

    assert "\n" not in str(caught.value)


def test_an_operator_that_openvino_lacks_is_named(tmp_path: Path) -> None:
    model = graphtext.parse("(float[2] x) => (float[2] y) { y = vendor.Spread(x) }", domains=["vendor"])

    with pytest.raises(TargetError, match=r"OpenVINO cannot convert the graph: .*vendor\.Spread") as caught:
        made(FP32, model, tmp_path / "artifact")

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("inputs", "error", "said"),
    [
        ({}, GraphError, "input 'image' is missing; the graph needs image"),
        (
            {"image": np.zeros((1, 3, 4, 4), np.float32)},
            TargetError,
            "cannot run the graph: .*are incompatible",
        ),
        ({"image": "photo"}, TargetError, "OpenVINO cannot run the graph"),
    ],
)
def test_an_input_that_does_not_fit(
    artifact: Path, inputs: dict[str, object], error: type[ConvertkitError], said: str
) -> None:
    with pytest.raises(error, match=said):
        FP32.open(artifact).run(inputs)  # type: ignore[arg-type]


def test_without_openvino_one_line_says_what_to_install(
    cli: Cli, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "installed", lambda: "")

    done, listed, looked = cli("build", tiny, "-t", "openvino"), cli("list", "targets"), cli("doctor")

    assert done.code == 3
    assert done.err.splitlines()[-1].startswith("error: openvino is not installed")
    assert done.err.endswith(" (pip install 'convertkit-compiler[openvino]')\n")
    assert not Path("build/tiny-small-openvino").exists()
    assert (listed.code, "openvino-fp16" in listed.out) == (0, True)
    assert looked.code == 0
    assert "not installed: no target openvino" in looked.out


def test_build_leaves_what_replay_makes_again(cli: Cli, tiny: Path) -> None:
    done = cli("build", tiny, "-t", "openvino")

    assert done.code == 0, done.err
    manifest = Path("build/tiny-small-openvino/manifest.json")
    assert {path.name for path in manifest.parent.iterdir()} >= {"model.xml", "model.bin", "model.onnx"}
    assert cli("replay", manifest, "--model", tiny).code == 0
    (manifest.parent / "model.bin").write_bytes(b"oops")
    bad = cli("replay", manifest)
    assert (bad.code, "BAD  model.bin does not match its sha256" in bad.out) == (1, True)


@pytest.mark.slow
def test_mini_has_its_ladder_and_finds_what_it_finds_on_onnxruntime(cli: Cli) -> None:
    done = cli(
        "verify", MASKRCNN, "-V", "mini", "-t", "openvino", "--ladder", "--limit", "2", "--output", "made"
    )

    assert done.code == 0, done.err
    names = [line.split()[0] for line in done.out.splitlines() if line.strip()]
    rungs = [name for name in names if name in ("framework", "stock", "target")]
    assert rungs == ["stock", "target"] * 2 + ["target"] * 2  # figures by task, then differences by task
    assert {node.domain for node in load(Path("made/model.onnx")).proto.graph.node} == {""}
    package = make_request(Asked(MASKRCNN), open_plugins()).package
    opened, host = FP32.open(Path("made")), CpuTarget("cpu").open(Path("made"))
    for image in package.model.sample_images():
        inputs, _ = package.model.preprocess(image, (320, 320), package.spec.preprocess)
        compared = compare_detections(host.run(inputs), opened.run(inputs), Tolerance(0.05, 1e-3, 1e-2))
        assert compared.ok, compared.summary
        assert compared.matched


def test_in_fp16_what_lies_behind_the_last_product_stays_in_fp32(tmp_path: Path) -> None:
    """A count of 4,097 is no fp16 number; the features before are computed in it all the same."""
    model = graphtext.parse("""
        (float[1,4097] x, float[4097,1] w) => (float[1,1] product, float[1] count)
        {
            product = MatMul(x, w)
            above = Greater(x, product)
            number = Cast<to = 1>(above)
            count = ReduceSum<axes = [1], keepdims = 0>(number)
        }""")
    inputs = {"x": np.ones((1, 4097), np.float32), "w": np.zeros((4097, 1), np.float32)}

    found = FP16.open(made(FP16, model, tmp_path / "artifact")).run(inputs)

    assert found["count"].tolist() == [4097]
