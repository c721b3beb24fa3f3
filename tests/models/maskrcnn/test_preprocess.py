"""A photo as the input of Mask R-CNN."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from convertkit.api.models import letterbox
from convertkit.detection.settings import PreprocessSpec
from convertkit.models.base import Model
from convertkit.models.package import read_spec

ROOM = Path(__file__).parents[3] / "models" / "maskrcnn"


def preprocess(image, size, spec):
    return Model(read_spec(ROOM)).preprocess(image, size, spec)


def test_the_input_is_the_letterboxed_photo():
    image = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    spec = PreprocessSpec(mean=(1.0, 2.0, 3.0), std=(4.0, 5.0, 6.0))

    inputs, placement = preprocess(image, (64, 48), spec)

    tensor, expected = letterbox(image, (64, 48), spec)
    assert list(inputs) == ["input", "picture"]
    np.testing.assert_array_equal(inputs["input"], tensor)
    assert placement == expected


def test_the_graph_is_told_where_the_picture_lies_on_the_canvas():
    image = np.zeros((30, 40, 3), np.uint8)
    spec = PreprocessSpec(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0), placement="center")

    inputs, _ = preprocess(image, (80, 40), spec)

    np.testing.assert_array_equal(inputs["picture"], np.array([[0, 25, 40, 55]], np.float32))


def test_the_input_is_bytes_where_the_target_normalises():
    image = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    spec = PreprocessSpec(mean=(1.0, 2.0, 3.0), std=(4.0, 5.0, 6.0), normalize="target")

    inputs, _ = preprocess(image, (64, 48), spec)

    assert (inputs["input"].shape, inputs["input"].dtype) == ((1, 64, 48, 3), np.uint8)
    assert inputs["picture"].dtype == np.float32


def test_only_the_public_door_is_used():
    source = (ROOM / "plugin.py").read_text()

    imported = re.findall(r"^\s*(?:from|import) (convertkit[.\w]*)", source, re.MULTILINE)

    assert imported
    assert all(module.startswith("convertkit.api") for module in imported)
