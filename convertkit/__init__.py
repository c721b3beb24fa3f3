"""Turn trained detection models into verified artifacts for accelerators.

This is the one public door: plugins (passes, targets, model packages) import ``convertkit``, the parts in
``convertkit.api``, and nothing else below. Names are loaded on first use, so that ``import convertkit`` costs next to
nothing.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

# onnxruntime 1.29 and later reports models (names, hashes of graph and weights) to its maker unless told not to,
# at import. Whoever wants that sets the variable to something else.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_NAMES = {
    "children.answers": "answer",
    "children.dialogue": "Dialogue",
    "children.limits": "Limits",
    "children.process": "ChildError run_child usable_processors",
    "detection.boxes": "clip iou",
    "detection.letterbox": "letterbox pad_pixel unletterbox_boxes",
    "detection.masks": "paste",
    "detection.settings": "PostprocessSpec PreprocessSpec",
    "detection.types": "Detections Placement RLE",
    "errors": (
        "ConvertkitError GraphError PassError PluginError ProcessError SpecError "
        "UnavailableError UnknownNameError UsageError nearest suggestion"
    ),
    "graph.costs": "Cost Operand Operation",
    "graph.domains": "Domain index_outputs",
    "graph.flow": "Flow",
    "graph.graph": "Graph close_graph open_graph",
    "graph.io": "load save",
    "graph.light": "LightModel detach take_defaults weight_key weights_as_inputs",
    "graph.nested": "bodies every_graph every_node names_read",
    "graph.region": "LeakError Region cut",
    "graph.session": "open_session",
    "graph.shapes": "annotate inferred static_shape",
    "graph.validate": "ONNX_ERRORS",
    "graph.values": "Bounds bounds constant_value is_initializer",
    "models.base": "Model",
    "offline.interface": "Interface TensorInfo read_interface",
    "offline.runtime": "OfflineRuntime",
    "passes.base": "GraphPass IrPass LightPass ModelPass Pass",
    "passes.finding": "Finding",
    "passes.history": "PassRecord",
    "passes.rewriting": "RewritingPass",
    "plugins.diagnosis": "Diagnosis",
    "plugins.hookspecs": "hookimpl",
    "storage.failures": "keep_failure",
    "storage.files": "atomic_directory home scratch_directory work_directory",
    "storage.reading": "read_file",
    "targets.base": "Target",
    "targets.capabilities": "Runtime",
    "targets.context": "CompileContext RuntimeOptions",
    "targets.lint": "LintFinding LintReport LintRule",
    "targets.machine": "Figure Machine",
    "targets.pixels": "Pixels",
    "targets.timing": "Timed Timings",
}
"""What each module has for plugins."""

_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}

if TYPE_CHECKING:
    from convertkit.children.answers import answer as answer
    from convertkit.children.dialogue import Dialogue as Dialogue
    from convertkit.children.limits import Limits as Limits
    from convertkit.children.process import ChildError as ChildError
    from convertkit.children.process import run_child as run_child
    from convertkit.children.process import usable_processors as usable_processors
    from convertkit.detection.boxes import clip as clip
    from convertkit.detection.boxes import iou as iou
    from convertkit.detection.letterbox import letterbox as letterbox
    from convertkit.detection.letterbox import pad_pixel as pad_pixel
    from convertkit.detection.letterbox import unletterbox_boxes as unletterbox_boxes
    from convertkit.detection.masks import paste as paste
    from convertkit.detection.settings import PostprocessSpec as PostprocessSpec
    from convertkit.detection.settings import PreprocessSpec as PreprocessSpec
    from convertkit.detection.types import RLE as RLE
    from convertkit.detection.types import Detections as Detections
    from convertkit.detection.types import Placement as Placement
    from convertkit.errors import ConvertkitError as ConvertkitError
    from convertkit.errors import GraphError as GraphError
    from convertkit.errors import PassError as PassError
    from convertkit.errors import PluginError as PluginError
    from convertkit.errors import ProcessError as ProcessError
    from convertkit.errors import SpecError as SpecError
    from convertkit.errors import UnavailableError as UnavailableError
    from convertkit.errors import UnknownNameError as UnknownNameError
    from convertkit.errors import UsageError as UsageError
    from convertkit.errors import nearest as nearest
    from convertkit.errors import suggestion as suggestion
    from convertkit.graph.costs import Cost as Cost
    from convertkit.graph.costs import Operand as Operand
    from convertkit.graph.costs import Operation as Operation
    from convertkit.graph.domains import Domain as Domain
    from convertkit.graph.domains import index_outputs as index_outputs
    from convertkit.graph.flow import Flow as Flow
    from convertkit.graph.graph import Graph as Graph
    from convertkit.graph.graph import close_graph as close_graph
    from convertkit.graph.graph import open_graph as open_graph
    from convertkit.graph.io import load as load
    from convertkit.graph.io import save as save
    from convertkit.graph.light import LightModel as LightModel
    from convertkit.graph.light import detach as detach
    from convertkit.graph.light import take_defaults as take_defaults
    from convertkit.graph.light import weight_key as weight_key
    from convertkit.graph.light import weights_as_inputs as weights_as_inputs
    from convertkit.graph.nested import bodies as bodies
    from convertkit.graph.nested import every_graph as every_graph
    from convertkit.graph.nested import every_node as every_node
    from convertkit.graph.nested import names_read as names_read
    from convertkit.graph.region import LeakError as LeakError
    from convertkit.graph.region import Region as Region
    from convertkit.graph.region import cut as cut
    from convertkit.graph.session import open_session as open_session
    from convertkit.graph.shapes import annotate as annotate
    from convertkit.graph.shapes import inferred as inferred
    from convertkit.graph.shapes import static_shape as static_shape
    from convertkit.graph.validate import ONNX_ERRORS as ONNX_ERRORS
    from convertkit.graph.values import Bounds as Bounds
    from convertkit.graph.values import bounds as bounds
    from convertkit.graph.values import constant_value as constant_value
    from convertkit.graph.values import is_initializer as is_initializer
    from convertkit.models.base import Model as Model
    from convertkit.offline.interface import Interface as Interface
    from convertkit.offline.interface import TensorInfo as TensorInfo
    from convertkit.offline.interface import read_interface as read_interface
    from convertkit.offline.runtime import OfflineRuntime as OfflineRuntime
    from convertkit.passes.base import GraphPass as GraphPass
    from convertkit.passes.base import IrPass as IrPass
    from convertkit.passes.base import LightPass as LightPass
    from convertkit.passes.base import ModelPass as ModelPass
    from convertkit.passes.base import Pass as Pass
    from convertkit.passes.finding import Finding as Finding
    from convertkit.passes.history import PassRecord as PassRecord
    from convertkit.passes.rewriting import RewritingPass as RewritingPass
    from convertkit.plugins.diagnosis import Diagnosis as Diagnosis
    from convertkit.plugins.hookspecs import hookimpl as hookimpl
    from convertkit.storage.failures import keep_failure as keep_failure
    from convertkit.storage.files import atomic_directory as atomic_directory
    from convertkit.storage.files import home as home
    from convertkit.storage.files import scratch_directory as scratch_directory
    from convertkit.storage.files import work_directory as work_directory
    from convertkit.storage.reading import read_file as read_file
    from convertkit.targets.base import Target as Target
    from convertkit.targets.capabilities import Runtime as Runtime
    from convertkit.targets.context import CompileContext as CompileContext
    from convertkit.targets.context import RuntimeOptions as RuntimeOptions
    from convertkit.targets.lint import LintFinding as LintFinding
    from convertkit.targets.lint import LintReport as LintReport
    from convertkit.targets.lint import LintRule as LintRule
    from convertkit.targets.machine import Figure as Figure
    from convertkit.targets.machine import Machine as Machine
    from convertkit.targets.pixels import Pixels as Pixels
    from convertkit.targets.timing import Timed as Timed
    from convertkit.targets.timing import Timings as Timings

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'convertkit' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"convertkit.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*_HOMES, *(name for name in globals() if name.startswith("__"))})
