"""The command line answers at once: what it imports to do so is part of the contract."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "numpy",
    "onnx",
    "onnxruntime",
    "onnxsim",
    "onnx_graphsurgeon",
    "cv2",
    "hotcoco",
    "pycocotools",
    "yaml",
}
HEAVY |= {"rich", "msgspec", "pluggy", "convertkit_passes", "convertkit_cpu", "torch"}


def imported_by(code: str) -> set[str]:
    script = (
        f"import sys, json\n{code}\nprint(json.dumps(sorted({{n.partition('.')[0] for n in sys.modules}})))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("words", [["--help"], ["build", "--help"], ["verify", "--help"], ["env", "--help"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    modules = imported_by(f"from convertkit.cli.app import main; main({words!r})")

    assert modules & HEAVY == set()


def test_importing_convertkit_imports_nothing_heavy() -> None:
    assert imported_by("from convertkit.api.passes import GraphPass") & HEAVY == set()


@pytest.mark.slow
def test_an_up_to_date_build_imports_no_graph_library(tiny: object, tmp_path: object) -> None:
    words = ["build", str(tiny), "-o", f"{tmp_path}/out"]
    subprocess.run([sys.executable, "-m", "convertkit", *words], capture_output=True, check=True)

    modules = imported_by(f"from convertkit.cli.app import main; main({words!r})")

    assert (
        modules & {"onnx", "onnxruntime", "onnxsim", "onnx_graphsurgeon", "cv2", "hotcoco", "torch"} == set()
    )


def test_no_runtime_reports_to_its_maker(tmp_path: Path) -> None:
    script = "import convertkit, os; from convertkit.graph import session; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}

    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**environment, "TMPDIR": str(tmp_path)},
    )

    assert (done.stdout, done.stderr) == ("1\n", "")
    assert list(tmp_path.iterdir()) == []  # where the reporter would keep its session


@pytest.mark.slow
def test_a_file_name_need_not_be_text(tiny: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "convertkit",
        "build",
        str(tiny),
        "-o",
        os.fsencode(tmp_path) + b"/made\xff",
    ]

    done = subprocess.run(command, capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"})

    assert done.returncode == 0, done.stderr
    assert rb"made\udcff (model.onnx" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("redirection", ["| head -0; exit ${PIPESTATUS[0]}", ">&-", "2>&-", ">&- 2>&- <&-"])
def test_closed_streams_are_no_defect(tmp_path: Path, redirection: str) -> None:
    command = f"{sys.executable} -m convertkit list passes {redirection}"

    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
