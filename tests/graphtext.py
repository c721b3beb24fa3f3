"""Graphs as text at opset 11, at which most of our graphs are written."""

from __future__ import annotations

import textwrap
from functools import partial

from onnx import numpy_helper

from convertkit.api import testing
from convertkit.api.testing import LightModel

parse, show = partial(testing.parse, opset=11), partial(testing.show, opset=11)
apply, rewritten = partial(testing.apply, opset=11), partial(testing.rewritten, opset=11)


def as_exported(model: LightModel) -> LightModel:
    """The graph with its initializers as exporters write them: reading one then does not change the file."""
    for item in model.proto.graph.initializer:
        item.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(item), item.name))
    return model


def text(value: str) -> str:
    """A literal text with its indentation removed."""
    return textwrap.dedent(value).strip()
