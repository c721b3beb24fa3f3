"""A stranger's package, installed on its own, brings a pass by the same door as the built-ins."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from tests.tiny import tiny_model

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "convertkit-drop-relu"
version = "1.2.3"

[project.entry-points.convertkit]
drop-relu = "drop_relu_plugin"

[tool.hatch.build.targets.wheel]
include = ["drop_relu_plugin.py"]
"""

PLUGIN = '''
from convertkit.api.passes import GraphPass, hookimpl


class DropRelu(GraphPass):
    """Remove Relu nodes, which changes the result."""

    name = "drop-relu"
    effect = "semantic"

    def run(self, graph):
        for node in graph.find(op="Relu"):
            graph.bypass(node)


@hookimpl
def register_passes(register):
    register(DropRelu)
'''


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the package installed in it, metadata and all."""
    source = tmp_path_factory.mktemp("source")
    (source / "pyproject.toml").write_text(PYPROJECT)
    (source / "drop_relu_plugin.py").write_text(PLUGIN)
    target = tmp_path_factory.mktemp("site")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(target),
        str(source),
    ]
    subprocess.run(pip, check=True, capture_output=True)
    return target


def convertkit(installed: Path, *words: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "1000"}
    command = [sys.executable, "-m", "convertkit", *map(str, words)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_an_installed_plugin_s_pass_runs(installed: Path, tmp_path: Path) -> None:
    onnx.save(tiny_model(), tmp_path / "in.onnx")

    done = convertkit(installed, "opt", tmp_path / "in.onnx", "-p", "drop-relu", "-o", tmp_path / "out.onnx")

    assert done.returncode == 0, done.stderr
    assert "Relu" not in [node.op_type for node in onnx.load(tmp_path / "out.onnx").graph.node]


@pytest.mark.slow
def test_an_installed_plugin_is_listed_with_its_version(installed: Path) -> None:
    assert "convertkit-drop-relu 1.2.3" in convertkit(installed, "list", "plugins").stdout
    assert "drop-relu" in convertkit(installed, "list", "passes").stdout
