"""Writes docs/without-a-chip.md: on which statement each test with a stand-in stands.

    python -m tests.ascend.page

It lives among the tests and not in bench/: it measures nothing, and all it says is data that lie beside the tests,
which nothing outside of them imports.
"""

from __future__ import annotations

from tests.ascend.evidence import ROOT
from tests.ascend.page.document import PAGE, document

if __name__ == "__main__":
    PAGE.write_text(document(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
