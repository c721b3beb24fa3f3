"""The rules: small functions from a typed graph to what is wrong with it.

``RULES`` is the whole list. A later check of the graph (the silent traps of the vendor's parser, say) is one more
function here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from convertkit_ascend.legality.rules import (
    attributes,
    graph,
    names,
    operators,
    resize,
    shapes,
    types,
    vendor,
)
from convertkit_ascend.legality.view import View
from convertkit_ascend.legality.violation import Violation

Rule = Callable[[View], Iterator[Violation]]

RULES: tuple[Rule, ...] = (
    graph.valid,
    graph.opset,
    graph.interface,
    graph.subgraphs,
    names.node_names,
    names.initializer_names,
    names.tensors_written_once,
    operators.known,
    operators.engine,
    operators.limits,
    attributes.ignored,
    types.data_types,
    types.casts,
    types.mixed,
    types.outputs,
    shapes.static,
    shapes.not_empty,
    resize.rounding,
    vendor.limits,
    vendor.notes,
)
