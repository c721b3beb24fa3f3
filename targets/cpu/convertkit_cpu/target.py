"""Standard ONNX, run by onnxruntime's CPU provider."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import convertkit
from convertkit.api import heads


class CpuTarget(convertkit.Target):
    """Run on this machine's processor with onnxruntime; nothing to compile."""

    def versions(self) -> dict[str, str]:
        return {"onnxruntime": version("onnxruntime")}

    def compile(
        self, model: convertkit.LightModel, directory: Path, context: convertkit.CompileContext
    ) -> None:
        """The graph itself is the artifact; opening it once proves that onnxruntime takes it."""
        convertkit.open_session(heads.lower(model))

    def open(self, directory: Path) -> convertkit.Runtime:
        return convertkit.open_session(heads.lower(convertkit.load(directory / "model.onnx")))
