"""An artifact directory as ``build`` leaves it, with an ONNX file in the place of the .om."""

from __future__ import annotations

import shutil

import onnx
import pytest

from tests.offline.conftest import ais_bench, detector, detector_graph, photos, scenes, stems

__all__ = ["ais_bench", "detector", "photos", "scenes", "stems"]


@pytest.fixture
def artifact(tmp_path):
    """``model.onnx`` and ``model.om`` of a graph with two inputs, ``input`` and ``picture``."""
    directory = tmp_path / "artifact"
    directory.mkdir()
    onnx.save(detector_graph(picture=True), directory / "model.onnx")
    shutil.copy(directory / "model.onnx", directory / "model.om")
    return directory
