"""Small random graphs; needs hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper

from convertkit.graph.light import LightModel, detach
from convertkit.passes.testing.corpus import Sample
from convertkit.passes.testing.steps import STEPS, Builder, Sized, with_constant
from convertkit.passes.testing.text import show

KINDS = {"i": TensorProto.INT64, "f": TensorProto.FLOAT}


@dataclass(frozen=True)
class Case:
    """A random graph and inputs for it."""

    model: LightModel
    feeds: dict[str, NDArray[Any]]

    def __repr__(self) -> str:
        return f"Case(\n{show(self.model)}\n{self.feeds})"


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Graphs of up to eight steps with inputs ``x`` (2, 3) float32 and ``n`` (4,) int64, at opsets 12 to 16."""
    number = st.integers(0, 99)
    graph = Builder(draw(st.integers(12, 16)), ints=[("n", (4,))], floats=[("x", (2, 3))])
    for step in draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=8)):
        step(graph, draw(number), draw(number), draw(number))
    made = {name for node in graph.nodes for name in node.output}
    results = [(item, "i") for item in graph.ints if item[0] in made]
    results += [(item, "f") for item in (*graph.floats, *graph.sums) if item[0] in made]
    if not results:
        with_constant(graph, 0, 0, 0)
        results = [(graph.ints[-1], "i")]
    chosen = draw(st.lists(st.sampled_from(results), min_size=1, max_size=4, unique=True))
    chosen = list(dict.fromkeys([*chosen, results[-1]]))
    feeds: dict[str, NDArray[Any]] = {
        "x": np.array(draw(st.lists(st.integers(-5, 5), min_size=6, max_size=6)), np.float32).reshape(2, 3),
        "n": np.array(draw(st.lists(st.integers(-60, 60), min_size=4, max_size=4)), np.int64),
    }
    return Case(_finish(graph, chosen), feeds)


def first_complaint(judge: Callable[[Sample], str], examples: int) -> str:
    """What ``judge`` says of the smallest graph of which it says something, and that graph; the same in every run."""

    def holds(case: Case) -> None:
        if complaint := judge(Sample("random", case.model, (case.feeds,))):
            raise _Broken(f"{complaint}\n{case!r}")

    limits = settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        limits(given(cases())(holds))()
    except _Broken as error:
        return str(error)
    return ""


class _Broken(Exception):
    """A rule fails on a graph that was made."""


def _finish(graph: Builder, results: list[tuple[Sized, str]]) -> LightModel:
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, (2, 3)),
        helper.make_tensor_value_info("n", TensorProto.INT64, (4,)),
    ]
    values = [helper.make_tensor_value_info(name, KINDS[kind], shape) for (name, shape), kind in results]
    proto = helper.make_graph(graph.nodes, "random", inputs, values, graph.initializers)
    return detach(
        helper.make_model(proto, opset_imports=[helper.make_opsetid("", graph.opset)], ir_version=8)
    )
