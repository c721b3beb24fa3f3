"""Targets: where a graph goes, and what may run it there."""
