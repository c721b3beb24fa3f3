"""Builds: from a model package to an artifact, in content-addressed steps that survive anything."""
