"""Two graphs as text, and what is said to differ."""

from __future__ import annotations

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertkit.graph.difference.compare import Difference, difference
from convertkit.graph.difference.regions import Node
from convertkit.graph.light import LightModel, detach
from tests.graphtext import parse

CHAIN = """(float[2,3] x) => (float[2,3] y)
<float[3] w = {1, 2, 3}>
{
    a = Add(x, w)
    b = Relu(a)
    y = Sigmoid(b)
}"""

W = "float32[3] [1.0, 2.0, 3.0]"


def between(first: str, second: str, *, opset: int = 13) -> Difference:
    return difference(parse(first, opset=opset), parse(second, opset=opset))


def operators(nodes: tuple[Node, ...]) -> list[str]:
    return [node.op for node in nodes]


def test_a_graph_differs_in_nothing_from_itself() -> None:
    found = between(CHAIN, CHAIN)

    assert found.equal
    assert (found.same, found.renamed) == (3, 0)


def test_names_are_no_difference() -> None:
    found = between(
        CHAIN,
        """(float[2,3] x) => (float[2,3] y)
<float[3] weight = {1, 2, 3}>
{
    p = Add(x, weight)
    q = Relu(p)
    y = Sigmoid(q)
}""",
    )

    assert found.equal
    assert found.renamed == 2, "a and b"


def test_an_output_of_another_name_is_the_same_tensor_and_another_interface() -> None:
    found = between(CHAIN, CHAIN.replace("[2,3] y", "[2,3] z").replace("y =", "z ="))

    assert (found.same, found.renamed) == (3, 1)
    assert found.outputs == {"y": ("float32[2, 3]", ""), "z": ("", "float32[2, 3]")}
    assert not found.equal


def test_an_initializer_is_a_constant_like_another() -> None:
    node = CHAIN.replace("<float[3] w = {1, 2, 3}>\n", "").replace(
        "{\n", "{\n    w = Constant <value = float[3] {1, 2, 3}> ()\n"
    )

    assert between(CHAIN, node).equal


def test_a_node_that_was_put_in_is_added_alone() -> None:
    found = between(
        CHAIN, CHAIN.replace("Sigmoid(b)", "Sigmoid(c)").replace("    y", "    c = Neg(b)\n    y")
    )

    (region,) = found.regions
    assert (operators(region.removed), operators(region.added)) == ([], ["Neg"])
    assert (region.reads, region.gives) == (("b",), ("c",))
    assert (found.same, found.changed) == (3, ())


def test_what_took_the_place_of_others_is_one_region() -> None:
    found = between(
        CHAIN,
        """(float[2,3] x) => (float[2,3] y)
<float[3] w = {1, 2, 3}>
{
    a = Add(x, w)
    b, c = Split <axis = 1> (a)
    d = Concat <axis = 1> (b, c)
    y = Sigmoid(d)
}""",
    )

    (region,) = found.regions
    assert (operators(region.removed), operators(region.added)) == (["Relu"], ["Split", "Concat"])
    assert (region.reads, region.gives) == (("a",), ("b",))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("{1, 2, 3}", "{1, 2, 4}"), {"input 1": (W, "float32[3] [1.0, 2.0, 4.0]")}),
        (("float[3] w = {1, 2, 3}", "float[1] w = {1}"), {"input 1": (W, "float32[1] [1.0]")}),
        (("Relu(a)", "Relu(x)"), {"input 0": ("computed a", "computed x")}),
        (("Add(x, w)", "Add(w, x)"), {"input 0": ("computed x", W), "input 1": (W, "computed x")}),
    ],
)  # fmt: skip
def test_a_node_that_was_changed_is_found_again(
    change: tuple[str, str], what: dict[str, tuple[str, str]]
) -> None:
    found = between(CHAIN, CHAIN.replace(*change))

    assert [item.what for item in found.changed] == [what]
    assert (found.removed, found.added, found.same) == (0, 0, 2)


def test_an_attribute_is_said_as_it_was_and_is() -> None:
    chain = "(float[2,3] x) => (float[2,3] y) { a = LeakyRelu <alpha = 0.5> (x)  y = Neg(a) }"

    (changed,) = between(chain, chain.replace("0.5", "0.25")).changed

    assert changed.what == {"alpha": ("0.5", "0.25")}


def test_long_weights_are_told_by_how_far_they_are_apart() -> None:
    many = ", ".join(["1"] * 300)
    chain = f"(float[300] x) => (float[300] y) <float[300] w = {{{many}}}> {{ y = Mul(x, w) }}"

    (changed,) = between(chain, chain.replace("{1,", "{1.5,")).changed

    assert changed.what == {"input 1": ("float32[300]", "values differ by up to 0.5")}


def test_constants_of_another_type_are_told_by_it() -> None:
    sliced = "(float[4] x) => (float[2] y) <int64[1] s = {1}, int64[1] e = {3}> { y = Slice(x, s, e) }"

    (changed,) = between(sliced, sliced.replace("int64", "int32")).changed

    assert changed.what["input 1"] == ("int64[1]", "int32[1], same values")


def test_tensors_of_another_type_are_retyped_and_those_of_known_size_are_counted() -> None:
    counted = "(float[N,3] x) => (int64[N] y) { a = ArgMax <axis = 1, keepdims = 0> (x)  y = Neg(a) }"

    pinned = between(counted, counted.replace("[N", "[2"))
    cast = between(
        counted,
        """(float[N,3] x) => (int32[N] y)
    { a = ArgMax <axis = 1, keepdims = 0> (x)  b = Cast <to = 6> (a)  y = Neg(b) }""",
    )

    assert (pinned.retyped, pinned.sized) == ((), 3), "x, a and y"
    assert pinned.inputs == {"x": ("float32[?, 3]", "float32[2, 3]")}
    assert cast.outputs == {"y": ("int64[?]", "int32[?]")}
    assert [item.kinds for item in cast.retyped] == [("int64[?]", "int32[?]")]


def test_a_body_belongs_to_its_node_and_what_it_reads_to_its_inputs() -> None:
    branch = """(bool c, float[2] x) => (float[2] y)
    {
        a = Neg(x)
        y = If (c) <
            then_branch = one () => (float[2] t) { t = Relu(a) },
            else_branch = two () => (float[2] e) { e = Abs(a) }
        >
    }"""

    names = between(
        branch,
        branch.replace("a = Neg", "b = Neg")
        .replace("(a)", "(b)")
        .replace("float[2] t) { t =", "float[2] u) { u ="),
    )
    inner = between(branch, branch.replace("Abs(a)", "Exp(a)"))
    moved = between(branch, branch.replace("Relu(a)", "Relu(x)").replace("Abs(a)", "Abs(x)"))

    assert names.equal
    assert [set(item.what) for item in inner.changed] == [{"else_branch"}]
    assert [item.what for item in moved.changed] == [{"input 1": ("computed a", "computed x")}]


def test_graphs_that_have_nothing_in_common_share_no_node() -> None:
    found = between(CHAIN, "(int64[5] q) => (int64[5] r) { r = Neg(q) }")

    assert (found.same, found.removed, found.added) == (0, 3, 1)


def test_a_graph_of_another_opset_says_so() -> None:
    found = difference(parse(CHAIN, opset=13), parse(CHAIN, opset=14))

    assert found.opsets == {"": ("13", "14")}
    assert not found.equal


def test_nodes_that_are_numbered_alike_are_not_taken_for_one() -> None:
    """As one exporter numbers two nets of which one has a layer more."""
    first = """(float[2,3] x) => (float[2,3] y)
    { t1 = Relu(x)  t2 = Sigmoid(t1)  t3 = Relu(t2)  y = Tanh(t3) }"""
    second = """(float[2,3] x) => (float[2,3] y)
    { t1 = Neg(x)  t2 = Relu(t1)  t3 = Sigmoid(t2)  t4 = Relu(t3)  y = Tanh(t4) }"""

    found = between(first, second)

    (region,) = found.regions
    assert (operators(region.removed), operators(region.added)) == ([], ["Neg"])


UNARY = ("Relu", "Neg", "Abs", "Sigmoid", "Exp")


@st.composite
def nets(draw: st.DrawFn) -> onnx.ModelProto:
    """Nodes of one or two inputs; all results that nobody reads are outputs."""
    names, nodes, read = ["x"], [], set()
    for number in range(draw(st.integers(1, 12))):
        inputs = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2))
        op = draw(st.sampled_from(UNARY)) if len(inputs) == 1 else draw(st.sampled_from(["Add", "Mul"]))
        nodes.append(onnx.helper.make_node(op, inputs, [f"t{number}"]))
        names.append(f"t{number}")
        read |= set(inputs)
    outputs = [onnx.helper.make_tensor_value_info(name, 1, [3]) for name in names if name not in read]
    graph = onnx.helper.make_graph(nodes, "net", [onnx.helper.make_tensor_value_info("x", 1, [3])], outputs)
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)


def light(proto: onnx.ModelProto) -> LightModel:
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    return detach(copy)


@pytest.mark.slow
@given(nets(), st.randoms(use_true_random=False))
def test_other_names_and_another_order_are_never_a_difference(net: onnx.ModelProto, chance) -> None:
    twin = onnx.ModelProto()
    twin.CopyFrom(net)
    outputs = {value.name for value in net.graph.output}
    names = [name for node in net.graph.node for name in node.output if name not in outputs]
    inner = dict(
        zip(names, chance.sample([f"n{number}" for number in range(len(names))], len(names)), strict=True)
    )
    for node in twin.graph.node:
        node.input[:] = [inner.get(name, name) for name in node.input]
        node.output[:] = [inner.get(name, name) for name in node.output]
    waiting, known, order = list(twin.graph.node), {"x"}, []
    while waiting:
        node = chance.choice([node for node in waiting if known.issuperset(node.input)])
        waiting.remove(node)
        known.update(node.output)
        order.append(node)
    sorted_anew = [onnx.NodeProto.FromString(node.SerializeToString()) for node in order]
    del twin.graph.node[:]
    twin.graph.node.extend(sorted_anew)

    found = difference(light(net), light(twin))

    assert (found.removed, found.added, found.changed) == (0, 0, ())


@pytest.mark.slow
@given(nets(), nets())
def test_every_node_is_counted_once(first: onnx.ModelProto, second: onnx.ModelProto) -> None:
    found = difference(light(first), light(second))

    assert found.same + len(found.changed) + found.removed == found.nodes[0] == len(first.graph.node)
    assert found.same + len(found.changed) + found.added == found.nodes[1] == len(second.graph.node)


@pytest.mark.slow
@given(nets(), st.data())
def test_one_node_put_into_an_edge_is_all_that_is_added(net: onnx.ModelProto, data: st.DataObject) -> None:
    more = onnx.ModelProto()
    more.CopyFrom(net)
    place = data.draw(st.integers(0, len(net.graph.node) - 1))
    taken = more.graph.node[place].input[0]
    more.graph.node[place].input[0] = "put"
    put = onnx.helper.make_node("Softplus", [taken], ["put"])
    nodes = [*more.graph.node[:place], put, *more.graph.node[place:]]
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del more.graph.node[:]
    more.graph.node.extend(copies)

    found = difference(light(net), light(more))

    added = [node.op for region in found.regions for node in region.added]
    assert "Softplus" in added
    assert found.added - found.removed == 1
