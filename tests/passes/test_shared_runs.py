"""Graphs that have nodes in common: the same outputs as each alone, and what they have in common runs once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertkit.errors import GraphError
from convertkit.graph.light import LightModel
from convertkit.graph.session import open_session
from convertkit.passes.running import open_on_host
from convertkit.passes.shared_runs import SharedRuns
from tests.graphtext import parse

X = np.random.default_rng(0).standard_normal((2, 3)).astype(np.float32)
SAMPLES = [{"x": X}, {"x": X + 1}]

BEFORE = """(float[2,3] x) => (float[2,3] y, float[2,3] z) {
    a = Exp (x)
    b = Tanh (a)
    c = Neg (b)
    y = Abs (c)
    z = Sin (b)
}"""
AFTER = BEFORE.replace("c = Neg (b)", "d = Neg (b)  c = Neg (d)")
LATER = AFTER.replace("y = Abs (c)", "y = Sqrt (c)")


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The operators of every graph that is opened."""
    found: list[list[str]] = []
    real: Callable[..., Any] = open_session

    def remember(model: LightModel, **options: Any) -> Any:
        found.append([node.op_type for node in model.proto.graph.node])
        return real(model, **options)

    monkeypatch.setattr("convertkit.passes.shared_runs.open_session", remember)
    return found


def test_what_two_graphs_have_in_common_runs_once(ran: list[list[str]]) -> None:
    opener = SharedRuns()
    before, after = opener(parse(BEFORE)), opener(parse(AFTER))

    for sample in SAMPLES:
        before(sample)
        after(sample)

    assert ran == [["Exp", "Tanh", "Neg", "Abs", "Sin"], ["Neg", "Abs"]]


def test_the_next_graph_goes_on_from_there(ran: list[list[str]]) -> None:
    opener = SharedRuns()
    runs = [opener(parse(BEFORE)), opener(parse(AFTER))]
    for run in runs:
        run(SAMPLES[0])

    opener(parse(LATER))(SAMPLES[0])

    assert ran[2] == ["Neg", "Sqrt"]


def test_the_same_graph_again_runs_nothing(ran: list[list[str]]) -> None:
    opener = SharedRuns()
    first, second = opener(parse(BEFORE)), opener(parse(BEFORE))

    found = [run(SAMPLES[0]) for run in (first, second)]

    assert len(ran) == 1
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


RESHAPE = "{\n", "<int64[1] s = {4}> {\n"


def test_a_node_that_no_output_needs_runs_too() -> None:
    opener, broken = SharedRuns(), BEFORE.replace(*RESHAPE).replace("a = Exp", "n = Reshape (x, s)  a = Exp")
    before, after = opener(parse(BEFORE)), opener(parse(broken))
    before(SAMPLES[0])

    with pytest.raises(GraphError, match="Reshape"):
        after(SAMPLES[0])


def test_a_failure_reads_as_that_of_the_whole_graph() -> None:
    opener, text = SharedRuns(), BEFORE.replace(*RESHAPE)
    broken = parse(text.replace("y = Abs (c)", "r = Reshape (c, s)  y = Abs (r)"))
    before, after = opener(parse(BEFORE)), opener(broken)
    before(SAMPLES[0])

    with pytest.raises(GraphError) as alone:
        open_on_host(broken)(SAMPLES[0])
    with pytest.raises(GraphError) as shared:
        after(SAMPLES[0])

    assert shared.value.message == alone.value.message


def test_without_room_everything_runs_and_is_right(ran: list[list[str]]) -> None:
    opener = SharedRuns(room=0)
    runs = [opener(parse(text)) for text in (BEFORE, AFTER)]

    for run, text in zip(runs, (BEFORE, AFTER), strict=True):
        for one, other in zip(run(SAMPLES[0]), open_on_host(parse(text))(SAMPLES[0]), strict=True):
            np.testing.assert_array_equal(one, other)
    assert [len(nodes) for nodes in ran] == [5, 6]


def test_what_there_is_no_room_for_runs_again(ran: list[list[str]]) -> None:
    opener = SharedRuns(room=X.nbytes)  # one tensor of one sample
    before, after = opener(parse(BEFORE)), opener(parse(AFTER))
    before(SAMPLES[0]), after(SAMPLES[0])
    before(SAMPLES[1]), after(SAMPLES[1])

    opener(parse(LATER))(SAMPLES[0])

    assert len(ran[-1]) == 6


OPERATORS = ("Abs", "Neg", "Sin", "Sigmoid", "Identity", "Softplus")
TWO = ("Add", "Mul", "Max")


@st.composite
def histories(draw: st.DrawFn) -> list[str]:
    """A graph, and what a few passes make of it: operators replaced, and other inputs of them."""
    nodes = [
        (draw(st.sampled_from(OPERATORS + TWO)), draw(st.integers(0, at)), draw(st.integers(0, at)))
        for at in range(draw(st.integers(2, 8)))
    ]
    found = [list(nodes)]
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(nodes) - 1))
        nodes[at] = (
            draw(st.sampled_from(OPERATORS + TWO)),
            draw(st.integers(0, at)),
            draw(st.integers(0, at)),
        )
        found.append(list(nodes))
    outputs = draw(st.sets(st.integers(1, len(nodes)), min_size=1, max_size=3))
    return [_text(one, sorted(outputs)) for one in found]


def _text(nodes: list[tuple[str, int, int]], outputs: list[int]) -> str:
    lines = [
        f"t{at} = {op} (t{one}" + (f", t{other})" if op in TWO else ")")
        for at, (op, one, other) in enumerate(nodes, 1)
    ]
    asked = ", ".join(f"float[2,3] t{at}" for at in outputs)
    return f"(float[2,3] t0) => ({asked}) {{ {' '.join(lines)} }}"


@given(histories(), st.sampled_from([0, X.nbytes, 4 * X.nbytes, 1 << 20]))
def test_a_history_of_graphs_gives_the_same_bits(texts: list[str], room: int) -> None:
    opener, last = SharedRuns(room), None
    for text in texts:
        run = opener(parse(text))
        for sample in SAMPLES:
            for ready, own in [(last, None), (run, text)]:
                found = ready({"t0": sample["x"]}) if ready else ()
                expected = open_on_host(parse(own))({"t0": sample["x"]}) if own else found
                for one, other in zip(found, expected, strict=True):
                    np.testing.assert_array_equal(one, other)
        last = run
