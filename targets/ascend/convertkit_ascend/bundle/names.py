"""The names of a bundle's files."""

from __future__ import annotations

GRAPH = "ascend.onnx"
"""The file that ATC reads."""

OPTIONS = "atc.json"
REPORT = "preflight.json"
ORIGINS = "origins.json"
SCRIPT = "compile.sh"
OM = "model.om"
"""What the compiler leaves."""

KEPT = "kept.json"
"""What became of the nodes of ``keep_dtype``, where the compiler was told to keep some."""
