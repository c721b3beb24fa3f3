"""What is in the wheel, and that it works where it is installed."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]

ROOMS = {"convertkit", "convertkit_passes", "convertkit_cpu", "convertkit_ascend", "convertkit_openvino"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("dist")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(target),
        str(REPOSITORY),
    ]
    subprocess.run(pip, check=True, capture_output=True)
    return next(target.glob("*.whl"))


@pytest.mark.slow
def test_the_wheel_holds_the_rooms_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == ROOMS
    assert {f"{room}/py.typed" for room in ROOMS} <= set(names)
    assert not [name for name in names if name.endswith((".onnx", ".pth", ".pyc"))]


@pytest.mark.slow
def test_the_installed_wheel_has_its_plugins(wheel: Path, tmp_path: Path) -> None:
    """Installed beside the dependencies of this interpreter, in a directory of its own that comes first."""
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(tmp_path),
        str(wheel),
    ]
    subprocess.run(pip, check=True, capture_output=True)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import convertkit; print(convertkit.__file__)"
    code += "\nfrom convertkit.cli.app import main; main(['list', 'passes'])"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )

    assert str(tmp_path) in done.stdout.splitlines()[0]
    assert "cast-int64-to-int32" in done.stdout
