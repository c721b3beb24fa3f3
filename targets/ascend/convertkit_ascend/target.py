"""The Ascend 310P3 as a target: its passes, what build leaves, and how its graph runs without the chip."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

import convertkit

TWIN = "twin.onnx"
"""The target graph in standard ONNX, semantics *ideal*; any onnxruntime runs it."""


class Ascend310P3(convertkit.Target):
    """Ascend 310P3, without its compiler so far: the target graph and its twin.

    ``prune-mask-head`` is not in the pipeline: it saves about 0.3 ms of arithmetic and traffic there, but the Reshape
    it needs may cost the chip a TransData of twice that (derived from facts 5, not measured).
    """

    name = "ascend310p3"
    pipeline = (
        "fuse-multilevel-roialign",
        "fuse-multiclass-nms",
        "restore-rpn-levels",
        "clip-to-picture",
        "center-nms-boxes",
        "legalize-ascend",
    )
    rung = "device-numerics"
    emulations: ClassVar[Mapping[str, str]] = {
        "twin": "standard ONNX, run by onnxruntime; twin:framework computes as mmdet does, twin:ideal as defined",
        "device-numerics": "with the chip's rounding and limits; device-numerics:nms+weights picks effects",
    }

    def versions(self) -> dict[str, str]:
        return {"onnxruntime": version("onnxruntime")}

    def compile(self, model: convertkit.LightModel, directory: Path) -> None:
        """Writes the twin beside the graph; opening it once proves that onnxruntime takes it."""
        from convertkit_ascend.twin import lower

        twin = lower(model, "ideal")
        convertkit.open_session(twin)
        convertkit.save(twin, directory / TWIN)

    def open(self, directory: Path) -> convertkit.Runtime:
        raise convertkit.UnavailableError(
            f"{directory}: it has not been compiled for the chip",
            hint="verify it with --runtime device-numerics or --runtime twin",
        )

    def emulate(self, model: convertkit.LightModel, name: str, variation: str = "") -> convertkit.Runtime:
        from convertkit_ascend.numerics import Effects, emulate
        from convertkit_ascend.twin import SEMANTICS, lower

        if name == "device-numerics":
            return emulate(model, Effects.parse(variation))
        if name != "twin":
            raise convertkit.UnknownNameError("emulation", name, self.emulations)
        if variation and variation not in SEMANTICS:
            raise convertkit.UnknownNameError("semantics of the twin", variation, SEMANTICS)
        return convertkit.open_session(lower(model, "framework" if variation == "framework" else "ideal"))

    def lint_rules(self) -> tuple[convertkit.LintRule, ...]:
        from convertkit_ascend.preflight import catalogue

        return tuple(
            convertkit.LintRule(item.id, item.severity, item.summary, item.fix, item.source)
            for item in catalogue()
        )

    def lint(
        self, path: Path, input_shape: Mapping[str, tuple[int, ...]] | None = None
    ) -> convertkit.LintReport:
        from convertkit_ascend.preflight import examine

        report = examine(path, self.name, input_shape)
        findings = tuple(
            convertkit.LintFinding(item.node, item.op, item.rule, item.severity, item.why, item.fix)
            for item in report.violations
        )
        return convertkit.LintReport(findings, report.basis)
