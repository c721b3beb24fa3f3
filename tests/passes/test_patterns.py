"""Patterns by experiment: the example of docs/plugins.md on real exports, near-misses, and what a boundary may be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from convertkit.graph import domains
from convertkit.graph.graph import Graph, open_graph
from convertkit.graph.light import detach
from convertkit.passes.patterns import Pattern, PatternPass, gaps
from tests.conftest import Cli

REPOSITORY = Path(__file__).parents[2]
EXPORTS = REPOSITORY / "tests" / "exports"
FILES = ("torch-2.4.1/activations-11", "torch-2.4.1/activations-13", "torch-2.4.1/activations-14",
         "torch-2.13.0/activations-18", "torch-2.13.0/activations-20")  # fmt: skip
VALUES = np.linspace(-8, 8, 321)


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The plugin of the documentation, as a file; other tests of this process may have loaded it, too."""
    monkeypatch.setattr(domains, "_domains", {})
    blocks = re.findall(r"```python\n(.*?)```", (REPOSITORY / "docs/plugins.md").read_text(), re.DOTALL)
    path = tmp_path / "fuse_activations.py"
    path.write_text(next(block for block in blocks if "(PatternPass)" in block))
    return path


def test_the_example_is_under_sixty_lines(plugin: Path) -> None:
    assert len(plugin.read_text().splitlines()) < 60


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_every_spelling_of_the_exporters_becomes_one_node(cli: Cli, plugin: Path, name: str) -> None:
    words = ("opt", EXPORTS / f"{name}.onnx", "-p", "fuse-activations", "--plugin", plugin)

    said = cli(*words, "--explain", "fuse-activations")
    domains._domains.clear()  # a process of its own has it once
    done = cli(*words, "-o", "fused.onnx")

    assert (said.code, done.code) == (0, 0), said.err + done.err
    assert "4 matched, 2 refused" in said.out
    assert re.search(r"no Gelu\{approximate=none\} of \S+: differs by 0\.02 at x=-2\.25 ", said.out)
    assert re.search(r"no HardSwish of \S+: differs by 0\.14 at x=3 from the reference, at 'silu'", said.out)
    assert "not checked" not in done.out + done.err
    made = {
        node.output[0]: (node.op_type, *(attr.s for attr in node.attribute))
        for node in onnx.load("fused.onnx").graph.node
        if node.domain == "my.activations"
    }
    assert made == {
        "gelu": ("Gelu", b"none"),
        "gelu_tanh": ("Gelu", b"tanh"),
        "hardswish": ("HardSwish",),
        "hardswish_by_hand": ("HardSwish",),
    }


@pytest.mark.parametrize("name", FILES)
def test_the_exports_say_who_wrote_them(name: str) -> None:
    said = {item.key: item.value for item in onnx.load(EXPORTS / f"{name}.onnx").metadata_props}

    assert name.split("/")[0].replace("-", " ") in said["exporter"]
    assert said["script"] == "tests/exporters/of_activations.py"


def graph_of(*nodes: onnx.NodeProto, shape: Any = (2, 40), **constants: Any) -> Graph:
    """A graph from ``x`` to ``y``, both of one shape."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in "xy")
    held = [numpy_helper.from_array(np.float32(value), name) for name, value in constants.items()]
    graph = helper.make_graph(list(nodes), "g", [x], [y], held)
    imports = [helper.make_opsetid("", 13), helper.make_opsetid("a.domain", 1)]
    return open_graph(detach(helper.make_model(graph, opset_imports=imports, ir_version=8)))


def found(graph: Graph, *patterns: Pattern) -> list[tuple[str, str]]:
    class Fuse(PatternPass):
        """Under test."""

        name = "fuse"
        effect = "rounding"

    Fuse.patterns = patterns
    return [(item.status, item.why) for item in Fuse().rewrite(graph)]


def scaled(x: Any, slope: float) -> Any:
    return np.where(x > 0, x, slope * x)


SCALED = Pattern("Scaled", "a.domain", ("Max", "LeakyRelu"), scaled, VALUES, {"slope": None})
LEAKY = (helper.make_node("Mul", ["x", "s"], ["t"]), helper.make_node("Max", ["x", "t"], ["y"]))


@pytest.mark.parametrize("shape", [(2, 40), (1,), ("n", 40), ("n", "m"), (2, 400), ()])
def test_a_constant_of_the_region_becomes_an_attribute_whatever_the_shape(shape: Any) -> None:
    graph = graph_of(*LEAKY, shape=shape, s=0.125)

    ((status, why),) = found(graph, SCALED)

    assert (status, why) == ("matched", f"Scaled{{slope=0.125}} of x: equal on {why.split()[-2]} values")
    graph.tidy()
    (node,) = graph.nodes
    assert (node.op, node.domain, node.attrs) == ("Scaled", "a.domain", {"slope": 0.125})
    assert node.outputs[0].name == "y"


@pytest.mark.parametrize(
    ("slope", "status"), [(0.125, "matched"), (0.125 + 4e-6, "matched"), (0.13, "refused")]
)
def test_the_tolerance_is_of_the_largest_value(slope: float, status: str) -> None:
    fixed = Pattern("Scaled", "a.domain", ("Max",), scaled, VALUES, {"slope": (0.125,)})

    ((said, why),) = found(graph_of(*LEAKY, s=slope), fixed)

    assert said == status
    if status == "refused":
        assert why == "no Scaled{slope=0.125} of x: differs by 0.04 at x=-8 from the reference"


def test_one_place_that_computes_something_else_is_seen() -> None:
    slopes = np.full((1, 40), 0.125)
    slopes[0, 17] = 0.5

    assert found(graph_of(*LEAKY, s=slopes), Pattern(*("Scaled", "a.domain", ("Max",), scaled, VALUES),
                                                     {"slope": (0.125,)})) == []  # fmt: skip


@pytest.mark.parametrize(("most", "matches"), [(2, 1), (1, 0)])
def test_a_region_has_at_most_so_many_nodes(most: int, matches: int) -> None:
    pattern = Pattern("Scaled", "a.domain", ("Max",), scaled, VALUES, {"slope": (0.125,)}, most=most)

    assert len(found(graph_of(*LEAKY, s=0.125), pattern)) == matches


@pytest.mark.parametrize(("length", "matches"), [(4096, 1), (4097, 0)])
def test_a_region_with_weights_is_not_looked_at(length: int, matches: int) -> None:
    pattern = Pattern("Scaled", "a.domain", ("Max",), scaled, VALUES, {"slope": (0.125,)})

    assert len(found(graph_of(*LEAKY, shape=(length,), s=np.full(length, 0.125)), pattern)) == matches


def test_nothing_is_taken_for_a_match_without_a_value() -> None:
    assert found(graph_of(*LEAKY, shape=(0, 4), s=0.125), SCALED) == []


def test_several_inputs_are_what_the_author_says() -> None:
    """x * sigmoid(x), of x and what stands for the gate."""
    graph = graph_of(helper.make_node("Sigmoid", ["x"], ["g"]), helper.make_node("Mul", ["x", "g"], ["y"]))
    pattern = Pattern(
        "Gated", "a.domain", ("Mul",), lambda x, g: x * g, VALUES,
        boundary=lambda flow, end: [tuple(end.inputs[0].inputs)],
    )  # fmt: skip

    ((status, why),) = found(graph, pattern)

    assert (status, why.split(":")[0]) == ("matched", "Gated of x, g")
    assert [node.op for node in graph.nodes if node.domain == "a.domain"] == ["Gated"]


def test_a_norm_is_found_with_its_epsilon_and_leaves_scale_and_shift() -> None:
    """Written by hand as torch 2.4.1 spells LayerNorm at opset 13."""
    steps = [
        ("ReduceMean", ["x"], "m"), ("Sub", ["x", "m"], "d"), ("Pow", ["d", "two"], "q"), ("ReduceMean", ["q"], "v"),
        ("Add", ["v", "e"], "w"), ("Sqrt", ["w"], "r"), ("Div", ["d", "r"], "n"), ("Mul", ["n", "s"], "y"),
    ]  # fmt: skip
    nodes = [
        helper.make_node(op, inputs, [out], **({"axes": [-1]} if op == "ReduceMean" else {}))
        for op, inputs, out in steps
    ]
    pattern = Pattern("Norm", "a.domain", ("Div",), norm, np.random.default_rng(0).normal(0, 2, 999),
                      {"epsilon": None})  # fmt: skip
    graph = graph_of(*nodes, two=2, e=0.125, s=np.arange(40))

    ((status, why),) = found(graph, pattern)
    graph.tidy()

    assert (status, why.split(":")[0]) == ("matched", "Norm{epsilon=0.125} of x")
    assert [node.op for node in graph.nodes] == ["Norm", "Mul"]


def norm(x: Any, epsilon: float) -> Any:
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + epsilon)


def test_one_after_another_each_reads_the_node_before() -> None:
    nodes = [helper.make_node("LeakyRelu", [a], [b], alpha=0.125) for a, b in (("x", "t"), ("t", "y"))]
    pattern = Pattern("Scaled", "a.domain", ("LeakyRelu",), scaled, VALUES, {"slope": (0.125,)})
    graph = graph_of(*nodes)

    assert [status for status, _ in found(graph, pattern)] == ["matched"] * 2
    graph.tidy()

    assert [node.op for node in graph.nodes] == ["Scaled", "Scaled"]


def test_a_difference_that_is_no_number_is_infinite() -> None:
    assert gaps(np.array([1.0, np.nan]), np.array([2.0, 1.0])).tolist() == [0.5, np.inf]
