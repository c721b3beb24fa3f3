"""The Ascend 310P3 as a target: its passes, what build leaves, and how its graph runs without the chip."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import convertkit
from convertkit_ascend import socs
from convertkit_ascend.bundle.names import OM
from convertkit_ascend.runtimes import RUNTIMES

if TYPE_CHECKING:
    from convertkit_ascend.aipp import Aipp
    from convertkit_ascend.atc import Compiler

CAST = "cast-fp16-operators{only=[BatchMultiClassNMS]}"
"""Convolutions and poolings are left to the compiler, which lowers them in every mode that may lower anything."""

PIPELINE = (
    "fuse-multilevel-roialign",
    "fuse-multiclass-nms",
    "drop-offset-rounding",
    "restore-rpn-levels",
    "clip-to-picture",
    "center-nms-boxes",
    CAST,
)

TWIN = "twin.onnx"
"""The target graph in standard ONNX, semantics *ideal*; any onnxruntime runs it."""


class Ascend(convertkit.Target):
    """One Ascend chip; :data:`TARGETS` has a class for each.

    A build leaves the target graph, its twin, and a bundle for ATC; with a compiler, the offline model too.

    ``prune-mask-head`` is not in the pipeline: it saves about 0.3 ms of arithmetic and traffic there, but the Reshape
    it needs may cost the chip a TransData of twice that (derived from facts 5, not measured).
    """

    rung = "device-numerics"
    runtimes = RUNTIMES
    product = OM
    by_hand = "on a machine with CANN: sh compile.sh"
    _compiler: Compiler | None = None
    emulations: ClassVar[Mapping[str, str]] = {
        "twin": "standard ONNX, run by onnxruntime; twin:framework computes as mmdet does, twin:ideal as defined",
        "device-numerics": "with the chip's rounding and limits; device-numerics:nms+weights picks effects",
    }

    def versions(self) -> dict[str, str]:
        return {"onnxruntime": version("onnxruntime")}

    def machine(self) -> convertkit.Machine:
        from convertkit_ascend.roofline import machine

        return machine(self.name)

    def compile(self, model: convertkit.LightModel, directory: Path) -> None:
        """Writes the bundle for ATC and the twin; opening the twin once proves that onnxruntime takes it.

        Where the chip normalises, AIPP's settings too; the twin then takes the bytes of a picture, as the chip does.

        Raises:
            PreflightError: ATC would refuse the graph, or make something else of it. AtcError: it failed.
        """
        from convertkit_ascend.aipp import config_text
        from convertkit_ascend.bundle.ask import ask
        from convertkit_ascend.bundle.contents import write
        from convertkit_ascend.twin import lower

        settings = None if self.pixels is None else config_text(self._aipp(model))
        write(model, ask(self.name, model, settings, self.options), directory, self.origins)
        twin = lower(self._fed(model), "ideal")
        convertkit.open_session(twin)
        convertkit.save(twin, directory / TWIN)
        if self._compiler is not None:
            self.finish(directory)

    def option_types(self) -> Mapping[str, str]:
        from convertkit_ascend.bundle.ask import user_options

        return user_options()

    def configured(self, options: Mapping[str, Any]) -> Ascend:
        """With options of ATC, named as ATC names them."""
        if not options:
            return self
        from convertkit_ascend.bundle.ask import keeps_all, settle

        made = copy.copy(self)
        made.options = options
        allow = settle(self.name, options, aipp=self.pixels is not None)
        if keeps_all(options):
            made.pipeline = tuple("cast-fp16-operators" if step == CAST else step for step in self.pipeline)
        if allow:
            made.pipeline = (*made.pipeline[:-1], _legalize(self.name, allow))
        return made

    def remarks(self, directory: Path) -> tuple[str, ...]:
        from convertkit_ascend.bundle.remarks import remarks

        return remarks(directory)

    def compiling(self, where: str) -> Ascend:
        from convertkit_ascend.atc import open_compiler
        from convertkit_ascend.bundle.where import identity

        made = copy.copy(self)
        made._compiler = open_compiler(where)
        made.compiler = "" if made._compiler is None else identity(made._compiler)
        return made

    def reaching(self, directory: Path) -> tuple[str, ...]:
        from convertkit_ascend.bundle.reach import reaching

        return reaching(directory, self.name)

    def finish(self, directory: Path) -> None:
        from convertkit_ascend.bundle.finish import finish

        if self._compiler is None:
            raise convertkit.UnavailableError(f"target {self.name} is set to no compiler")
        finish(directory, self._compiler, self.tell)

    def normalizing(self, pixels: convertkit.Pixels) -> Ascend:
        """With AIPP; what the unit cannot do is refused before anything is built."""
        from convertkit_ascend import aipp

        aipp.check(aipp.from_pixels(pixels), socs.get(self.name), pixels.size)
        made = copy.copy(self)
        made.pixels = pixels
        return made

    def open(self, directory: Path) -> convertkit.Runtime:
        """On the first chip; :meth:`open_runtime` offers others."""
        return self.open_runtime(directory, "acl", convertkit.RuntimeOptions())

    def open_runtime(
        self, directory: Path, name: str, options: convertkit.RuntimeOptions
    ) -> convertkit.Runtime:
        from convertkit_ascend.runtimes import open_runtime

        return open_runtime(directory, name, options)

    def recorded_timings(self, results: Path) -> convertkit.Timings:
        from convertkit_ascend.runtimes.summary import read_timings

        return read_timings(results)

    def emulate(self, model: convertkit.LightModel, name: str, variation: str = "") -> convertkit.Runtime:
        from convertkit_ascend.numerics import Effects, emulate
        from convertkit_ascend.twin import SEMANTICS, lower

        model = self._fed(model)
        if name == "device-numerics":
            return emulate(model, Effects.parse(variation) if variation else Effects.of_options(self.options))
        if name != "twin":
            raise convertkit.UnknownNameError("emulation", name, self.emulations)
        if variation and variation not in SEMANTICS:
            raise convertkit.UnknownNameError("semantics of the twin", variation, SEMANTICS)
        return convertkit.open_session(lower(model, "framework" if variation == "framework" else "ideal"))

    def _fed(self, model: convertkit.LightModel) -> convertkit.LightModel:
        """The graph as it is fed: with AIPP before it, where the chip normalises."""
        if self.pixels is None:
            return model
        from convertkit_ascend.aipp import prepend

        return prepend(model, self.pixels.input, self._aipp(model))

    def _aipp(self, model: convertkit.LightModel) -> Aipp:
        from convertkit_ascend.aipp import from_pixels

        assert self.pixels is not None
        constants = {tensor.name for tensor in model.proto.graph.initializer}
        inputs = [value.name for value in model.proto.graph.input if value.name not in constants]
        if self.pixels.input not in inputs:
            raise convertkit.GraphError(
                f"the graph has no input {self.pixels.input!r} to normalise; it has {', '.join(inputs)}"
            )
        return from_pixels(self.pixels, inputs.index(self.pixels.input))

    def lint_rules(self) -> tuple[convertkit.LintRule, ...]:
        from convertkit_ascend.preflight import catalogue

        return tuple(
            convertkit.LintRule(item.id, item.severity, item.summary, item.fix, item.source)
            for item in catalogue()
        )

    def lint(
        self, path: Path, input_shape: Mapping[str, tuple[int, ...]] | None = None
    ) -> convertkit.LintReport:
        from convertkit_ascend.linting import lint_apart

        return lint_apart(path, self.name, input_shape)


UNTABLED = "no table of its operators: only estimate, and lint by the parser's rules"


def _target(soc: socs.Soc) -> type[Ascend]:
    """The class of one chip. Only the 310P has a table of its operators: for others nothing is rewritten or judged."""
    known = soc.name in socs.tabled()
    body = {
        "__module__": __name__,
        "__doc__": _spelt(soc) if known else f"{_spelt(soc)}; {UNTABLED}",
        "name": soc.name,
        "pipeline": (*PIPELINE, _legalize(soc.name)),
    }
    return type(soc.soc_version.replace("-", "_"), (Ascend,), body)


def _legalize(soc: str, allow: tuple[str, ...] = ()) -> str:
    """The text of the last pass; what is its default is left out."""
    options = [] if soc == "ascend310p3" else [f"soc={soc}"]
    options += [f"allow=[{', '.join(allow)}]"] if allow else []
    return "legalize-ascend" + (f"{{{', '.join(options)}}}" if options else "")


def _spelt(soc: socs.Soc) -> str:
    """``Ascend 310P3, 8 AI cores, 69 TFLOPS fp16``."""
    chip = soc.soc_version.removeprefix("Ascend")
    cores = f"{soc.ai_cores} AI core{'' if soc.ai_cores == 1 else 's'}"
    return f"Ascend {chip}, {cores}, {soc.peak() / 1e12:.0f} TFLOPS fp16"


TARGETS: tuple[type[Ascend], ...] = tuple(_target(socs.get(name)) for name in socs.names())
Ascend310P3 = next(cls for cls in TARGETS if cls.name == "ascend310p3")
