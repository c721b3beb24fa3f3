"""The stand-in for atc, and a package small enough to build in a test."""

from __future__ import annotations

from tests.ascend.atc.conftest import bin_dir, no_orphans, stand_in

__all__ = ["bin_dir", "no_orphans", "stand_in"]
