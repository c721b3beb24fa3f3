"""What only some targets can do: an object each, and one line for those that cannot."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from convertkit.errors import ConvertkitError, TargetError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convertkit.graph.light import LightModel
    from convertkit.targets.base import Target
    from convertkit.targets.context import CompileContext, Compiler, RuntimeOptions
    from convertkit.targets.file_tool import FileTool
    from convertkit.targets.lint import LintReport, LintRule
    from convertkit.targets.machine import Machine
    from convertkit.targets.timing import Timings


class Runtime(Protocol):
    """Something that runs the compiled model, one image at a time."""

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Outputs by name for inputs by name; shapes and dtypes are those of the target graph.

        Args:
            inputs: what the model package's ``preprocess`` gives. Names that the graph does not have may be among them
                (what only a later pass asks for): ignore them.

        Returns:
            Every output of the graph.
        """
        ...


class Emulator(Protocol):
    """Runs graphs on the host as the target would; ``names`` are its ways, with a line of help each."""

    @property
    def names(self) -> Mapping[str, str]: ...

    def emulate(self, model: LightModel, name: str, variation: str, context: CompileContext) -> Runtime:
        """A runtime on the host for any graph, the stock graph included.

        Args:
            name: one of ``names``.
            variation: what the emulation offers to choose from; empty for its default.

        Raises:
            UnknownNameError: it has no such name or variation.
        """
        ...


class Linter(Protocol):
    """Says what the compiler would refuse or silently change in the file it is to read."""

    def rules(self) -> tuple[LintRule, ...]:
        """Every rule that :meth:`lint` may report, by id."""
        ...

    def lint(self, path: Path, input_shape: Mapping[str, tuple[int, ...]] | None = None) -> LintReport:
        """What it finds in a file.

        Args:
            path: the ONNX file, as it is on the disk.
            input_shape: sizes of inputs that the compiler will be told, by name; -1 for one that stays open.

        Raises:
            GraphError: it is no ONNX file.
        """
        ...


class ProductCompiler(Protocol):
    """Makes the file that an artifact lacks, on this machine or another one.

    Attributes:
        product: the name of that file.
        by_hand: how to make it without convertkit, in a few words: ``where its compiler is: sh compile.sh``.
    """

    @property
    def product(self) -> str: ...

    @property
    def by_hand(self) -> str: ...

    def choose(self, where: str) -> Compiler | None:
        """The compiler for :attr:`CompileContext.compiler`; None where the build is to stop before it.

        Args:
            where: ``local``, ``docker:IMAGE`` or ``ssh:HOST``; ``none``; ``auto`` for local if it is there.

        Raises:
            UsageError: there is no such compiler. UnavailableError: this machine cannot reach it.
        """
        ...

    def reaching(self, directory: Path) -> tuple[str, ...]:
        """What an artifact tells its compiler by which that may write outside of it, a few words each.

        Raises:
            UsageError: the artifact is not of this target.
        """
        ...

    def finish(self, directory: Path, context: CompileContext) -> None:
        """Makes the product in a directory with the other files of an artifact, from these alone.

        Raises:
            UnavailableError: no compiler is set. ProcessError: it failed.
        """
        ...


class Runtimes(Protocol):
    """Ways to run an artifact; ``names`` are theirs, with a line of help each, the usual one first."""

    @property
    def names(self) -> Mapping[str, str]: ...

    def open(self, directory: Path, name: str, options: RuntimeOptions) -> Runtime:
        """One of ``names`` for an artifact directory.

        Raises:
            UnknownNameError: there is no such runtime. UnavailableError: this machine cannot run it.
        """
        ...


def emulations(target: Target) -> Mapping[str, str]:
    return target.emulator.names if target.emulator else {}


def runtime_names(target: Target) -> Mapping[str, str]:
    return target.runtimes.names if target.runtimes else {}


def product_of(target: Target) -> str:
    """The file that a compiler makes; empty for a target without one."""
    return target.compiler.product if target.compiler else ""


@contextlib.contextmanager
def naming(target: Target, doing: str) -> Iterator[None]:
    """Whatever the code of a target raises becomes a TargetError that names it; errors of ours stay as they are."""
    try:
        yield
    except (ConvertkitError, OSError, MemoryError):
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        raise TargetError(f"target {target.name}: {doing}: {reason}", hint="--debug shows where") from error


def answers(runtime: Runtime, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
    """What a runtime gives for one image; TargetError where that is not what :meth:`Runtime.run` promises."""
    outputs = runtime.run(inputs)
    if not isinstance(outputs, Mapping) or not all(hasattr(value, "dtype") for value in outputs.values()):
        raise TargetError(
            f"run of {type(runtime).__qualname__} returned {outputs!r:.60}", hint="return arrays by name"
        )
    return outputs


def leave(target: Target, model: LightModel, directory: Path, context: CompileContext) -> None:
    """Fills an empty directory with an artifact: ``model.onnx``, and what the target makes of it."""
    from convertkit.graph.io import save

    save(model, graph := directory / "model.onnx")
    written = graph.stat()
    with naming(target, "compile"):
        target.compile(model, directory, context)
    if not graph.is_file() or graph.stat().st_mtime_ns != written.st_mtime_ns:
        raise TargetError(f"target {target.name}: compile changed model.onnx", hint="write to another file")
    if taken := next(directory.glob("sample.*"), None):
        raise TargetError(
            f"target {target.name}: compile wrote {taken.name}", hint="a build has its own sample.*"
        )


def open_runtime(target: Target, directory: Path, name: str, options: RuntimeOptions) -> Runtime:
    """A runtime of the artifact by its name; without one the usual.

    Raises:
        UnknownNameError: the target has no such runtime.
    """
    if target.runtimes is None and name:
        raise UnknownNameError(f"runtime of {target.name}", name, ())
    with naming(target, "open"):
        if target.runtimes is None:
            return target.open(directory)
        return target.runtimes.open(directory, name or next(iter(target.runtimes.names)), options)


def emulate(target: Target, model: LightModel, name: str, variation: str, context: CompileContext) -> Runtime:
    """As :meth:`Emulator.emulate`; UsageError for a target without emulations."""
    if target.emulator is None:
        raise UsageError(f"target {target.name} has no emulation {name!r}")
    return target.emulator.emulate(model, name, variation, context)


def chosen_compiler(target: Target, where: str) -> Compiler | None:
    """As :meth:`ProductCompiler.choose`; UsageError where a target without a compiler is to have one."""
    if target.compiler is not None:
        return target.compiler.choose(where)
    if where != "auto":
        raise UsageError(f"--compiler {where}: target {target.name} needs no compiler", hint="leave it out")
    return None


def compiler_of(target: Target) -> ProductCompiler:
    if target.compiler is None:
        raise UsageError(f"target {target.name} leaves nothing to compile")
    return target.compiler


def linter_of(target: Target) -> Linter:
    if target.linter is None:
        raise UsageError(f"target {target.name} has no linter")
    return target.linter


def machine_of(target: Target, others: Iterable[Target] = ()) -> Machine:
    """``others``: named in the error where they have what this one has not."""
    if target.machine is None:
        able = ", ".join(other.name for other in others if other.machine is not None)
        raise UsageError(
            f"target {target.name} has no figures of its machine to estimate with",
            hint=f"give --target one of {able}" if able else None,
        )
    return target.machine


def timings_of(target: Target, results: Path) -> Timings:
    if target.tool is None:
        raise UsageError(f"target {target.name} has no runtime that leaves a record of its speed")
    with naming(target, "timings"):
        return target.tool.timings(results)


def tools_of(target: Target, others: Iterable[Target]) -> tuple[FileTool, ...]:
    """Its own tool; what a target without one makes may be run by the tool of any other."""
    found = (each.tool for each in ((target,) if target.tool else others))
    return tuple(dict.fromkeys(tool for tool in found if tool))
