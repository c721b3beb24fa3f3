"""``detector_graph`` for every test in this room; elsewhere, import it from :mod:`tests.detectors.graphs`."""

from __future__ import annotations

from tests.detectors.graphs import detector_graph

__all__ = ["detector_graph"]
