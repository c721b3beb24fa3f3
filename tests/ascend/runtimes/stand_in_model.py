"""What the stand-ins for the chip run: an ONNX file, or the ``.om`` of the stand-in for atc, which contains one."""

from __future__ import annotations

import tempfile
from pathlib import Path

import onnxruntime
from convertkit_ascend.atc.outcome import HEADER_BYTES, MAGIC, defect
from convertkit_ascend.handover import from_atc
from convertkit_ascend.twin import lower

from convertkit.api.graphs import load, open_session
from convertkit.api.passes import GraphError


def opened(path: Path) -> onnxruntime.InferenceSession:
    """A session of the graph that ATC was given, its vendor operators lowered; it has no AIPP."""
    content = path.read_bytes()
    if not content.startswith(MAGIC):
        return open_session(load(path)).inner
    if defect(path):
        raise GraphError(f"{path} {defect(path)}")
    settings, _, graph = content[HEADER_BYTES:].partition(b"\0")
    if b"insert_op_conf" in settings:
        raise GraphError(f"{path}: the stand-in has no AIPP")
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        Path(file.name).write_bytes(graph)
        model = load(Path(file.name))
    return open_session(lower(from_atc(model), "ideal")).inner
