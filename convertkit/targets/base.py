"""What a target is: passes of its own, a compiler, and a runtime for what the compiler leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from convertkit.errors import PluginError, UnavailableError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel
    from convertkit.targets.capabilities import Emulator, Linter, ProductCompiler, Runtime, Runtimes
    from convertkit.targets.context import CompileContext
    from convertkit.targets.file_tool import FileTool
    from convertkit.targets.machine import Machine
    from convertkit.targets.mixed import MixedPrecision
    from convertkit.targets.sample import SampleCode
    from convertkit.targets.tensor_tool import TensorTool


@dataclass(frozen=True)
class Target:
    """Where a graph goes. Derive, implement :meth:`compile` and :meth:`open`, and register an object with a name.

    It is a value: what belongs to one compilation comes as a ``CompileContext``. What only some targets can do they
    offer as an object (an ``Emulator``, a ``Linter``; all are in ``convertkit.api.targets``); None: they cannot.

    Attributes:
        name: on the command line, like ``cpu`` or ``mychip``.
        summary: one line of help; the first of the class's docstring where it is empty.
        pipeline: step texts of the passes this target adds after the model's own.
        rung: what ``convertkit verify`` measures unless told otherwise.
    """

    name: str
    summary: str = ""
    pipeline: tuple[str, ...] = ()
    rung: str = "target"

    @property
    def help(self) -> str:
        return self.summary or (type(self).__dict__.get("__doc__") or "").strip().partition("\n")[0]

    @property
    def emulator(self) -> Emulator | None:
        """Runs graphs on the host as the target would."""
        return None

    @property
    def mixed(self) -> MixedPrecision | None:
        """Runs graphs on the host in a mixture of precisions."""
        return None

    @property
    def linter(self) -> Linter | None:
        """Says what the compiler would refuse or silently change."""
        return None

    @property
    def compiler(self) -> ProductCompiler | None:
        """Makes a file of the artifact that needs a compiler, which may be on another machine."""
        return None

    @property
    def runtimes(self) -> Runtimes | None:
        """Ways to run the artifact besides :meth:`open`."""
        return None

    @property
    def tool(self) -> FileTool | None:
        """The vendor's tool that runs the artifact on files."""
        return None

    @property
    def tensor_tool(self) -> TensorTool | None:
        """The vendor's tool that compares tensors of a run with those of a reference."""
        return None

    @property
    def sample(self) -> SampleCode | None:
        """How the artifact runs without convertkit, as a script beside it shows."""
        return None

    @property
    def machine(self) -> Machine | None:
        """The figures of a roofline."""
        return None

    def resources(self, runtime: str) -> Mapping[str, float]:
        """What a machine of a cluster must have for a runtime beside a processor, by Ray's names; nothing by default.

        Args:
            runtime: one of :attr:`runtimes`; empty for the usual one.
        """
        return {}

    def versions(self) -> dict[str, str]:
        """Names and versions of the tools whose change makes a compiled artifact stale."""
        return {}

    def option_types(self) -> Mapping[str, str]:
        """The options of :attr:`CompileContext.options`: name -> what a value looks like."""
        return {}

    def passes(self, context: CompileContext) -> tuple[str, ...]:
        """Step texts of the passes for a context, by default :attr:`pipeline`.

        The default refuses pixels, and options that :meth:`option_types` does not have; which values one may have
        only the target knows.

        Raises:
            UnknownNameError: it has no such option. UsageError: a value it cannot have, options that exclude each
                other, or pixels where the host has to normalise.
        """
        types = self.option_types()
        for name in sorted(set(context.options) - set(types)):
            if not types:
                raise UsageError(f"option {name!r}: target {self.name} takes none", hint="leave it out")
            raise UnknownNameError(f"option of {self.name}", name, types)
        if context.pixels is not None:
            raise UsageError(f"target {self.name} does not normalise images", hint="say normalize: host")
        return self.pipeline

    def compile(self, model: LightModel, directory: Path, context: CompileContext) -> None:
        """Adds the artifact's files to ``directory``, by default none. The same input must give the same bytes.

        Args:
            model: the graph after all passes; operators of domains that they brought are still in it.
            directory: has ``model.onnx`` already, which is ``model``; nothing else.

        Raises:
            UnavailableError: what it compiles with is not here. TargetError: it failed; other exceptions become one.
        """

    def remarks(self, directory: Path) -> tuple[str, ...]:
        """What a user should read about an artifact that :meth:`compile` filled, a few lines."""
        return ()

    def open(self, directory: Path) -> Runtime:
        """A runtime for an artifact directory: ``model.onnx``, and what :meth:`compile` added.

        Raises:
            UnavailableError: this machine cannot run it.
        """
        raise UnavailableError(f"target {self.name} has no runtime")


def check_target(target: Target) -> None:
    """Refuses a target without a name or a line of help (PluginError)."""
    if not target.name:
        raise PluginError(f"target {type(target).__qualname__} has no name")
    if not target.help:
        raise PluginError(f"target {target.name}: it has no docstring; its first line is the help text")
