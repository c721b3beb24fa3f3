"""``resolve-if``: the branch that is enough takes the place of its If; where the branches differ, it stays."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_passes.fold_constants import FoldConstants
from convertkit_passes.resolve_if import ResolveIf
from convertkit_passes.simplify import Simplify

from convertkit.api.graphs import every_node, load, open_session
from convertkit.passes.explain import findings
from tests.exports import torchvision
from tests.graphtext import apply, parse, rewritten, text

STEP = ResolveIf()

GUARD = """(float[K, 4] boxes) => (int64[M] kept) <int64 zero = {{0}}> {{
    sizes = Shape (boxes)
    number = {number} (sizes)
    empty = {asks} (number, zero)
    kept = If (empty) <
        then_branch = special () => (int64[L] none) {{ none = Constant <value = int64[{none}] {{{values}}}> () }},
        else_branch = general () => (int64[N] rows) {{
            flat = ReduceSum <axes = [1], keepdims = 0> (boxes)
            found = NonZero (flat)
            rows = Squeeze <axes = [0]> (found)
        }}
    >
}}"""


BESIDE = """(float[K, 4] boxes, {other}) => (float[M, 4] y) <int64 zero = {{0}}> {{
    number = Size (boxes)
    empty = Equal (number, zero)
    {made}
    y = If (empty) <
        then_branch = t () => (float[P, 4] none) {{ none = Identity (boxes) }},
        else_branch = g () => (float[Q, 4] sum) {{ sum = Add (boxes, other) }}
    >
}}"""


def guard(number="ReduceProd <keepdims = 0>", asks="Equal", none=0, values=""):
    return GUARD.format(number=number, asks=asks, none=none, values=values)


def ifs(model):
    return [node.op_type for node in every_node(model.proto.graph) if node.op_type == "If"]


def test_golden_a_guard_against_empty_tensors():
    assert rewritten(STEP, guard()) == text(
        """
        (float[K,4] boxes) => (int64[M] kept)
        {
            flat = ReduceSum <axes = [1], keepdims = 0> (boxes)
            found = NonZero (flat)
            kept = Squeeze <axes = [0]> (found)
        }
        """
    )


def test_golden_a_constant_condition():
    before = """(float[3] x) => (float[3] y) <bool c = {0}> {
        y = If (c) <
            then_branch = a () => (float[3] p) { p = Neg (x) },
            else_branch = b () => (float[3] q) { q = Relu (x) }
        >
    }"""

    assert rewritten(STEP, before) == text(
        """
        (float[3] x) => (float[3] y)
        {
            y = Relu (x)
        }
        """
    )


@pytest.mark.parametrize("count", [0, 1, 5])
def test_the_branch_that_stays_gives_what_the_if_gave(count):
    model = parse(guard())
    boxes = np.random.default_rng(count).random((count, 4), np.float32)

    before, after = (open_session(item).run({"boxes": boxes}) for item in (model, apply(STEP, model)))

    assert before["kept"].dtype == after["kept"].dtype
    assert np.array_equal(before["kept"], after["kept"])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (
            {"none": 1, "values": "7"},
            "its branches differ where boxes is empty: output 0 is int64 [1] and int64 [0]",
        ),
        (
            {"asks": "Less"},
            "its condition is not whether boxes is empty; by its size: 0: False, 1: False, 2: False",
        ),
        ({"number": "ReduceMin <keepdims = 0>"}, ""),
    ],
)
def test_a_guard_that_is_none_stays(changes, why):
    model = parse(guard(**changes))

    after = apply(STEP, model)

    (finding,) = findings(STEP, model)
    if not why:  # the smallest side is 0 where there are no rows, and only there
        assert (ifs(after), finding.status) == ([], "matched")
        return
    assert ifs(after) == ["If"]
    assert (finding.status, finding.where) == ("refused", "kept")
    assert finding.why.startswith(why)


def test_the_branch_for_all_others_stays_whichever_it_is():
    (finding,) = findings(STEP, parse(guard(asks="Greater")))

    assert (finding.status, finding.why.partition(":")[0]) == ("matched", "then_branch stays")


def test_a_condition_of_values_stays():
    model = parse("""(float[3] x) => (float[3] y) <float zero = {0}> {
        s = ReduceSum <keepdims = 0> (x)
        c = Greater (s, zero)
        y = If (c) <
            then_branch = a () => (float[3] p) { p = Identity (x) },
            else_branch = b () => (float[3] q) { q = Identity (x) }
        >
    }""")

    (finding,) = findings(STEP, model)

    assert apply(STEP, model) is model
    assert finding.why == "its condition depends on the values of x, not on sizes alone"


def test_a_condition_of_two_tensors_stays():
    model = parse("""(float[K] x, float[L] z) => (float[M] y) {
        a = Size (x)
        b = Size (z)
        c = Equal (a, b)
        y = If (c) <
            then_branch = t () => (float[P] p) { p = Identity (x) },
            else_branch = e () => (float[Q] q) { q = Identity (z) }
        >
    }""")

    (finding,) = findings(STEP, model)

    assert finding.why == "its condition depends on the sizes of x, z, not on that of one tensor"


def test_what_a_branch_reads_beside_the_empty_tensor_counts_too():
    """Where there are no boxes but scores, the branches differ."""
    model = parse("""(float[K, 4] boxes, float[L] scores) => (float[M] y) <int64 zero = {0}> {
        number = Size (boxes)
        empty = Equal (number, zero)
        y = If (empty) <
            then_branch = t () => (float[P] none) { none = Constant <value = float[0] {}> () },
            else_branch = e () => (float[Q] all) { all = Identity (scores) }
        >
    }""")

    (finding,) = findings(STEP, model)

    assert finding.why.startswith("its branches differ where boxes is empty: output 0 is float32 [0]")


def test_sizes_that_do_not_go_together_count_where_the_graph_gets_there():
    """With no boxes and three others the If gives nothing, and its general branch fails."""
    model = parse(BESIDE.format(other="float[L, 4] other", made=""))

    (finding,) = findings(STEP, model)

    assert ifs(apply(STEP, model)) == ["If"]
    assert finding.why.startswith("g cannot be run where boxes is empty: onnxruntime cannot run the graph")


def test_sizes_that_the_graph_keeps_equal_need_not_be_tried_apart():
    model = parse(BESIDE.format(other="float[1] by", made="other = Mul (boxes, by)"))

    assert ifs(apply(STEP, model)) == []


def test_branches_may_hold_others_and_names_may_meet():
    model = parse("""(float[3] x) => (float[3] y, float[3] z) <bool yes = {1}> {
        y = If (yes) <
            then_branch = t () => (float[3] inner) {
                inner = If (yes) <
                    then_branch = tt () => (float[3] deep) { same = Relu (x)
 deep = Neg (same) },
                    else_branch = te () => (float[3] other) { other = Identity (x) }
                >
            },
            else_branch = e () => (float[3] n) { n = Identity (x) }
        >
        z = If (yes) <
            then_branch = t () => (float[3] deep) { same = Abs (x)
 deep = Neg (same) },
            else_branch = e () => (float[3] n) { n = Identity (x) }
        >
    }""")
    x = np.array([-1, 0, 2], np.float32)

    after = apply(STEP, model)

    assert ifs(after) == []
    found = open_session(after).run({"x": x})
    assert np.array_equal(found["y"], -np.maximum(x, 0)) and np.array_equal(found["z"], -np.abs(x))


def test_an_if_in_a_loop_stays_and_is_named():
    model = parse("""(float[3] x) => (float[3] y) <int64 times = {2}, bool yes = {1}> {
        y = Loop (times, yes, x) <
            body = b (int64 i, bool on, float[3] a) => (bool again, float[3] next) {
                again = Identity (on)
                next = If (yes) <
                    then_branch = t () => (float[3] p) { p = Relu (a) },
                    else_branch = e () => (float[3] q) { q = Neg (a) }
                >
            }
        >
    }""")

    (finding,) = findings(STEP, model)

    assert ifs(apply(STEP, model)) == ["If"]
    assert finding.why == "its If sits in body of Loop '', where no pass looks"


@pytest.mark.slow
@pytest.mark.parametrize("name", torchvision.NAMES)
def test_exports_of_torchvision_have_none_left_and_give_the_same_bits(name):
    stock = load(torchvision.file(name))

    after = apply(STEP, apply(FoldConstants(), apply(Simplify(), stock)))

    assert ifs(stock) and not ifs(after)
    before, now = open_session(stock, optimize=False), open_session(after, optimize=False)
    for picture in torchvision.pictures():
        (image,) = before.inputs
        wanted, found = (session.run({image: picture}) for session in (before, now))
        assert all(np.array_equal(found[key], value, equal_nan=True) for key, value in wanted.items())
