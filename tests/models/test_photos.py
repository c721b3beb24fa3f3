"""Photos by the roles of inputs, for packages without code of their own."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from convertkit.detection.letterbox import letterbox
from convertkit.detection.settings import PreprocessSpec
from convertkit.errors import ConvertkitError, SpecError
from convertkit.models.known import first_time
from convertkit.models.photos import graph_inputs, noise
from convertkit.models.spec import TensorSpec
from convertkit.plugins.loading import open_plugins
from convertkit.plugins.packages import open_package

SPEC = PreprocessSpec(mean=(1.0, 2.0, 3.0), std=(4.0, 5.0, 6.0))
IMAGE = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)


def image(*shape: int | str, dtype: str = "") -> dict[str, TensorSpec]:
    return {"x": TensorSpec(role="image", shape=shape, dtype=dtype)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("inputs", "axes"),
    [
        (image(1, 3, "H", "W"), (0, 1, 2, 3)),
        (image(), (0, 1, 2, 3)),
        (image(1, "H", "W", 3), (0, 2, 3, 1)),
    ],
)
def test_the_channels_are_where_they_are_promised(
    inputs: dict[str, TensorSpec], axes: tuple[int, ...]
) -> None:
    found, place = graph_inputs(IMAGE, (64, 48), SPEC, inputs)

    expected, where = letterbox(IMAGE, (64, 48), SPEC)
    np.testing.assert_array_equal(found["x"], expected.transpose(axes))
    assert found["x"].flags.c_contiguous
    assert place == where


def test_a_picture_without_a_first_axis() -> None:
    upright, _ = graph_inputs(IMAGE, (64, 48), SPEC, image(3, "H", "W"))
    last, _ = graph_inputs(IMAGE, (64, 48), SPEC, image("H", "W", 3))

    assert (upright["x"].shape, last["x"].shape) == ((3, 64, 48), (64, 48, 3))
    np.testing.assert_array_equal(upright["x"], last["x"].transpose(2, 0, 1))


@pytest.mark.parametrize(
    ("dtype", "wanted"), [("", "float32"), ("float32", "float32"), ("float16", "float16")]
)
def test_the_picture_has_the_promised_type(dtype: str, wanted: str) -> None:
    found, _ = graph_inputs(IMAGE, (64, 48), SPEC, image(1, 3, "H", "W", dtype=dtype))

    assert found["x"].dtype == wanted


def test_what_the_target_normalises_stays_bytes() -> None:
    spec = PreprocessSpec(mean=SPEC.mean, std=SPEC.std, normalize="target")

    found, _ = graph_inputs(IMAGE, (64, 48), spec, image(1, 3, "H", "W", dtype="float32"))

    assert (found["x"].shape, found["x"].dtype) == ((1, 64, 48, 3), np.uint8)


@pytest.mark.parametrize("inputs", [{}, {**image(), "y": TensorSpec(role="image")}])
def test_one_input_is_the_picture(inputs: dict[str, TensorSpec]) -> None:
    with pytest.raises(SpecError, match=f"{len(inputs)} inputs have the role image"):
        graph_inputs(IMAGE, (64, 48), SPEC, inputs)


def test_pictures_of_noise_are_always_the_same_and_not_flat() -> None:
    first, second = (list(noise(2)) for _ in range(2))

    assert [one.shape for one in first] == [(480, 640, 3)] * 2
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    assert all(one.std() > 40 for one in first)
    assert (first[0] != first[1]).any()


MODEL_YAML = """
name: plain
summary: no code
inputs: {image: {role: image, shape: [1, 3, H, W]}}
outputs: {features: {}}
preprocess: {mean: [0, 0, 0], std: [1, 1, 1]}
pipeline: []
default_variant: main
variants: {main: {size: [8, 8], stock: small.onnx}}
"""


def plain(root: Path, more: str = "") -> Path:
    root.mkdir(exist_ok=True)
    (root / "model.yaml").write_text(MODEL_YAML + more)
    return root


def test_passes_are_checked_on_the_samples_that_are_named(tmp_path: Path) -> None:
    root = plain(tmp_path / "plain", "samples: [one.png, two.png]\n")
    for name, value in (("one", 10), ("two", 20)):
        cv2.imwrite(str(root / f"{name}.png"), np.full((4, 6, 3), value, np.uint8))

    found = list(open_package(root, open_plugins()).sample_images())

    assert [(one.shape, int(one.max())) for one in found] == [((4, 6, 3), 10), ((4, 6, 3), 20)]


@pytest.mark.parametrize(
    ("samples", "why"),
    [
        ("[none.png]", "none.png"),
        ("[model.yaml]", "model.yaml: not an image that OpenCV can read"),
        ("[../elsewhere.png]", "samples: ../elsewhere.png is not below the package's directory"),
        ("[/elsewhere.png]", "samples: /elsewhere.png is not below"),
    ],
)
def test_samples_that_are_none_are_named(tmp_path: Path, samples: str, why: str) -> None:
    root = plain(tmp_path / "plain", f"samples: {samples}\n")

    with pytest.raises(ConvertkitError) as raised:
        list(open_package(root, open_plugins()).sample_images())

    assert why in str(raised.value)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("", False),
        ("plugin: plugin.py\n", True),
        ("export: {worker: w.py, environment: {requirements: r.txt}}\n", True),
    ],
)
def test_only_of_a_package_with_code_it_is_said_that_it_runs(tmp_path: Path, more: str, code: bool) -> None:
    assert first_time(plain(tmp_path / "plain", more)) == code


def test_a_generator_of_photos_is_code(tmp_path: Path) -> None:
    root = plain(tmp_path / "plain")
    text = (root / "model.yaml").read_text()
    (root / "model.yaml").write_text(
        text.replace("small.onnx", "small.onnx, dataset: {generator: 'a.py:f', count: 1}")
    )

    assert first_time(root)


@pytest.mark.parametrize(
    ("variant", "why"),
    [
        ("{size: [8, 8]}", "variant main has no graph: the package has no `export`"),
        ("{size: [8, 8], config: {base: x}}", "variant main has no graph"),
    ],
)
def test_a_variant_that_no_graph_comes_from_is_refused(tmp_path: Path, variant: str, why: str) -> None:
    root = plain(tmp_path / "plain")
    text = (root / "model.yaml").read_text()
    (root / "model.yaml").write_text(text.replace("{size: [8, 8], stock: small.onnx}", variant))

    with pytest.raises(SpecError, match=why):
        open_package(root, open_plugins())
