"""What a target is: passes of its own, a compiler, and a runtime for what the compiler leaves."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from convertkit.errors import PluginError, UnavailableError, UnknownNameError, UsageError
from convertkit.targets.timing import Timings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convertkit.graph.light import LightModel
    from convertkit.targets.lint import LintReport, LintRule
    from convertkit.targets.machine import Machine
    from convertkit.targets.pixels import Pixels


class Runtime(Protocol):
    """Something that runs the compiled model, one image at a time."""

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Outputs by name for inputs by name; shapes and dtypes are those of the target graph."""
        ...


@dataclass(frozen=True)
class RuntimeOptions:
    """What a user may choose of a runtime.

    Attributes:
        device: number of the chip.
        batch: images at a time, for a model that was compiled for several sizes; None takes the model's own.
        inputs, outputs: for a runtime that only reads what was run elsewhere: the directories of its files.
    """

    device: int = 0
    batch: int | None = None
    inputs: Path | None = None
    outputs: Path | None = None


class Target:
    """Where a graph goes. Derive, set ``name`` and the docstring, and implement :meth:`compile` and :meth:`open`.

    Class attributes:
        name: the name on the command line, like ``cpu`` or ``ascend310p3``.
        pipeline: step texts of the passes this target adds after the model's own.
        rung: what ``convertkit verify`` measures unless told otherwise.
        emulations: ways to run a graph on the host as the target would, by name, with a line of help each.
        runtimes: ways to run the compiled artifact besides :meth:`open`, by name, with a line of help each.
        product: the file that a compiler which may be on another machine leaves; empty for a target without one.
        by_hand: how to make it without convertkit, in a few words: ``on a machine with CANN: sh compile.sh``.

    Attributes:
        options: what the compiler was told beyond its defaults, as plain data and part of the key.
            :meth:`configured` sets it.
        origins: node name of the graph -> where the node came from, such as ``pass simplify``. :meth:`tracing` sets it.
        compiler: what :meth:`compile` makes :attr:`product` with, as part of the key; empty where it stops before
            that. :meth:`compiling` sets it.
        pixels: what to do with a picture's bytes; None where the host normalises. :meth:`normalizing` sets it.
    """

    name: ClassVar[str]
    pipeline: tuple[str, ...] = ()
    rung: ClassVar[str] = "target"
    emulations: ClassVar[Mapping[str, str]] = {}
    runtimes: ClassVar[Mapping[str, str]] = {}
    product: ClassVar[str] = ""
    by_hand: ClassVar[str] = ""
    options: Mapping[str, Any] = MappingProxyType({})
    origins: Mapping[str, str] = MappingProxyType({})
    compiler: str = ""
    pixels: Pixels | None = None
    _tell: Callable[[str], None] | None = None

    def versions(self) -> dict[str, str]:
        """Names and versions of the tools whose change makes a compiled artifact stale."""
        return {}

    def normalizing(self, pixels: Pixels) -> Target:
        """This target, set to normalise: :meth:`compile`, :meth:`open` and :meth:`emulate` then work on bytes.

        Raises:
            UsageError: it has no unit for that, or the unit cannot do what is asked.
        """
        raise UsageError(f"target {self.name} does not normalise pictures", hint="say normalize: host")

    def compiling(self, where: str) -> Target:
        """This target, set to a compiler: :meth:`compile` then makes :attr:`product` too.

        Args:
            where: ``local``, ``docker:IMAGE`` or ``ssh:HOST``; ``none``; ``auto`` for local if it is there.

        Raises:
            UsageError: it has no such compiler. UnavailableError: this machine cannot reach it.
        """
        if where == "auto":
            return self
        raise UsageError(f"--compiler {where}: target {self.name} needs no compiler", hint="leave it out")

    def option_types(self) -> Mapping[str, str]:
        """The options that :meth:`configured` takes: name -> what a value looks like; empty for a target without."""
        return {}

    def configured(self, options: Mapping[str, Any]) -> Target:
        """This target, with options for its compiler.

        Args:
            options: plain data by name, from ``targets`` in a specification or ``--option`` on a command line.

        Raises:
            UnknownNameError: no such option. UsageError: a value it cannot have, or options that exclude each other.
        """
        if options:
            raise UsageError(f"option {min(options)!r}: target {self.name} takes none", hint="leave it out")
        return self

    def tracing(self, origins: Mapping[str, str]) -> Target:
        """This target, knowing where nodes came from: what goes wrong can then be said in the user's words."""
        made = copy.copy(self)
        made.origins = origins
        return made

    def telling(self, tell: Callable[[str], None]) -> Target:
        """This target, with someone to :meth:`tell`."""
        made = copy.copy(self)
        made._tell = tell
        return made

    def tell(self, line: str) -> None:
        """Says how a long compilation goes on, in a few words."""
        if self._tell is not None:
            self._tell(line)

    def machine(self) -> Machine:
        """The figures of a roofline.

        Raises:
            UnavailableError: none are known.
        """
        raise UnavailableError(f"target {self.name} has no figures of its machine to estimate with")

    def compile(self, model: LightModel, directory: Path) -> None:
        """Writes the artifact's files into an empty ``directory``. The same input must give the same bytes."""
        raise NotImplementedError

    def remarks(self, directory: Path) -> tuple[str, ...]:
        """What a user should read about an artifact that :meth:`compile` filled, a few lines."""
        return ()

    def reaching(self, directory: Path) -> tuple[str, ...]:
        """What an artifact tells its compiler by which that may write outside of it, a few words each.

        Raises:
            UsageError: the artifact is not of this target.
        """
        return ()

    def finish(self, directory: Path) -> None:
        """Makes :attr:`product` in a directory with the other files of an artifact, from these alone.

        Raises:
            UnavailableError: no compiler is set. ProcessError: it failed.
        """
        raise UsageError(f"target {self.name} leaves nothing to compile")

    def open(self, directory: Path) -> Runtime:
        """A runtime for an artifact directory that :meth:`compile` filled.

        Raises:
            UnavailableError: this machine cannot run it.
        """
        raise NotImplementedError

    def runtime(self, directory: Path, name: str, options: RuntimeOptions) -> Runtime:
        """As :meth:`open_runtime`; without a name the first of :attr:`runtimes`, or else :meth:`open`."""
        if not name and not self.runtimes:
            return self.open(directory)
        return self.open_runtime(directory, name or next(iter(self.runtimes)), options)

    def open_runtime(self, directory: Path, name: str, options: RuntimeOptions) -> Runtime:
        """One of :attr:`runtimes` for an artifact directory.

        Raises:
            UnknownNameError: the target has no such runtime. UnavailableError: this machine cannot run it.
        """
        raise UnknownNameError(f"runtime of {self.name}", name, self.runtimes)

    def recorded_timings(self, results: Path) -> Timings:
        """What a runtime that wrote ``results`` elsewhere noted of its own speed.

        Raises:
            UsageError: there is no such record.
        """
        raise UsageError(f"target {self.name} has no runtime that leaves a record of its speed")

    def emulate(self, model: LightModel, name: str, variation: str = "") -> Runtime:
        """A runtime on the host for any graph, the stock graph included.

        Args:
            name: one of :attr:`emulations`.
            variation: what the emulation offers to choose from; empty for its default.

        Raises:
            UsageError: the emulation has no such variation.
        """
        raise UsageError(f"target {self.name} has no emulation {name!r}")

    def lint_rules(self) -> tuple[LintRule, ...]:
        """Every rule that :meth:`lint` may report, by id; empty for a target that has no linter."""
        return ()

    def lint(self, path: Path, input_shape: Mapping[str, tuple[int, ...]] | None = None) -> LintReport:
        """What the compiler would refuse or silently change in the file it is to read.

        Args:
            path: the ONNX file, as it is on the disk.
            input_shape: sizes of inputs that the compiler will be told, by name; -1 for one that stays open.

        Raises:
            GraphError: it is no ONNX file.
            UsageError: the target has no linter.
        """
        raise UsageError(f"target {self.name} has no linter")


def check_class(cls: type[Target]) -> None:
    """Refuses a target class without a name or a docstring (PluginError)."""
    if not isinstance(getattr(cls, "name", None), str) or not cls.name:
        raise PluginError(f"target class {cls.__qualname__} has no name")
    if not summary(cls):
        raise PluginError(f"target {cls.name}: it has no docstring; its first line is the help text")


def summary(cls: type[Target]) -> str:
    """The first line of a target's own docstring; empty where it has none."""
    doc = (cls.__dict__.get("__doc__") or "").strip()
    return doc.splitlines()[0] if doc else ""
