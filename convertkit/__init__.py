"""Turn trained detection models into verified artifacts for accelerators.

This is the one public door: plugins (passes, targets, model packages) import ``convertkit`` and nothing below
it. Names are loaded on first use, so that ``import convertkit`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOMES = {
    "ConvertkitError": "errors",
    "GraphError": "errors",
    "PassError": "errors",
    "PluginError": "errors",
    "ProcessError": "errors",
    "SpecError": "errors",
    "UnavailableError": "errors",
    "UsageError": "errors",
    "hookimpl": "hookspecs",
    "Graph": "graph.graph",
    "LightModel": "graph.light",
    "GraphPass": "passes.base",
    "IrPass": "passes.base",
    "LightPass": "passes.base",
    "ModelPass": "passes.base",
    "Pass": "passes.base",
}

if TYPE_CHECKING:
    from convertkit.errors import ConvertkitError as ConvertkitError
    from convertkit.errors import GraphError as GraphError
    from convertkit.errors import PassError as PassError
    from convertkit.errors import PluginError as PluginError
    from convertkit.errors import ProcessError as ProcessError
    from convertkit.errors import SpecError as SpecError
    from convertkit.errors import UnavailableError as UnavailableError
    from convertkit.errors import UsageError as UsageError
    from convertkit.graph.graph import Graph as Graph
    from convertkit.graph.light import LightModel as LightModel
    from convertkit.hookspecs import hookimpl as hookimpl
    from convertkit.passes.base import GraphPass as GraphPass
    from convertkit.passes.base import IrPass as IrPass
    from convertkit.passes.base import LightPass as LightPass
    from convertkit.passes.base import ModelPass as ModelPass
    from convertkit.passes.base import Pass as Pass

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'convertkit' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"convertkit.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
