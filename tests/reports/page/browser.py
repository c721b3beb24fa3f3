"""A headless browser and axe-core, where they are: see CONTRIBUTING."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

AXE = "CONVERTKIT_AXE"
"""Environment variable: the path of ``axe.min.js``."""
PLACES = (Path("node_modules/axe-core/axe.min.js"), Path("/usr/share/javascript/axe-core/axe.min.js"))


def chromium() -> str:
    """The program; skips where there is none."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no chromium: on Debian, apt install chromium")
    return found


def axe() -> str:
    """The script; skips where there is none."""
    named = os.environ.get(AXE)
    for path in (Path(named),) if named else PLACES:
        if path.is_file():
            return path.read_text()
    pytest.skip(f"no axe-core: make axe, which needs npm, or {AXE}=path of axe.min.js")
