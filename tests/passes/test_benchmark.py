"""The benchmark against onnxsim runs and says what it promises."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from convertkit.graph.io import save
from convertkit.graph.light import detach
from tests.tiny import tiny_model

SCRIPT = Path(__file__).parents[2] / "bench" / "pipeline_vs_onnxsim.py"


@pytest.mark.slow
def test_it_compares_whole_processes(tmp_path: Path) -> None:
    save(detach(tiny_model()), tmp_path / "tiny.onnx")

    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path / "tiny.onnx", "--rounds", "1", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )

    workers = json.loads(done.stdout)["workers"]
    assert set(workers) == {"pipeline", "onnxsim", "onnxsim-by-path"}
    assert workers["pipeline"]["pipeline_ratio"] == 1
    assert all(row["seconds"] > 0 and row["memory"]["tree"] > 0 for row in workers.values())
