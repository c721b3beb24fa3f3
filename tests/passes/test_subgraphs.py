"""A pass that does not look into the bodies of other nodes says how many nodes it left there."""

from __future__ import annotations

import pytest
from convertkit_passes.fold_constants import FoldConstants
from convertkit_passes.rename_io import RenameIo
from convertkit_passes.resolve_if import ResolveIf

from convertkit.api.passes import GraphPass
from convertkit.errors import PluginError
from convertkit.passes.base import check_class
from convertkit.passes.explain import left_alone
from convertkit.passes.pipeline import run_step
from convertkit.passes.state import GraphState
from tests.conftest import Cli
from tests.graphtext import parse

BRANCHES = """(float[3] x, bool b) => (float[3] y) <bool c = {1}> {
    z = If (c) <
        then_branch = kept () => (float[3] p) { p = Neg (x) },
        else_branch = gone () => (float[3] q) { q = Relu (x) }
    >
    y = If (b) <
        then_branch = one () => (float[3] r) { s = Neg (z) r = Abs (s) },
        else_branch = two () => (float[3] t) { t = Relu (z) }
    >
}"""


def test_what_sits_in_branches_is_counted():
    (line,) = run_step(GraphState(parse(BRANCHES)), FoldConstants()).remarks

    assert line == "left 5 nodes alone that sit in then_branch of If 'z' and 3 more bodies"


def test_what_the_pass_took_out_is_not_counted():
    (line,) = run_step(GraphState(parse(BRANCHES)), ResolveIf()).remarks

    assert line == "left 3 nodes alone that sit in then_branch of If 'y' and another body"


def test_a_loop_is_left_alone_and_named():
    loop = parse("""(float[3] x) => (float[3] y) <int64 times = {3}> {
        y = Loop (times, , x) <body = g (int64 i, bool c, float[3] a) => (bool d, float[3] b) {
            d = Identity (c)
            b = Neg (a)
        }>
    }""")

    assert left_alone(FoldConstants(), loop) == ("left 2 nodes alone that sit in body of Loop 'y'",)


@pytest.mark.parametrize(
    ("step", "graph"),
    [
        (RenameIo({"y": "w"}), BRANCHES),
        (FoldConstants(), "(float[3] x) => (float[3] y) { y = Relu (x) }"),
    ],
)
def test_nothing_is_said_where_nothing_is_left(step, graph):
    assert run_step(GraphState(parse(graph)), step).remarks == ()


def test_another_word_is_refused():
    class Odd(GraphPass):
        """Do nothing."""

        name = "odd"
        effect = "exact"
        subgraphs = "sometimes"

    with pytest.raises(PluginError, match="pass odd: subgraphs 'sometimes' is none of reads, leaves"):
        check_class(Odd)


def test_the_list_and_the_page_of_a_pass_say_it(cli: Cli) -> None:
    listed = {row["pass"]: row["subgraphs"] for row in cli("list", "passes", "--json").json}

    assert (listed["fold-constants"], listed["rename-io"]) == ("leaves", "reads")
    assert cli("show", "pass", "rename-io", "--json").json["subgraphs"] == "reads"
