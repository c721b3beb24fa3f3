"""What a difference inside a graph does to its outputs: the rest is run with the other values put in.

Inner tensors may differ without harm (rows that nobody reads, slots of a list that are empty); a part of a graph is to
blame only where its difference, alone, makes the outputs leave tolerance.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import onnx

from convertkit.bisection.attempt import Named, judge
from convertkit.detection.roles import Roles
from convertkit.graph.light import LightModel
from convertkit.graph.session import Arrays
from convertkit.passes.check import Checker
from convertkit.passes.running import Opener, Outputs, Run
from convertkit.passes.stages import Stage

if TYPE_CHECKING:
    from convertkit.passes.base import Pass


class Consequences:
    """Puts other values into one graph, on one sample.

    Args:
        step: decides the tolerance.
        roles: what the graph's outputs mean.
    """

    def __init__(self, step: Pass, model: LightModel, inputs: Arrays, roles: Roles, opener: Opener) -> None:
        self._step, self._model, self._inputs, self._roles = step, model, dict(inputs), roles
        self._opener = opener
        self._expected: Outputs | None = None

    def of(self, expected: Named, got: Named) -> str | None:
        """How the outputs differ with ``got`` in place of ``expected``; None where they hold.

        Raises:
            GraphError: the graph itself does not hold.
        """
        if self._expected is None:
            self._expected = self._opener(self._model)(self._inputs)
        values = {name: got[name].astype(value.dtype) for name, value in expected.items() if name in got}
        patched = put_in(self._model, values)
        feeds = {**self._inputs, **{_given(name): value for name, value in values.items()}}

        def known(model: LightModel) -> Run:
            return lambda sample: self._opener(model)(feeds) if model is patched else self._expected or ()

        stage = Stage(self._step, self._model, patched)
        failure, _ = judge(stage, Checker([self._inputs], self._roles, known, probes=False))
        return None if failure is None else failure.why


def put_in(model: LightModel, values: Named) -> LightModel:
    """The graph with some inner tensors (or outputs) taken from new inputs ``given:NAME`` instead of computed."""
    proto = deepcopy(model.proto)
    for node in proto.graph.node:
        for index, name in enumerate(node.output):
            if name in values:
                node.output[index] = f"computed:{name}"
    for name, value in values.items():
        kind = onnx.helper.np_dtype_to_tensor_dtype(value.dtype)
        proto.graph.input.append(onnx.helper.make_tensor_value_info(_given(name), kind, value.shape))
    nodes = [onnx.helper.make_node("Identity", [_given(name)], [name]) for name in values]
    nodes += list(proto.graph.node)
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
    return LightModel(proto, model.weights)


def _given(name: str) -> str:
    return f"given:{name}"
