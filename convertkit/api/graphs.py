"""Graphs beyond edits of single nodes: shapes, values, data flow, regions cut out and run, subgraphs, operator domains,
and the record of what a pass has done to one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convertkit.api._door import door

if TYPE_CHECKING:
    from convertkit.errors import GraphError as GraphError
    from convertkit.graph.constants import is_initializer as is_initializer
    from convertkit.graph.constants import values_of as values_of
    from convertkit.graph.costs import Cost as Cost
    from convertkit.graph.costs import Operand as Operand
    from convertkit.graph.costs import Operation as Operation
    from convertkit.graph.domains import Domain as Domain
    from convertkit.graph.domains import index_outputs as index_outputs
    from convertkit.graph.flow import Flow as Flow
    from convertkit.graph.graph import Graph as Graph
    from convertkit.graph.graph import close_graph as close_graph
    from convertkit.graph.graph import open_graph as open_graph
    from convertkit.graph.input_shapes import free_inputs as free_inputs
    from convertkit.graph.input_shapes import parse_shapes as parse_shapes
    from convertkit.graph.input_shapes import remedy as remedy
    from convertkit.graph.input_shapes import texts_of as texts_of
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
    from convertkit.graph.opsets import opset_remedy as opset_remedy
    from convertkit.graph.opsets import opsets_of as opsets_of
    from convertkit.graph.pinning import set_sizes as set_sizes
    from convertkit.graph.pinning import with_sizes as with_sizes
    from convertkit.graph.region import LeakError as LeakError
    from convertkit.graph.region import Region as Region
    from convertkit.graph.region import cut as cut
    from convertkit.graph.session import open_session as open_session
    from convertkit.graph.shapes import annotate as annotate
    from convertkit.graph.shapes import inferred as inferred
    from convertkit.graph.shapes import restate_outputs as restate_outputs
    from convertkit.graph.shapes import static_shape as static_shape
    from convertkit.graph.validate import ONNX_ERRORS as ONNX_ERRORS
    from convertkit.graph.values import Bounds as Bounds
    from convertkit.graph.values import bounds as bounds
    from convertkit.graph.values import constant_value as constant_value
    from convertkit.passes.history import PassRecord as PassRecord
else:
    __getattr__, __dir__, __all__ = door(__name__, __file__)
