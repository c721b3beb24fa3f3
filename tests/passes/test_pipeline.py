from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

from convertkit.api.errors import ConvertkitError
from convertkit.api.passes import Graph, GraphPass
from convertkit.errors import PassError, UsageError
from convertkit.graph.light import detach
from convertkit.passes.base import Pass
from convertkit.passes.check import Checker
from convertkit.passes.pipeline import Pipeline
from convertkit.registry import Registry
from tests.graphtext import apply
from tests.tiny import tiny_model

SAMPLE = {"image": np.random.default_rng(3).standard_normal((1, 3, 8, 8)).astype(np.float32)}


class DropRelu(GraphPass):
    """Remove Relu nodes, which is not exact at all."""

    name = "drop-relu"
    effect = "exact"

    def run(self, graph: Graph) -> None:
        for node in graph.find("Relu"):
            graph.bypass(node)


class DropReluHonestly(DropRelu):
    """Remove Relu nodes and say that this changes the result."""

    name = "drop-relu-honestly"
    effect = "semantic"
    requires: ClassVar[tuple[str, ...]] = ("nothing",)


class Nothing(GraphPass):
    """Leave the graph as it is."""

    name = "nothing"
    effect = "exact"

    def run(self, graph: Graph) -> None:
        pass


class Breaks(GraphPass):
    """Leave a graph with a dangling input."""

    name = "breaks"
    effect = "exact"
    after: ClassVar[tuple[str, ...]] = ("nothing",)
    before: ClassVar[tuple[str, ...]] = ("drop-relu",)

    def run(self, graph: Graph) -> None:
        node = next(graph.find("Conv"))
        node.op = "NoSuchOperator"


class Crashes(GraphPass):
    """Raise something unexpected."""

    name = "crashes"
    effect = "exact"

    def run(self, graph: Graph) -> None:
        raise KeyError("oops")


def registry() -> Registry[type[Pass]]:
    known: Registry[type[Pass]] = Registry("pass")
    for cls in (DropRelu, DropReluHonestly, Nothing, Breaks, Crashes):
        known.add(cls.name, cls, plugin="test")
    return known


def pipeline(*texts: str) -> Pipeline:
    return Pipeline.parse(texts, registry())


def test_a_record_says_what_changed() -> None:
    _, records = pipeline("nothing", "drop-relu").run(detach(tiny_model()))

    nothing, drop = records
    assert (nothing.changed, nothing.ops_added, nothing.ops_removed) == (False, {}, {})
    assert (drop.changed, drop.nodes_before, drop.nodes_after, drop.ops_removed) == (True, 6, 5, {"Relu": 1})


def test_an_effect_that_does_not_hold_is_an_error_that_names_the_passes_before() -> None:
    with pytest.raises(PassError) as caught:
        pipeline("nothing", "drop-relu").run(detach(tiny_model()), checker=Checker([SAMPLE]))

    line = str(caught.value)
    assert line.startswith(
        "pass drop-relu (after nothing): it declares effect exact but output 0 changes by up to"
    )


def test_a_semantic_pass_is_measured_but_not_refused() -> None:
    _, records = pipeline("nothing", "drop-relu-honestly").run(
        detach(tiny_model()), checker=Checker([SAMPLE])
    )

    check = records[-1].check
    assert check is not None
    assert check.samples == 1
    assert check.max_error is not None
    assert check.max_error > 0.1


def test_an_invalid_graph_is_an_error_even_without_samples() -> None:
    with pytest.raises(PassError, match=r"pass breaks: it left a graph that does not hold: .*NoSuchOperator"):
        pipeline("breaks").run(detach(tiny_model()), checker=Checker([]))


def test_an_exception_in_a_pass_names_it() -> None:
    with pytest.raises(PassError, match=r"pass crashes \(after nothing\): KeyError: 'oops'"):
        pipeline("nothing", "crashes").run(detach(tiny_model()))


@pytest.mark.parametrize(
    ("texts", "line"),
    [
        (["drop-relu-honestly"], "pass drop-relu-honestly requires nothing before it"),
        (["drop-relu-honestly", "nothing"], "pass drop-relu-honestly requires nothing before it"),
        (["breaks", "nothing"], "pass breaks must come after nothing"),
        (["drop-relu", "breaks"], "pass breaks must come before drop-relu"),
        (["nothign"], "unknown pass 'nothign' (did you mean 'nothing'?"),
    ],
)
def test_a_broken_order_is_refused_before_anything_runs(texts: list[str], line: str) -> None:
    with pytest.raises(UsageError if "unknown" not in line else ConvertkitError) as caught:
        pipeline(*texts)

    assert line in str(caught.value)


def test_the_text_of_a_pipeline_reads_back() -> None:
    first = pipeline("nothing", "drop-relu")

    assert Pipeline.parse(first.text.split(","), registry()) == first


def test_added_nodes_say_which_pass_they_are_from() -> None:
    """A compiler's message about an operator type must not mean a node of ours."""

    class AddRelu(GraphPass):
        """Add one."""

        name = "add-relu"
        effect = "semantic"

        def run(self, graph: Graph) -> None:
            added = graph.add("Relu", [graph.inputs[0]], dtype="float32", shape=[2])
            graph.replace(graph.outputs[0], added)

    after = apply(AddRelu(), "(float[2] x) => (float[2] y) { y = Neg (x) }")

    assert [node.name for node in after.proto.graph.node] == ["add-relu/Relu"]
