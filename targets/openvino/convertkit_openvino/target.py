"""OpenVINO's CPU plugin as a target, in fp32 and in fp16."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convertkit.api import graphs, heads, system, targets
from convertkit_openvino import engine
from convertkit_openvino.runtime import MODEL, Child, OpenvinoRuntime, open_runtime

PIPELINE = ("fuse-multilevel-roialign", "fuse-multiclass-nms", "lower-heads")


@dataclass(frozen=True)
class OpenvinoTarget(targets.Target):
    """OpenVINO on this machine's processor.

    Attributes:
        precision: ``f32``; or ``f16``: weights are kept in fp16, and where the processor can, the plugin computes
            products in it.
    """

    precision: str = "f32"

    def versions(self) -> dict[str, str]:
        found = engine.installed()
        return {"openvino": found} if found else {}

    def compile(self, model: targets.LightModel, directory: Path, context: targets.CompileContext) -> None:
        """Writes ``model.xml`` and ``model.bin``; opening them once proves that the plugin takes them."""
        files: dict[str, Any] = {"model": str((directory / MODEL).absolute()), "precision": self.precision}
        child = Child()
        with system.scratch_directory(directory) as scratch:
            graphs.save(heads.lower(model), source := scratch / "model.onnx")
            child.ask("convert", source=str(source.absolute()), **files)
        child.ask("open", **files)
        child.close()

    def remarks(self, directory: Path) -> tuple[str, ...]:
        """In what the plugin computes here, where that may be something else than was asked for."""
        if self.precision == "f32" or not engine.installed():
            return ()
        child = Child()
        computes = child.ask("given", precision=self.precision)["given"]
        child.close()
        but = "heads stay in float32" if computes == "float16" else "only the weights are rounded to float16"
        return (f"OpenVINO's {engine.DEVICE} plugin computes in {computes} on this processor; {but}",)

    def open(self, directory: Path) -> OpenvinoRuntime:
        return open_runtime(directory, self.precision)


TARGETS = (
    OpenvinoTarget("openvino", "this machine's processor, by OpenVINO in fp32", PIPELINE),
    OpenvinoTarget(
        "openvino-fp16",
        "the same in fp16, where the processor has it; heads in fp32",
        PIPELINE,
        precision="f16",
    ),
)
