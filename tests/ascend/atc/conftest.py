"""The stand-in for atc on PATH, and a guard that nothing it starts goes on running."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

STAND_IN = Path(__file__).parent / "stand_in_atc.py"


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    from tests.ascend.atc.graphs import write_all

    return write_all(tmp_path_factory.mktemp("models"))


@pytest.fixture
def bin_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory in front of PATH for stand-ins; no real installation is found."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    for name in ("ASCEND_TOOLKIT_HOME", "ASCEND_HOME_PATH", "STAND_IN_ATC", "STAND_IN_ATC_RELEASE"):
        monkeypatch.delenv(name, raising=False)
    return directory


@pytest.fixture
def stand_in(bin_dir: Path) -> Path:
    """``atc`` on PATH; the stand-in plays what STAND_IN_ATC says."""
    return executable(bin_dir / "atc", f'exec {sys.executable} -S -E {STAND_IN} "$@"')


@pytest.fixture(autouse=True)
def no_orphans(tmp_path: Path) -> Iterator[None]:
    yield
    assert orphans(tmp_path) == []


def executable(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def orphans(marker: Path) -> list[str]:
    """Command lines of living processes that mention ``marker``."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(marker) in words:
                found.append(words)
    return found
