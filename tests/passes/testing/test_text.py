"""Graphs as text, golden files, and two graphs held against each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convertkit.api.testing import apply, assert_equivalent, assert_golden, parse, rewritten, show
from convertkit.errors import UsageError
from convertkit.graph.light import attach
from tests.passes.testing.bad import Wrong
from tests.passes.testing.test_conformance import DropDropout

GRAPH = """(float[2,3] x) => (float[2,3] y) <float[3] w = {1, 2, 3}>
{
    kept = Dropout (x)
    y = Mul (kept, w)
}"""
AFTER = GRAPH.replace("    kept = Dropout (x)\n", "").replace("kept, w", "x, w")


def test_a_text_is_read_and_written():
    assert show(GRAPH) == show(parse(GRAPH))
    assert "Dropout" in show(GRAPH)
    assert rewritten(DropDropout(), GRAPH) == show(AFTER)


@pytest.mark.parametrize(("opset", "ir"), [(11, 8), (18, 8), (19, 9), (21, 10)])
def test_a_text_has_the_opset_that_it_is_read_with(opset, ir):
    proto = parse(GRAPH, opset=opset).proto

    assert (proto.opset_import[0].version, proto.ir_version) == (opset, ir)


def test_what_is_no_graph_is_one_line_with_the_place():
    with pytest.raises(UsageError) as caught:
        parse("(float[2] x) => (float[2] y) { y = Relu x }")

    assert caught.value.message == (
        "the text is no graph: Expected character ( not found. "
        "At the end of: (float[2] x) => (float[2] y) { y = Relu x }"
    )


def test_equivalent_graphs_are_said_to_be():
    record = assert_equivalent(GRAPH, AFTER)

    assert (record.samples, record.max_error) == (2, 0.0)
    assert assert_equivalent(attach(parse(GRAPH)), parse(AFTER)).detail == "bit for bit equal"


@pytest.mark.parametrize(
    ("effect", "factor", "holds"),
    [
        ("exact", "1.0000002", False),
        ("rounding", "1.00005", True),
        ("rounding", "1.0002", False),
        ("semantic", "2.0", True),
    ],
)
def test_what_may_differ_is_the_effect_s(effect, factor, holds):
    after = f"(float[2,3] x) => (float[2,3] y) <float f = {{{factor}}}> {{ y = Mul (x, f) }}"
    before = "(float[2,3] x) => (float[2,3] y) { y = Identity (x) }"

    if holds:
        assert assert_equivalent(before, after, effect).samples == 2
    else:
        with pytest.raises(AssertionError, match=f"it declares effect {effect} but y changes"):
            assert_equivalent(before, after, effect)


def test_inputs_of_one_s_own_tell_more_than_random_ones():
    before, after = (f"(float[2] x) => (float[2] y) {{ y = {op} (x) }}" for op in ("Relu", "Identity"))

    assert assert_equivalent(before, after, inputs=[{"x": np.ones(2, np.float32)}])
    with pytest.raises(AssertionError, match="y changes"):
        assert_equivalent(before, after)


def test_a_graph_that_does_not_hold_is_not_equivalent():
    with pytest.raises(AssertionError, match="the ONNX checker refuses the graph"):
        assert_equivalent(GRAPH, AFTER.replace("x, w", "z, w"))


def test_nothing_to_compare_is_not_taken_for_equal():
    empty = "(float[2] x) => (float[0] y) <float[0] y = {}> { }"

    with pytest.raises(AssertionError, match="nothing says that the graphs are equivalent"):
        assert_equivalent(empty, empty)


def test_an_effect_that_there_is_not_is_named():
    with pytest.raises(UsageError, match="unknown effect 'rouding'"):
        assert_equivalent(GRAPH, AFTER, "rouding")


def test_what_is_no_graph_at_all_is_named():
    with pytest.raises(UsageError, match="a graph is a LightModel, a ModelProto or a text, not int"):
        assert_equivalent(GRAPH, 3)


def test_a_golden_file_is_filled_once_and_held(tmp_path: Path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text(GRAPH)
    with pytest.raises(AssertionError, match="there is no result in it; CONVERTKIT_UPDATE_GOLDEN=1 adds it"):
        assert_golden(DropDropout(), path)

    monkeypatch.setenv("CONVERTKIT_UPDATE_GOLDEN", "1")
    assert_golden(DropDropout(), path)
    monkeypatch.delenv("CONVERTKIT_UPDATE_GOLDEN")

    assert_golden(DropDropout(), path)
    assert path.read_text() == f"{GRAPH}\n--- after\n{show(AFTER)}\n"
    with pytest.raises(
        AssertionError, match=r"drop-dropout makes another graph.*\n(.*\n)*\+    kept = Dropout"
    ):
        assert_golden(DropDropout(keep=("",)), path)


def test_a_golden_result_that_breaks_the_effect_is_not_written(tmp_path: Path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("(float[2] x) => (float[2] y) { y = Neg (x) }")
    monkeypatch.setenv("CONVERTKIT_UPDATE_GOLDEN", "1")

    with pytest.raises(AssertionError, match="wrong: it declares effect exact but y changes"):
        assert_golden(Wrong(), path)

    assert "after" not in path.read_text()


def test_a_golden_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(UsageError, match=r"golden file .*none\.txt: no such file"):
        assert_golden(DropDropout(), tmp_path / "none.txt")


def test_a_bypassed_node_stays_for_another_output_that_is_taken():
    mask = "(float[2] x) => (float[2] y, bool[2] m) { y, m = Dropout (x) }"

    result = apply(DropDropout(), mask)

    assert [node.op_type for node in result.proto.graph.node] == ["Dropout", "Identity"]
    assert_equivalent(mask, result)
