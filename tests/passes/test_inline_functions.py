"""``inline-functions``: calls become nodes, and nothing grows beyond bounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from convertkit_passes.inline_functions import MOST_NODES, InlineFunctions

from convertkit.api.graphs import load, open_session
from convertkit.errors import UnknownNameError
from convertkit.graph.light import detach
from tests.graphtext import apply, show, text

HEADER = '<ir_version: 8, opset_import: ["" : 17, "own" : 1, "other" : 1]>'

TWO = """agraph (float[N] x) => (float[N] y) {
    a = own.twice <by = 3> (x)
    y = other.clipped (a)
}
<opset_import: ["" : 17, "other" : 1], domain: "own"> twice <by> (p) => (q) {
    factor = Constant <value_int: int = @by> ()
    wide = Cast <to = 1> (factor)
    r = other.clipped (p)
    q = Mul (r, wide)
}
<opset_import: ["" : 17], domain: "other"> clipped (p) => (q) { q = Relu (p) }
"""


def model(body=TWO):
    return detach(onnx.parser.parse_model(HEADER + body))


def doubling(levels, nodes=1):
    """A function that calls two of the next one, and so on."""
    inner = "\n".join(
        f'<opset_import: ["" : 17, "own" : 1], domain: "own"> f{index} (p) => (q) {{ r = own.f{index + 1} (p)'
        f"\n q = own.f{index + 1} (r) }}"
        for index in range(levels)
    )
    last = "\n".join(f"n{index + 1} = Relu (n{index})" for index in range(nodes))
    end = f'<opset_import: ["" : 17], domain: "own"> f{levels} (n0) => (n{nodes}) {{ {last} }}'
    return model(f"agraph (float[N] x) => (float[N] y) {{ y = own.f0 (x) }}\n{inner}\n{end}")


def test_golden_functions_inside_functions():
    after = apply(InlineFunctions(), model())

    assert show(after) == text(
        """
        (float[N] x) => (float[N] y)
        {
            factor__1 = Constant <value_int = 3> ()
            wide__1 = Cast <to = 1> (factor__1)
            r__1 = Relu (x)
            a = Mul (r__1, wide__1)
            y = Relu (a)
        }
        """
    )
    assert not after.proto.functions
    assert [item.domain for item in after.proto.opset_import] == [""]


def test_the_numbers_are_the_same():
    x = np.array([-1, 0.5, 2], np.float32)

    before, after = (
        open_session(item).run({"x": x}) for item in (model(), apply(InlineFunctions(), model()))
    )

    assert np.array_equal(before["y"], after["y"])


@pytest.mark.parametrize("name", ["clipped", "other::clipped"])
def test_kept_functions_stay_calls(name):
    after = apply(InlineFunctions(keep=[name]), model())

    assert [item.name for item in after.proto.functions] == ["clipped"]
    assert [node.op_type for node in after.proto.graph.node].count("clipped") == 2
    assert [item.domain for item in after.proto.opset_import] == ["", "other"]


def test_a_name_that_no_function_has_is_refused():
    with pytest.raises(UnknownNameError, match=r"'cliped'.*clipped"):
        apply(InlineFunctions(keep=["cliped"]), model())


def test_a_graph_without_functions_is_left_alone():
    plain = model("agraph (float[N] x) => (float[N] y) { y = Relu (x) }")

    assert apply(InlineFunctions(), plain) is plain


@pytest.mark.parametrize(
    ("levels", "nodes", "fits"), [(3, 2, True), (18, 3, True), (18, 4, False), (90, 1, False)]
)
def test_what_would_grow_without_bounds_is_refused_before_it_does(levels, nodes, fits, monkeypatch):
    monkeypatch.setattr(onnx.inliner, "inline_selected_functions", lambda proto, *_, **__: proto)
    graph = doubling(levels, nodes)
    assert (2**levels * nodes <= MOST_NODES) == fits

    if fits:
        InlineFunctions().run(graph)
        return
    with pytest.raises(Exception, match=r"makes .* nodes, more than 1,000,000"):
        InlineFunctions().run(graph)


def test_a_circle_of_calls_is_refused():
    graph = model("""agraph (float[N] x) => (float[N] y) { y = own.f (x) }
        <opset_import: ["" : 17, "own" : 1], domain: "own"> f (p) => (q) { q = own.f (p) }""")

    with pytest.raises(Exception, match="more than 100 deep, or in a circle"):
        InlineFunctions().run(graph)


def test_a_function_of_another_opset_is_refused_by_name():
    graph = model("""agraph (float[N] x) => (float[N] y) { y = own.f (x) }
        <opset_import: ["" : 13], domain: "own"> f (p) => (q) { q = Relu (p) }""")

    with pytest.raises(Exception, match="f is written for opset 13, the graph for 17"):
        InlineFunctions().run(graph)


def test_an_export_of_torch_with_a_function_for_every_module():
    """``tests/exporters/of_functions.py`` writes it."""
    stock = load(Path(__file__).parents[1] / "exports/torch-2.4.1/functions.onnx")
    image = np.random.default_rng(0).standard_normal((1, 3, 16, 16)).astype(np.float32)

    after = apply(InlineFunctions(), stock)

    assert stock.proto.functions and not after.proto.functions
    assert {node.domain for node in after.proto.graph.node} == {""}
    sessions = [open_session(item, optimize=False) for item in (stock, after)]
    (before,), (now,) = (session.run({session.inputs[0]: image}).values() for session in sessions)
    assert np.array_equal(before, now)
