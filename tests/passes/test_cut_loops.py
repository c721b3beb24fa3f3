"""``cut-loops``: the graph ends in front of a loop, and with the rest behind it nothing changes."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_passes.cut_loops import CutLoops
from hypothesis import given, settings
from hypothesis import strategies as st

from convertkit.api.graphs import LightModel, open_session
from convertkit.errors import PassError, UsageError
from convertkit.passes.check import Checker
from convertkit.passes.explain import findings
from tests.graphtext import apply, parse, rewritten, show

STEP = CutLoops()

EACH = """each (int64 i, bool was) => (bool on, float[A] row) {
            on = Identity (was)
            box = Gather <axis = 0> (twice, i)
            mask = Gather <axis = 0> (wide, i)
            row = Concat <axis = 0> (box, mask)
        }"""

HEAD = "(float[{rows},4] x) => (float[{rows},4] boxes, float[B,C] pasted, float[{rows},4] last)"

GRAPH = (
    HEAD
    + """ <int64 rows = {{3}}, bool go = {{1}}, float two = {{2}}, int64[4] edge = {{0, 1, 0, 1}}> {{
    boxes = Relu (x)
    masks = Sigmoid (x)
    last = Neg (masks)
    twice = Mul (boxes, two)
    wide = Pad (masks, edge)
    whole = Loop (rows, go) <body = {each}>
    pasted = {behind} (whole)
}}"""
)


def graph(rows: str = "3", behind: str = "Neg", each: str = EACH) -> str:
    return GRAPH.format(rows=rows, behind=behind, each=each)


def test_the_graph_ends_at_the_fewest_bytes_in_front_of_the_loop() -> None:
    after = """(float[3,4] x) => (float[3,4] boxes, float[3,4] masks, float[3,4] last) {
        boxes = Relu (x)
        masks = Sigmoid (x)
        last = Neg (masks)
    }"""
    assert rewritten(STEP, graph()) == show(after)


def test_the_rest_starts_where_the_graph_ends() -> None:
    rest = apply(CutLoops(part="rest"), graph()).proto.graph

    assert [value.name for value in rest.input] == ["boxes", "masks"]
    assert [value.name for value in rest.output] == ["pasted"]
    assert [node.op_type for node in rest.node] == ["Mul", "Pad", "Loop", "Neg"]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_both_parts_together_give_the_same_bits(seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(3, 4)).astype(np.float32)
    front, rest = (apply(step, graph()) for step in (STEP, CutLoops(part="rest")))

    whole = open_session(parse(graph())).run({"x": x})
    first = open_session(front).run({"x": x})
    second = open_session(rest).run({name: first[name] for name in ("boxes", "masks")})

    np.testing.assert_array_equal(second["pasted"], whole["pasted"])
    np.testing.assert_array_equal(first["last"], whole["last"])


def test_the_check_runs_the_rest_and_sees_what_differs() -> None:
    class Wrong(CutLoops):
        """Cut, and say that the host negates nothing."""

        name = "wrong"

        def rest(self, before: LightModel, after: LightModel) -> LightModel | None:
            return super().rest(parse(graph(behind="Identity")), after)

    sample = {"x": np.ones((3, 4), np.float32)}
    before = parse(graph())

    done = Checker([sample]).check(STEP, before, apply(STEP, before), changed=True)
    with pytest.raises(PassError, match="declares effect exact but output 1 changes"):
        Checker([sample]).check(Wrong(), before, apply(Wrong(), before), changed=True)

    assert done.detail == "bit for bit equal"


@pytest.mark.parametrize(
    ("text", "loop"),
    [
        (
            graph(behind="Sigmoid"),
            r"pasted \(Sigmoid\) hangs on whole \(Loop\): .* only where nothing but arithmetic",
        ),
        (graph(rows="N"), r"in front of whole \(Loop\) the graph would end at 'wide', of open size"),
    ],
)
def test_what_cannot_be_cut_is_refused(text: str, loop: str) -> None:
    with pytest.raises(PassError, match=loop) as caught:
        apply(STEP, text)

    (found,) = findings(STEP, parse(text))
    assert caught.value.hint
    assert (found.status, found.why) == ("refused", f"{caught.value.message} ({caught.value.hint})")


def test_a_loop_over_constants_stays() -> None:
    each = EACH.replace("twice", "fixed").replace("wide", "fixed")
    model = parse(graph(each=each).replace("<int64 rows", "<float[3,1] fixed = {1, 2, 3}, int64 rows"))

    assert apply(STEP, model) is model
    assert findings(STEP, model) == ()


def test_it_says_what_the_lost_output_is_computed_from() -> None:
    (found,) = findings(STEP, parse(graph()))

    assert (found.status, found.why) == ("matched", "pasted can be computed from boxes, masks")


def test_there_are_two_parts() -> None:
    with pytest.raises(UsageError, match="pass cut-loops: part is 'back'"):
        CutLoops(part="back")
