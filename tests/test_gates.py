"""The contracts of ``pyproject.toml`` hold: a planted violation of each is found. The core names no vendor."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench import rooms

REPOSITORY = Path(__file__).parents[1]
PACKAGES = (
    "convertkit",
    "passes/convertkit_passes",
    "targets/cpu/convertkit_cpu",
    "targets/openvino/convertkit_openvino",
    "targets/ascend/convertkit_ascend",
)
LAYERS = "Who may import whom in the core"
THIN = "The command line is a layer over api alone"
CORE = "The core imports no plugin, and no training framework"
DOOR = "Plugins use the public door only"
APART = "Plugins do not know each other"
FOR_TYPES = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    "

VENDORS = re.compile(
    r"ais_(?:bench|infer)|\bmsame|\bmsit\b|aclruntime|\bascend(?!ing|s\b)|\bcann\b|\batc\b|\baipp\b|\bnpu|\w\.om\b"
    r"|huawei|hisilicon|modelzoo|\b[39]10[bp]|tensorrt|trtexec|openvino|\bsnpe\b|\brknn|\bhailo|\bcoreml|migraphx",
    re.IGNORECASE,
)
"""Vendors of accelerators, their chips and tools: the core has such words from a target only."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All packages side by side, with the contracts."""
    root = tmp_path_factory.mktemp("gates")
    shutil.copy(REPOSITORY / "pyproject.toml", root)
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "*.json", "*.so")
        shutil.copytree(REPOSITORY / package, root / Path(package).name, ignore=ignored)
    return root


def broken(root: Path, contract: str | None = None) -> dict[str, str]:
    """What import-linter says, by contract, of those that are broken."""
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as run; run()",
        "--no-cache",
    ]
    ended = subprocess.run(
        command,
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Contracts: " in ended.stdout, ended.stdout + ended.stderr
    reports = ended.stdout.split("Broken contracts")[-1] if ended.returncode else ""
    return {name: reports for name in (LAYERS, THIN, CORE, DOOR, APART) if f"{name} BROKEN" in ended.stdout}


@pytest.mark.slow
def test_the_sources_break_none(copy: Path) -> None:
    assert broken(copy) == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "line", "contract", "said"),
    [
        ("convertkit/graph/planted.py", "import convertkit.passes.base", LAYERS, "convertkit.passes"),
        (
            "convertkit/graph/planted.py",
            FOR_TYPES + "import convertkit.targets.base",
            LAYERS,
            "convertkit.targets",
        ),
        (
            "convertkit/graph/planted.py",
            "def late():\n    import convertkit.cli.app",
            LAYERS,
            "convertkit.cli",
        ),
        ("convertkit/offline/planted.py", "import convertkit.speed.measure", LAYERS, "convertkit.speed"),
        ("convertkit/newroom.py", "", LAYERS, "newroom"),
        ("convertkit/newroom/__init__.py", "", LAYERS, "newroom"),
        (
            "convertkit/cli/planted.py",
            "from convertkit.storage.files import home",
            THIN,
            "convertkit.storage",
        ),
        ("convertkit/cli/planted.py", FOR_TYPES + "from convertkit import graph", THIN, "convertkit.graph"),
        (
            "convertkit/cli/planted.py",
            "def late():\n    import convertkit.models.base",
            THIN,
            "convertkit.models",
        ),
        ("convertkit/cli/planted.py", "import convertkit_passes", CORE, "convertkit_passes"),
        ("convertkit/cli/planted.py", "def late():\n    import torch", CORE, "torch"),
        ("convertkit_cpu/planted.py", "from convertkit.errors import UsageError", DOOR, "convertkit.errors"),
        ("convertkit_cpu/planted.py", "import convertkit.registry", DOOR, "convertkit.registry"),
        ("convertkit_cpu/planted.py", "from convertkit import heads", DOOR, "convertkit.heads"),
        (
            "convertkit_passes/planted.py",
            FOR_TYPES + "import convertkit.children.lines",
            DOOR,
            "convertkit.children",
        ),
        ("convertkit_ascend/planted.py", "import convertkit_passes", APART, "convertkit_passes"),
    ],
)
def test_a_planted_violation_is_found(copy: Path, file: str, line: str, contract: str, said: str) -> None:
    planted = copy / file
    planted.parent.mkdir(exist_ok=True)
    planted.write_text(f"{line}\n")

    try:
        found = broken(copy)
    finally:
        planted.unlink()
        if planted.name == "__init__.py":
            planted.parent.rmdir()

    assert contract in found
    assert said in found[contract]


def named(text: str) -> list[str]:
    """The lines of a source that name one of :data:`VENDORS`."""
    return [line.strip() for line in text.splitlines() if VENDORS.search(line)]


@pytest.mark.slow
def test_the_core_names_no_vendor() -> None:
    sources = sorted((REPOSITORY / "convertkit").rglob("*.py"))
    found = {str(path.relative_to(REPOSITORY)): named(path.read_text(encoding="utf-8")) for path in sources}

    assert len(found) > 150
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("line", "vendor"),
    [
        ('print("as ais_bench counts")', True),
        ("RUN = 1  # what ATC calls it (ascend-facts: atc-output)", True),
        ('path = directory / "model.om"', True),
        ('if target.name.startswith("ascend"):', True),
        ('summary["NPU_compute_time"]', True),
        ("# as the ModelZoo's script does", True),
        ("import tensorrt", True),
        ("sorted by size, ascending; it descends and ascends", False),
        ("from convertkit.errors import catch", False),
    ],
)
def test_a_planted_vendor_is_found(line: str, vendor: bool) -> None:
    assert named(f"import os\n\n{line}\n") == ([line] if vendor else [])


@pytest.mark.parametrize("package", rooms.PACKAGES)
def test_no_room_leads_round_to_itself(package: str) -> None:
    assert rooms.house(package).circles() == []


@pytest.mark.slow
def test_files_and_functions_stay_small() -> None:
    """A file that outgrows this has two reasons to exist."""
    files = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in rooms.product()}
    functions = {(path, name): lines for path in files for name, lines in rooms.functions(path)}

    assert {path: lines for path, lines in files.items() if lines > 270} == {}
    assert {place: lines for place, lines in functions.items() if lines > 75} == {}


def test_a_model_package_imports_the_door_only() -> None:
    found = {
        module
        for path in sorted((REPOSITORY / "models").rglob("*.py"))
        for module in rooms.imports(path, "models", REPOSITORY / "models")
        if module.split(".")[0] == "convertkit"
    }

    assert found
    assert {module for module in found if not module.startswith("convertkit.api")} == set()
