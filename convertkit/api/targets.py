"""What a target is written with: its description, what belongs to one compilation, and its capabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convertkit.api._door import door

if TYPE_CHECKING:
    from convertkit.errors import GraphError as GraphError
    from convertkit.errors import TargetError as TargetError
    from convertkit.errors import UnavailableError as UnavailableError
    from convertkit.errors import UsageError as UsageError
    from convertkit.graph.light import LightModel as LightModel
    from convertkit.offline.interface import Interface as Interface
    from convertkit.offline.interface import TensorInfo as TensorInfo
    from convertkit.offline.interface import read_interface as read_interface
    from convertkit.offline.runtime import OfflineRuntime as OfflineRuntime
    from convertkit.passes.base import Pass as Pass
    from convertkit.plugins.diagnosis import Diagnosis as Diagnosis
    from convertkit.plugins.hookspecs import hookimpl as hookimpl
    from convertkit.targets.base import Target as Target
    from convertkit.targets.capabilities import Emulator as Emulator
    from convertkit.targets.capabilities import Linter as Linter
    from convertkit.targets.capabilities import ProductCompiler as ProductCompiler
    from convertkit.targets.capabilities import Runtime as Runtime
    from convertkit.targets.capabilities import Runtimes as Runtimes
    from convertkit.targets.context import CompileContext as CompileContext
    from convertkit.targets.context import RuntimeOptions as RuntimeOptions
    from convertkit.targets.file_tool import FileTool as FileTool
    from convertkit.targets.lint import LintFinding as LintFinding
    from convertkit.targets.lint import LintReport as LintReport
    from convertkit.targets.lint import LintRule as LintRule
    from convertkit.targets.machine import Figure as Figure
    from convertkit.targets.machine import Fusion as Fusion
    from convertkit.targets.machine import Machine as Machine
    from convertkit.targets.mixed import MixedPrecision as MixedPrecision
    from convertkit.targets.pixels import Pixels as Pixels
    from convertkit.targets.sample import SampleCode as SampleCode
    from convertkit.targets.tensor_tool import Apart as Apart
    from convertkit.targets.tensor_tool import Measured as Measured
    from convertkit.targets.tensor_tool import Names as Names
    from convertkit.targets.tensor_tool import Place as Place
    from convertkit.targets.tensor_tool import TensorTool as TensorTool
    from convertkit.targets.timing import Timed as Timed
    from convertkit.targets.timing import Timings as Timings
else:
    __getattr__, __dir__, __all__ = door(__name__, __file__)
