"""Standard ONNX, run by onnxruntime's CPU provider."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from convertkit.api import graphs, heads, targets

PIPELINE = ("fuse-multilevel-roialign", "fuse-multiclass-nms", "lower-heads")


class CpuTarget(targets.Target):
    """Run on this machine's processor with onnxruntime; nothing to compile."""

    @property
    def sample(self) -> targets.SampleCode:
        return targets.SampleCode("model.onnx")

    def versions(self) -> dict[str, str]:
        return {"onnxruntime": version("onnxruntime")}

    def compile(self, model: targets.LightModel, directory: Path, context: targets.CompileContext) -> None:
        """The graph itself is the artifact; opening it once proves that onnxruntime takes it."""
        graphs.open_session(heads.lower(model))

    def open(self, directory: Path) -> targets.Runtime:
        return graphs.open_session(heads.lower(graphs.load(directory / "model.onnx")))
