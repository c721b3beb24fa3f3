"""Shapes and types of all tensors, for as long as a pass looks at a graph."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import convertkit
from convertkit_ascend.matching.nms.values import is_initializer
from convertkit_ascend.ops import register_schemas


@contextmanager
def annotated(graph: convertkit.Graph) -> Iterator[None]:
    """Annotates the graph; afterwards its old tensors say what they said before, so that nothing has changed."""
    tensors = [item for item in graph.surgeon.tensors().values() if not is_initializer(item)]
    before = [(item, item.dtype, item.shape) for item in tensors]
    register_schemas()
    try:
        convertkit.annotate(graph)
        yield
    finally:
        for item, dtype, shape in before:
            item.dtype, item.shape = dtype, shape
