"""What a pass is written with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convertkit.api._door import door

if TYPE_CHECKING:
    from convertkit.errors import GraphError as GraphError
    from convertkit.errors import PassError as PassError
    from convertkit.errors import UsageError as UsageError
    from convertkit.graph.finding import Finding as Finding
    from convertkit.graph.graph import Graph as Graph
    from convertkit.graph.light import LightModel as LightModel
    from convertkit.passes.base import GraphPass as GraphPass
    from convertkit.passes.base import IrPass as IrPass
    from convertkit.passes.base import LightPass as LightPass
    from convertkit.passes.base import ModelPass as ModelPass
    from convertkit.passes.base import Pass as Pass
    from convertkit.passes.rewriting import RewritingPass as RewritingPass
    from convertkit.plugins.hookspecs import hookimpl as hookimpl
else:
    __getattr__, __dir__, __all__ = door(__name__, __file__)
