"""``normalize: target`` from the settings to what build leaves and what the emulations take."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from convertkit.api.models import PreprocessSpec, letterbox
from convertkit.api.targets import CompileContext, Pixels
from convertkit.conversion.keys import compile_facts
from convertkit.conversion.request import Asked, make_request
from convertkit.errors import GraphError, SpecError, UsageError
from convertkit.plugins.loading import open_plugins
from tests.ascend.chip import CHIP, PLAIN, told
from tests.conftest import MASKRCNN
from tests.graphtext import parse

SPEC = PreprocessSpec(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375), normalize="target")
FILES = ["ascend.onnx", "atc.json", "compile.sh", "origins.json", "preflight.json", "twin.onnx"]
GRAPH = """
(float[1,4] picture, float[1,3,8,12] image) => (float[1,3,8,12] y, float[1,4] z) {
    y = Relu(image)
    z = Neg(picture)
}
"""
VARIANT = """
size: {size}
config: {{file: none.json}}
stock: {root}/mini/mini.onnx
preprocess:
  mean: [123.675, 116.28, 103.53]
  std: [58.395, 57.12, 57.375]
  normalize: target
"""


@pytest.fixture
def context() -> CompileContext:
    return told(pixels=Pixels("image", (8, 12), SPEC))


def variant(directory: Path, size: str = "[320, 320]") -> str:
    path = directory / "bytes.yaml"
    path.write_text(VARIANT.format(size=size, root=MASKRCNN))
    return str(path)


def test_build_leaves_the_settings_and_a_twin_that_takes_bytes(context, tmp_path: Path) -> None:
    model = parse(GRAPH)

    CHIP.compile(model, tmp_path, context)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["aipp.cfg", *FILES]
    lines = (tmp_path / "aipp.cfg").read_text().splitlines()
    assert "    related_input_rank: 1" in lines  # the picture's place among the graph's inputs
    assert "    src_image_size_w: 12" in lines
    image = next(value for value in onnx.load(tmp_path / "twin.onnx").graph.input if value.name == "image")
    kind = image.type.tensor_type
    assert kind.elem_type == onnx.TensorProto.UINT8
    assert [dim.dim_value for dim in kind.shape.dim] == [1, 8, 12, 3]
    assert model.proto.graph.input[1].type.tensor_type.elem_type == onnx.TensorProto.FLOAT


def test_nothing_changes_where_the_host_normalises(tmp_path: Path) -> None:
    CHIP.compile(parse(GRAPH), tmp_path, PLAIN)

    assert sorted(path.name for path in tmp_path.iterdir()) == FILES


@pytest.mark.parametrize("emulation", ["twin", "device-numerics", "device-numerics:none"])
def test_the_emulations_take_bytes_and_agree(context, emulation: str) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8)
    pixels, _ = letterbox(photo, (8, 12), SPEC)
    tensor, _ = letterbox(photo, (8, 12), SPEC.on_host())
    name, _, variation = emulation.partition(":")

    runtime = CHIP.emulator.emulate(parse(GRAPH), name, variation, context)
    found = runtime.run({"image": pixels, "picture": np.zeros((1, 4), np.float32)})["y"]

    np.testing.assert_allclose(found, np.maximum(tensor, 0), atol=0.00163 + 1e-5)
    np.testing.assert_array_equal(found, found.astype(np.float16))


def test_a_graph_without_that_input_is_refused(context) -> None:
    with pytest.raises(GraphError, match="no input 'image' to normalise; it has x"):
        graph = parse("(float[1,3,8,12] x) => (float[1,3,8,12] y) { y = Relu(x) }")
        CHIP.emulator.emulate(graph, "twin", "", context)


def test_the_compile_step_depends_on_what_the_chip_normalises_by(context) -> None:
    other = told(pixels=Pixels("image", (8, 12), PreprocessSpec(mean=(1, 2, 3), std=(1, 1, 1))))

    assert "pixels" not in compile_facts(CHIP, PLAIN)
    assert compile_facts(CHIP, context)["pixels"]["mean"] == SPEC.mean
    assert compile_facts(CHIP, context) != compile_facts(CHIP, other)


def test_a_request_hands_the_settings_to_the_target(tmp_path: Path) -> None:
    request = make_request(Asked(MASKRCNN, variant=variant(tmp_path), target="ascend310p3"), open_plugins())

    assert request.context.pixels == Pixels("input", (320, 320), SPEC)


def test_the_checks_of_passes_are_fed_as_the_stock_graph_is(tmp_path: Path) -> None:
    from convertkit.conversion.samples import sample_inputs

    request = make_request(Asked(MASKRCNN, variant=variant(tmp_path), target="ascend310p3"), open_plugins())

    first = sample_inputs(request.package, request.variant)[0]

    assert (first["input"].shape, first["input"].dtype) == ((1, 3, 320, 320), np.float32)


def test_a_target_without_such_a_unit_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"target cpu does not normalise images .*normalize: host"):
        make_request(Asked(MASKRCNN, variant=variant(tmp_path), target="cpu"), open_plugins())


def test_what_the_unit_cannot_do_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="AIPP on Ascend310P3: the image's width is 4128: it must be 2 to 4096"
    ):
        make_request(
            Asked(MASKRCNN, variant=variant(tmp_path, "[320, 4128]"), target="ascend310p3"), open_plugins()
        )


def test_a_package_must_say_which_input_is_the_picture(tiny: Path) -> None:
    yaml = tiny / "model.yaml"
    text = yaml.read_text().replace("role: image", "role: other")
    yaml.write_text(text.replace("std: [1, 1, 1]", "std: [1, 1, 1], normalize: target"))

    with pytest.raises(SpecError, match="needs one input of role image, there are 0"):
        make_request(Asked(tiny, target="ascend310p3"), open_plugins())
