"""The site of docs/ is built without a warning, and all pages are in its menu."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench import reference

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def test_every_page_is_in_the_table_of_contents_once() -> None:
    listed = re.findall(r"^\* \[[^\]]+\]\(([\w/-]+\.md)\)", (DOCS / "README.md").read_text(), re.MULTILINE)

    there = {page.name for page in DOCS.glob("*.md")} - {"README.md"} | {
        f"reference/{name}" for name in reference.PAGES
    }
    assert sorted(listed) == sorted(there)


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    if missing := [
        name for name in ("sphinx", "myst_parser", "furo") if importlib.util.find_spec(name) is None
    ]:
        pytest.skip(f"{', '.join(missing)} is not installed: pip install --group docs")

    words = (
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-q",
        "-b",
        "html",
        "-c",
        "docs/site",
        "docs",
        tmp_path / "site",
    )
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    front = (tmp_path / "site" / "README.html").read_text()
    assert [page.stem for page in DOCS.glob("*.md") if f'href="{page.stem}.html"' not in front] == ["README"]
    assert "--until-decided" in (tmp_path / "site" / "reference" / "commands.html").read_text()
