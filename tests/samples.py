"""The sample of an artifact: run as a user runs it, opened as a module, and held against convertkit."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pycocotools.mask

MOST = 100
"""Lines that a script has to stay below."""


def opened(directory: Path) -> ModuleType:
    """``sample.py`` of an artifact, not yet run."""
    spec = importlib.util.spec_from_file_location("sample", directory / "sample.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(directory: Path, photo: Path, picture: Path, *, alone: bool = True) -> list[dict[str, Any]]:
    """What ``python sample.py PHOTO PICTURE`` writes down; masks as ``detect --json`` has them.

    Args:
        alone: without convertkit, which the stand-ins for the chip need.
    """
    without = "sys.modules['convertkit'] = None; " if alone else ""
    isolated = f"import sys; {without}sys.argv = sys.argv[1:]; import runpy; "
    words = [directory / "sample.py", photo, picture]
    subprocess.run(
        [sys.executable, "-c", f"{isolated}runpy.run_path(sys.argv[0], run_name='__main__')", *words],
        check=True,
        timeout=60,
    )
    found: list[dict[str, Any]] = json.loads(picture.with_suffix(".json").read_text())
    for thing in found:
        if "mask" in thing:
            packed = pycocotools.mask.frPyObjects(thing["mask"], *thing["mask"]["size"])
            thing["mask"] = {"size": packed["size"], "counts": packed["counts"].decode()}
    return found
