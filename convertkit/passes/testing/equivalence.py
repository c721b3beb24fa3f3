"""Two graphs held against each other as the pipeline holds a graph against what a pass made of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_args

import onnx

from convertkit.errors import ConvertkitError, PassError, UsageError, suggestion
from convertkit.graph.light import LightModel, detach
from convertkit.graph.pinning import with_sizes
from convertkit.graph.random_inputs import random_inputs
from convertkit.graph.session import Arrays
from convertkit.passes.base import Effect, Pass
from convertkit.passes.check import Checker
from convertkit.passes.roles import named_roles
from convertkit.passes.testing.text import parse, show

if TYPE_CHECKING:
    from convertkit.passes.history import CheckRecord

SAMPLES = 2
"""Random inputs that a graph is run on, where nobody gives any."""

MOST_NODES = 40
"""Larger graphs are not printed."""

Graph = LightModel | onnx.ModelProto | str
"""A model in either form, or a text as :func:`~convertkit.passes.testing.text.parse` reads it."""


class _Claimed(Pass):
    """Stand for whatever made one graph of another."""

    name = "the-rewrite"


class _Exact(_Claimed):
    """Claim the same bits."""

    effect = "exact"


class _Rounding(_Claimed):
    """Claim the same mathematics."""

    effect = "rounding"


class _Semantic(_Claimed):
    """Claim a valid graph of the same interface."""

    effect = "semantic"


_CLAIMS = {cls.effect: cls for cls in (_Exact, _Rounding, _Semantic)}


def assert_equivalent(
    before: Graph, after: Graph, effect: Effect = "exact", *, inputs: Sequence[Arrays] = (), opset: int = 17
) -> CheckRecord:
    """Asserts that ``after`` computes what ``before`` does, by the check that the pipeline runs after every pass.

    Args:
        before: the graph as it was.
        after: what was made of it.
        effect: what may change, as a pass declares it.
        inputs: graph inputs by name, a mapping for each run; random ones that fit the graph where there are none.
        opset: of graphs that are given as text.

    Returns:
        what was compared, and the largest difference.

    Raises:
        AssertionError: a graph is not valid, an output differs by more than ``effect`` allows, or there was nothing to
            compare.
        UsageError: there is no such effect, or a text is no graph.
    """
    if effect not in _CLAIMS:
        raise UsageError(f"unknown effect {effect!r}", hint=suggestion(effect, get_args(Effect)))
    old, new = as_model(before, opset), as_model(after, opset)
    try:
        record = held(_CLAIMS[effect](), old, new, inputs)
    except ConvertkitError as error:
        raise AssertionError(f"{error.message}\n{_pair(old, new)}") from error
    if record.unchecked:
        raise AssertionError(f"nothing says that the graphs are equivalent: {record.unchecked}")
    return record


def held(step: Pass, before: LightModel, after: LightModel, inputs: Sequence[Arrays] = ()) -> CheckRecord:
    """What the pipeline's check says of a step; random inputs are of the sizes that it sets.

    Raises:
        PassError: the step does not keep what it declares. GraphError: ``before`` has no random inputs.
    """
    samples = inputs or made_inputs(step, before)
    checker = Checker(samples, named_roles(before))
    try:
        return checker.check(step, before, after, changed=True)
    except PassError as error:
        raise PassError(f"{step.name}: {error.message}", hint=error.hint) from error


def made_inputs(step: Pass, model: LightModel) -> list[Arrays]:
    """Random inputs that a graph runs on."""
    sized = with_sizes(model, shapes) if (shapes := step.input_shapes()) else model
    return [random_inputs(sized, seed) for seed in range(SAMPLES)]


def as_model(graph: Graph | Any, opset: int = 17) -> LightModel:
    """A graph in the form that passes and checks take.

    Raises:
        UsageError: it is none, or a text that is no graph.
    """
    if isinstance(graph, LightModel):
        return graph
    if isinstance(graph, str):
        return parse(graph, opset=opset)
    if not isinstance(graph, onnx.ModelProto):
        kind = type(graph).__name__
        raise UsageError(f"a graph is a LightModel, a ModelProto or a text, not {kind}", hint="load(path)")
    copy = onnx.ModelProto()
    copy.CopyFrom(graph)
    return detach(copy)


def _pair(before: LightModel, after: LightModel) -> str:
    if len(before.proto.graph.node) > MOST_NODES:
        return ""
    return f"before:\n{show(before)}\nafter:\n{show(after)}"
