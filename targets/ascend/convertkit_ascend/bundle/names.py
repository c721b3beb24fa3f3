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
