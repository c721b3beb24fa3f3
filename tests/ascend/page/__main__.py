"""Writes docs/without-a-chip.md, lint-rules.md and never-seen.md: on which statement each test with a stand-in stands.

    python -m tests.ascend.page

It lives among the tests and not in bench/: it measures nothing, and all it says is data that lie beside the tests,
which nothing outside of them imports.
"""

from __future__ import annotations

from tests.ascend.evidence import ROOT
from tests.ascend.page.document import documents

if __name__ == "__main__":
    for page, text in documents().items():
        page.write_text(text, encoding="utf-8")
        print(f"wrote {page.relative_to(ROOT)}")
