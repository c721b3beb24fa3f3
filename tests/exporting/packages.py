"""Tiny packages for pip to install without a network: wheels, and a source package that compiles slowly."""

from __future__ import annotations

import io
import tarfile
import textwrap
import zipfile
from pathlib import Path

BACKEND = """
import os, pathlib, time, zipfile

def get_requires_for_build_wheel(settings=None):
    return []

def build_wheel(directory, settings=None, metadata=None):
    # What the test wants to know of the "compiler", and the gate it waits at.
    place = os.environ["SLOW_PLACE"]
    names = ("MAX_JOBS", "FLAVOUR", "TMPDIR", "PYTHONPATH")
    with open(place + "/compiled", "a") as out:
        out.write(";".join(os.environ.get(name, "-") for name in names) + "\\n")
    while not os.path.exists(place + "/gate"):
        time.sleep(0.02)
    name = "slow-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(directory, name), "w") as wheel:
        wheel.writestr("slow/__init__.py", "")
        info = "slow-1.0.dist-info/"
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: slow\\nVersion: 1.0\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return name

def prepare_metadata_for_build_wheel(directory, settings=None):
    info = pathlib.Path(directory, "slow-1.0.dist-info")
    info.mkdir()
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\\nName: slow\\nVersion: 1.0\\n")
    return info.name
"""


def write_wheel(directory: Path, name: str, code: str = "") -> None:
    """Write version 1.0 of a package with one module of the same name."""
    directory.mkdir(parents=True, exist_ok=True)
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(directory / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}/__init__.py", textwrap.dedent(code))
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def write_slow_source(directory: Path) -> None:
    """Write the source package ``slow``: see ``BACKEND`` for what its compilation does."""
    directory.mkdir(parents=True, exist_ok=True)
    files = {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": BACKEND,
        "PKG-INFO": "Metadata-Version: 2.1\nName: slow\nVersion: 1.0\n",
    }
    with tarfile.open(directory / "slow-1.0.tar.gz", "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"slow-1.0/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
