"""The Ascend 310P3 as a target: its passes, what build leaves, and how its graph runs without the chip."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from convertkit.api import graphs, targets
from convertkit_ascend import socs
from convertkit_ascend.bundle.compiler import Atc
from convertkit_ascend.emulator import AscendEmulator, AscendMixture, aipp_of, fed
from convertkit_ascend.linter import AscendLinter
from convertkit_ascend.runtimes import AscendRuntimes

CAST = "cast-fp16-operators{only=[BatchMultiClassNMS]}"
"""Convolutions and poolings are left to the compiler, which lowers them in every mode that may lower anything."""

PIPELINE = (
    "resolve-if",
    "absorb-score-filters",
    "fuse-multilevel-roialign{square=true}",
    "fuse-multiclass-nms{pad_detections=true}",
    "drop-offset-rounding",
    "restore-rpn-levels",
    "clip-to-picture",
    "center-nms-boxes",
    CAST,
)

TWIN = "twin.onnx"
"""The target graph in standard ONNX, semantics *ideal*; any onnxruntime runs it."""


class Ascend(targets.Target):
    """One Ascend chip; :data:`TARGETS` has them all.

    A build leaves the target graph, its twin, and a bundle for ATC; with a compiler, the offline model too.

    ``prune-mask-head`` is not in the pipeline: it saves about 0.3 ms of arithmetic and traffic there, but the Reshape
    it needs may cost the chip a TransData of twice that (derived from ascend-facts: chip-figures; not measured).
    """

    @property
    def emulator(self) -> AscendEmulator:
        return AscendEmulator()

    @property
    def mixed(self) -> AscendMixture:
        return AscendMixture()

    @property
    def linter(self) -> AscendLinter:
        return AscendLinter(self.name)

    @property
    def compiler(self) -> Atc:
        return Atc(self.name)

    @property
    def runtimes(self) -> AscendRuntimes:
        return AscendRuntimes()

    @property
    def tool(self) -> targets.FileTool:
        from convertkit_ascend.runtimes.ais_bench import TOOL

        return TOOL

    @property
    def tensor_tool(self) -> targets.TensorTool:
        from convertkit_ascend.msprobe import Msprobe

        return Msprobe()

    @property
    def sample(self) -> targets.SampleCode:
        from convertkit_ascend.bundle.sample import sample

        return sample()

    @property
    def machine(self) -> targets.Machine:
        from convertkit_ascend.roofline import machine

        return machine(self.name)

    def resources(self, runtime: str) -> Mapping[str, float]:
        return {} if runtime == "offline" else {"NPU": 1}

    def versions(self) -> dict[str, str]:
        return {"onnxruntime": version("onnxruntime")}

    def option_types(self) -> Mapping[str, str]:
        from convertkit_ascend.bundle.ask import user_options

        return user_options()

    def passes(self, context: targets.CompileContext) -> tuple[str, ...]:
        """For options of ATC, named as ATC names them; what AIPP cannot do is refused before anything is built."""
        from convertkit_ascend.bundle.ask import keeps_all, settle

        if context.pixels is not None:
            from convertkit_ascend import aipp

            aipp.check(aipp.from_pixels(context.pixels), socs.get(self.name), context.pixels.size)
        if not context.options:
            return self.pipeline
        steps = self.pipeline
        allow = settle(self.name, context.options, aipp=context.pixels is not None)
        if keeps_all(context.options):
            steps = tuple("cast-fp16-operators" if step == CAST else step for step in steps)
        return (*steps[:-1], _legalize(self.name, allow)) if allow else steps

    def compile(self, model: targets.LightModel, directory: Path, context: targets.CompileContext) -> None:
        """Writes the bundle for ATC and the twin; opening the twin once proves that onnxruntime takes it.

        Where the chip normalises, AIPP's settings too; the twin then takes the bytes of an image, as the chip does.

        Raises:
            PreflightError: ATC would refuse the graph, or make something else of it. AtcError: it failed.
        """
        from convertkit_ascend.aipp import config_text
        from convertkit_ascend.bundle.ask import ask
        from convertkit_ascend.bundle.contents import write
        from convertkit_ascend.twin import lower

        settings = None if context.pixels is None else config_text(aipp_of(model, context.pixels))
        write(model, ask(self.name, model, settings, context.options), directory, context.origins)
        twin = lower(fed(model, context.pixels), "ideal")
        graphs.open_session(twin)
        graphs.save(twin, directory / TWIN)
        if context.compiler is not None:
            self.compiler.finish(directory, context)

    def remarks(self, directory: Path) -> tuple[str, ...]:
        from convertkit_ascend.bundle.remarks import remarks

        return remarks(directory)

    def open(self, directory: Path) -> targets.Runtime:
        """On the first chip; :attr:`runtimes` offers others."""
        return self.runtimes.open(directory, "acl", targets.RuntimeOptions())


UNTABLED = "no table of its operators: only estimate, and lint by the parser's rules"


def _target(soc: socs.Soc) -> Ascend:
    """One chip. Only the 310P has a table of its operators: for others nothing is rewritten or judged."""
    spelt = _spelt(soc) if soc.name in socs.tabled() else f"{_spelt(soc)}; {UNTABLED}"
    return Ascend(soc.name, spelt, (*PIPELINE, _legalize(soc.name)), rung="device-numerics")


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


TARGETS = tuple(_target(socs.get(name)) for name in socs.names())
