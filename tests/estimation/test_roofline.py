"""The roofline over whole graphs, on a machine whose figures make the arithmetic easy."""

from __future__ import annotations

import math

import onnx
import pytest
from onnx import TensorProto, helper

from convertkit.api.graphs import Cost, Operation
from convertkit.api.passes import LightModel
from convertkit.api.targets import Figure, Machine
from convertkit.errors import GraphError
from convertkit.estimation.roofline import estimate
from convertkit.graph.domains import Domain
from convertkit.graph.light import detach
from convertkit.precision.costs import costs
from tests.graphtext import parse

MACHINE = Machine(
    name="toy",
    matrix=Figure("cube", 1000.0, "made up"),
    vector=Figure("vector", 10.0, "made up"),
    memory=Figure("DDR", 100.0, "made up"),
    float_bytes=2,
    other_memory=(Figure("DDR", 200.0, "a rumour"),),
)

RESNET50_GMACS = 4.09
"""Published for 224 x 224 (torchvision's table of weights, ``ResNet50_Weights``: 4.09 GFLOPS, counted as
multiply-adds); 2.048 M of them are the classifier."""


def test_every_node_takes_as_long_as_its_slowest_part() -> None:
    ones = ", ".join(["1"] * 80)
    model = parse(
        f"(float[4,8] x) => (float[4,10] y, float[10,4] z) <float[8,10] w = {{{ones}}}>"
        "{ p = MatMul(x, w) y = Relu(p) z = Transpose <perm = [1,0]> (y) }"
    )

    found = estimate(model, MACHINE)

    matmul, relu, transpose = found.rows
    assert (matmul.operations, matmul.bytes) == (640, 2 * (32 + 80 + 40))
    assert (matmul.bound, matmul.seconds) == ("DDR", pytest.approx(3.04))
    assert (relu.operations, relu.bytes) == (40, 160)
    assert (relu.bound, relu.seconds) == ("vector", pytest.approx(4.0))
    assert (transpose.operations, transpose.bound, transpose.seconds) == (0, "DDR", pytest.approx(1.6))
    assert found.seconds == pytest.approx(3.04 + 4.0 + 1.6)
    assert found.by_bound == {"DDR": pytest.approx(4.64), "vector": pytest.approx(4.0)}
    assert found.with_memory == {"a rumour": pytest.approx(1.52 + 4.0 + 0.8)}
    assert found.weight_bytes == 160
    assert found.least == pytest.approx(max(640 / 1000, 160 / 200))
    assert (found.input_bytes, found.output_bytes) == (4 * 32, 4 * (40 + 40))


def test_what_is_known_before_the_graph_runs_is_free() -> None:
    model = parse(
        "(float[4,8] x) => (float[32] y) <int64[1] one = {1}>"
        "{ s = Shape(x) t = Gather <axis = 0> (s, one) u = Mul(t, t) v = ReduceProd <keepdims = 1> (s)"
        "  y = Reshape(x, v) }"
    )

    found = estimate(model, MACHINE)

    assert found.rows == ()
    assert found.seconds == 0


def test_what_is_not_known_is_named_not_guessed() -> None:
    model = parse("(float[4,8] x) => (float[4,8] y, int64[2,m] w) { w = NonZero(x) y = Hardmax(x) }")

    found = estimate(model, MACHINE)

    assert [(item.op, item.why) for item in found.uncounted] == [
        ("NonZero", "no cost is known for the operator"),
        ("Hardmax", "no cost is known for the operator"),
    ]


def test_a_shape_that_depends_on_data_is_named() -> None:
    model = parse(
        "(float[1,5,4] b, float[1,1,5] s) => (int64[k,3] y) <int64[1] most = {5}>"
        "{ y = NonMaxSuppression(b, s, most) }"
    )

    (item,) = estimate(model, MACHINE).uncounted

    assert item.why == "y has no static shape"


def test_a_graph_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(GraphError, match="shapes do not fit"):
        estimate(parse("(float[4,8] x) => (float[4,8] y) { y = MatMul(x, x) }"), MACHINE)


def test_a_domain_brings_its_own_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    from convertkit.graph import domains

    def cost(node: Operation) -> Cost | None:
        return Cost("vector", 7, 1, 2, "luck") if node.op == "Toss" else None

    domain = Domain("toy.ops", lambda: None, lambda model: model, cost)
    monkeypatch.setattr(domains, "_domains", {"toy.ops": domain})
    model = parse(
        "(float[4] x) => (float[4] y, float[4] z) { y = toy.ops.Toss(x) z = toy.ops.Roll(x) }",
        domains=["toy.ops"],
    )

    found = estimate(model, MACHINE)

    assert [(row.op, row.operations, row.bytes) for row in found.rows] == [("Toss", 7, 3)]
    assert found.left_out == ("luck",)
    assert [(item.op, item.why) for item in found.uncounted] == [
        ("Roll", "no cost is known for the operator")
    ]


def test_what_a_node_costs_in_fp32_is_not_known_where_it_is_not_counted() -> None:
    model = parse("(float[4] x) => (float[4] y) { a = Neg(x) b = Gelu(a) y = Abs(b) }")
    for node in model.proto.graph.node:
        node.name = node.op_type

    found = costs(model, MACHINE, None)

    assert found is not None and found["Gelu"] is None and found["Neg"] is not None


def test_a_sum_counts_every_term_and_a_hard_swish_its_four_steps() -> None:
    model = parse("(float[4] x) => (float[4] y) { a = Sum(x, x, x) y = HardSwish(a) }")

    found = estimate(model, MACHINE)

    assert found.complete and [(row.op, row.operations) for row in found.rows] == [
        ("Sum", 8),
        ("HardSwish", 16),
    ]


def test_resnet_50_has_its_published_operations() -> None:
    found = estimate(resnet50(224), MACHINE)

    assert found.matrix_operations / 2e9 == pytest.approx(RESNET50_GMACS - 0.002048, abs=0.005)
    assert len([row for row in found.rows if row.op == "Conv"]) == 53


def resnet50(edge: int) -> LightModel:
    """The convolutions of ResNet-50 without its classifier: stride 2 in the 3 x 3 of a stage's first block."""
    graph = _Stack(3, edge)
    graph.conv(64, 7, 2)
    graph.edge //= 2  # the max pooling, which has no products
    for stage, (blocks, width) in enumerate(zip((3, 4, 6, 3), (64, 128, 256, 512), strict=True)):
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            entry, size = graph.channels, graph.edge
            graph.conv(width, 1, 1)
            graph.conv(width, 3, stride)
            graph.conv(4 * width, 1, 1)
            if not block:
                inner, graph.channels, graph.edge = (graph.channels, graph.edge), entry, size
                graph.conv(4 * width, 1, stride)
                graph.channels, graph.edge = inner
    return graph.model()


class _Stack:
    """Convolutions of given sizes side by side; only their shapes matter."""

    def __init__(self, channels: int, edge: int) -> None:
        self.channels, self.edge = channels, edge
        self.nodes: list[onnx.NodeProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []

    def conv(self, channels: int, kernel: int, stride: int) -> None:
        name = f"c{len(self.nodes)}"
        after = math.ceil(self.edge / stride)
        shapes = {
            f"{name}_x": [1, self.channels, self.edge, self.edge],
            f"{name}_w": [channels, self.channels, kernel, kernel],
        }
        pads, strides = [kernel // 2] * 4, [stride] * 2
        self.nodes.append(helper.make_node("Conv", list(shapes), [name], name, pads=pads, strides=strides))
        self.inputs += [
            helper.make_tensor_value_info(key, TensorProto.FLOAT, dims) for key, dims in shapes.items()
        ]
        output = [1, channels, after, after]
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, output))
        self.channels, self.edge = channels, after

    def model(self) -> LightModel:
        graph = helper.make_graph(self.nodes, "resnet", self.inputs, self.outputs)
        return detach(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8))
