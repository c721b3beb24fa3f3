"""Real data beside the checkout: tests that need it skip with a reason where it is absent."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[1].parent / "shared"
"""``../shared`` of the repository: photos and annotations that may not be committed."""

needs_shared = pytest.mark.skipif(
    not (SHARED / "data").is_dir(),
    reason="../shared/data is not beside this checkout (real photos and annotations)",
)
