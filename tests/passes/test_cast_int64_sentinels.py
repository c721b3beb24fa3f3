"""``cast-int64-to-int32`` where values are beyond int32: sentinels behind masks, overflow, empty reductions.

Compared by onnxruntime itself on inputs that reach the bounds; the expected values are those of the graph before.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from convertkit_passes.cast_int64 import CastInt64ToInt32
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from convertkit.errors import ConvertkitError
from convertkit.graph.light import LightModel, attach, detach
from convertkit.graph.validate import validate
from tests.conftest import Cli
from tests.graphtext import apply, parse, show

NONE = 2**63 - 1
SENTINELS = [NONE, -(2**63), 2**31, -(2**31) - 1, 2**32, 2**31 - 1, -(2**31), -1, 0, 1, 7]
SIZE = 4
MASKS = [[False] * SIZE, [True] * SIZE, [True, False] * (SIZE // 2)]

Feeds = dict[str, Any]


def runner(model: LightModel) -> Callable[[Feeds], list[Any] | None]:
    """The outputs, by onnxruntime without any of our own code; None where it fails."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    proto = attach(model)
    kinds = {value.name: value.type.tensor_type.elem_type for value in proto.graph.input}
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options)

    def run(feeds: Feeds) -> list[Any] | None:
        fed = {name: value.astype(np.int32) if kinds[name] == 6 else value for name, value in feeds.items()}
        try:
            return list(session.run(None, {name: fed[name] for name in kinds}))
        except Exception:
            return None

    return run


def assert_equal(before: LightModel, after: LightModel, inputs: Iterable[Feeds]) -> int:
    """The same integers, exactly: floats would take 2^63 - 1 and 2^63 for the same.

    Returns:
        how many inputs the graph before can do something with.
    """
    run_before, run_after, told = runner(before), runner(after), 0
    for feeds in inputs:
        old = run_before(feeds)
        if old is None:
            continue
        new = run_after(feeds)
        assert new is not None
        for a, b in zip(old, new, strict=True):
            assert a.shape == b.shape
            assert a.tolist() == b.tolist(), f"{feeds}\n{show(before)}\n{show(after)}"
        told += 1
    return told


def at_the_bounds() -> Iterator[Feeds]:
    """Masks off, on and mixed, with what a graph input may hold: anything in int32."""
    extremes = [-(2**31), 2**31 - 1, 0, -1]
    integers = [*([value] * SIZE for value in extremes), [5, -1, 2**31 - 1, -(2**31)], [3, 1, 2, 0]]
    for values, mask in itertools.product(integers, MASKS):
        yield {
            "n": np.array(values),
            "m": np.array(mask),
            "x": np.array([np.nan, -1.5, 3e9, -np.inf], np.float32),
        }


class Chain:
    """A random chain of operators on vectors of int64."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.values = ["n"]

    def constant(self, values: Any) -> str:
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.array(values), name))
        return name

    def sentinel(self) -> str:
        return self.constant(np.int64(self.draw(st.sampled_from(SENTINELS))))

    def pick(self) -> str:
        return self.draw(st.sampled_from(self.values))

    def op(self, op: str, *inputs: str, **attributes: Any) -> str:
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], f"{op}_{name}", **attributes))
        return name

    def bounded(self, value: str) -> str:
        """A float within bounds, unless it is a NaN."""
        floats = [0.0, 1.0, 0.75, 2.0**31, 79.5, -3.25, np.inf]
        low, high = sorted(self.draw(st.sampled_from(floats)) for _ in range(2))
        kind = self.draw(
            st.sampled_from(["Identity", "Clip", "Sigmoid", "Tanh", "Relu", "Floor", "Mod", "Where"])
        )
        if kind == "Clip":
            return self.op("Clip", value, self.constant(np.float32(low)), self.constant(np.float32(high)))
        if kind == "Mod":
            inner = self.op("Clip", value, self.constant(np.float32(-79)), self.constant(np.float32(79)))
            return self.op("Mod", inner, self.constant(np.float32(low)), fmod=1)
        if kind == "Where":
            return self.op("Where", "m", self.op("Sigmoid", value), self.constant(np.float32(high)))
        return self.op(kind, value)

    def step(self, kind: str) -> str:
        a, b = self.pick(), self.draw(st.sampled_from([self.pick(), self.sentinel()]))
        if kind == "Where":
            return self.op("Where", "m", *self.draw(st.permutations([a, b])))
        if kind in ("Add", "Sub", "Mul", "Min", "Max"):
            return self.op(kind, a, b)
        if kind in ("Div", "Mod"):
            return self.op(kind, a, self.constant(np.int64(self.draw(st.sampled_from([3, 2**31, NONE, 7])))))
        if kind == "Reduce":
            name = self.draw(st.sampled_from(["ReduceMin", "ReduceMax", "ReduceProd", "ReduceMean"]))
            return self.op("Expand", self.op(name, a, axes=[0], keepdims=1), self.constant([SIZE]))
        if kind == "Sum":
            whole = self.op("ReduceSum", a, self.constant([0]), keepdims=1)
            return self.op("Expand", whole, self.constant([SIZE]))
        if kind == "CumSum":
            return self.op("CumSum", a, self.constant(np.int64(0)))
        if kind == "Pad":
            padded = self.op("Pad", a, self.constant([0, SIZE]), self.sentinel())
            picked = self.constant(self.draw(st.permutations(range(2 * SIZE)))[:SIZE])
            return self.op("Gather", padded, picked)
        if kind == "Concat":
            joined = self.op("Concat", a, self.op("Expand", b, self.constant([SIZE])), axis=0)
            return self.op("Slice", joined, self.constant([SIZE // 2]), self.constant([SIZE // 2 + SIZE]))
        if kind == "Scatter":
            value = self.op("Expand", b, self.constant([1]))
            return self.op("ScatterElements", a, self.constant([1]), value)
        if kind == "Masked":  # the smallest of those that count, of none at all perhaps
            chosen = self.op("Compress", a, "m", axis=0)
            least = self.op(self.draw(st.sampled_from(["ReduceMin", "ReduceMax"])), chosen, keepdims=1)
            return self.op("Expand", least, self.constant([SIZE]))
        if kind == "ToFloat":
            return self.op("Cast", self.op("Cast", a, to=TensorProto.FLOAT), to=TensorProto.INT64)
        if kind == "FromFloat":
            return self.op("Cast", self.bounded("x"), to=TensorProto.INT64)
        if kind == "Narrow":
            kinds = [TensorProto.INT32, TensorProto.INT8, TensorProto.UINT32, TensorProto.BOOL]
            return self.op(
                "Cast", self.op("Cast", a, to=self.draw(st.sampled_from(kinds))), to=TensorProto.INT64
            )
        if kind == "Clip":
            bounds = sorted([self.draw(st.sampled_from(SENTINELS)), self.draw(st.sampled_from(SENTINELS))])
            return self.op("Clip", a, *(self.constant(np.int64(bound)) for bound in bounds))
        if kind == "Compare":
            return self.op("Cast", self.op("Less", a, b), to=TensorProto.INT64)
        assert kind == "Unary"
        return self.op(self.draw(st.sampled_from(["Neg", "Abs", "Sign", "Identity"])), a)


KINDS = [
    "Where", "Add", "Sub", "Mul", "Min", "Max", "Div", "Mod", "Reduce", "Sum", "CumSum", "Pad", "Concat", "Scatter",
    "Masked", "ToFloat", "FromFloat", "Narrow", "Clip", "Compare", "Unary",
]  # fmt: skip


@st.composite
def chains(draw: st.DrawFn) -> LightModel:
    """Up to six operators, the last and one more as outputs."""
    chain = Chain(draw)
    for kind in draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=6)):
        chain.values.append(chain.step(kind))
    results = list(dict.fromkeys([chain.values[-1], draw(st.sampled_from(chain.values[1:]))]))
    value = helper.make_tensor_value_info
    inputs = [
        value("n", TensorProto.INT64, [SIZE]),
        value("m", TensorProto.BOOL, [SIZE]),
        value("x", TensorProto.FLOAT, [SIZE]),
    ]
    outputs = [value(name, TensorProto.INT64, [SIZE]) for name in results]
    graph = helper.make_graph(chain.nodes, "chain", inputs, outputs, chain.initializers)
    return detach(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8))


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(chains(), st.booleans())
def test_no_value_is_lost_at_the_bounds(model: LightModel, inputs: bool) -> None:
    model = detach(onnx.shape_inference.infer_shapes(attach(model)))

    result = apply(CastInt64ToInt32(inputs=inputs), model)

    assert_equal(model, result, at_the_bounds())


@pytest.mark.parametrize(
    "graph",
    [
        "y = Where (m, n, k)",
        "w = Where (m, n, k) y = Min (w, cap)",
        "w = Where (m, n, k) y = ReduceMin <keepdims = 1> (w)",
        "w = Where (m, n, k) i = ArgMin <axis = 0, keepdims = 0> (w) y = Gather (n, i)",
        "w = Where (m, n, k) v, i = TopK <largest = 0> (w, two) y = Gather (n, i)",
        "w = Where (m, n, k) y, i = TopK <largest = 0> (w, two)",
        "y = Max (n, k)",
        "y = Pad (n, pads, k)",
        "e = Expand (k, two) y = Concat <axis = 0> (n, e)",
        "e = Expand (k, two) y = ScatterND (n, places, e)",
        "e = Expand (k, two) y = ScatterElements (n, two_places, e)",
        "y = Add (n, k)",
        "p = Mul (n, k) y = Mod (p, cap)",
        "y = CumSum (n, zero)",
        "y = ReduceSum <keepdims = 0> (n)",
        "y = ReduceProd <keepdims = 0> (n)",
        "c = Compress <axis = 0> (n, m) y = ReduceMin <keepdims = 0> (c)",
        "y = Cast <to = 7> (x)",
        "f = Clip (x, low, high) y = Cast <to = 7> (f)",
        "f = Sigmoid (x) c = Cast <to = 7> (f) y = Where (m, c, k)",
        "z = Sub (x, x) d = Div (z, z) f = Relu (d) g = Floor (f) y = Cast <to = 7> (g)",
        "f = Clip (x, low, high) c = Cast <to = 7> (f) y = Mod (c, cap)",
        "u = Cast <to = 12> (n) y = Cast <to = 7> (u)",
        "f = Cast <to = 1> (n) y = Cast <to = 7> (f)",
        "y = Div (n, minus)",
        "e = Expand (k, one) s = Slice (n, zeros, e) y = Identity (s)",
    ],
)
def test_a_sentinel_beyond_int32_survives(graph: str) -> None:
    for value in SENTINELS:
        model = sentinel_graph(graph, value)

        told = assert_equal(model, apply(CastInt64ToInt32(), model), at_the_bounds())

        assert told >= len(MASKS)


def sentinel_graph(graph: str, value: int) -> LightModel:
    """``y`` made of integers ``n``, a mask ``m``, floats ``x`` and the sentinel ``k``."""
    return parse(
        f"""(int64[{SIZE}] n, bool[{SIZE}] m, float[{SIZE}] x) => (int64[Y] y)
        <int64 k = {{{value}}}, int64 cap = {{100}}, int64[1] two = {{2}}, int64[1] one = {{1}}, int64 zero = {{0}},
         int64[2] pads = {{0, 1}}, int64[2,1] places = {{0, 2}}, int64[2] two_places = {{0, 3}}, int64 minus = {{-1}},
         int64[1] zeros = {{0}}, float low = {{0}}, float high = {{79}}> {{ {graph} }}""",
        opset=14,
    )


@pytest.mark.parametrize("cond", [False, True])
def test_a_sentinel_of_a_branch_survives(cond: bool) -> None:
    model = parse(
        f"""(bool c, int64[2] n) => (int64[2] y) <int64[2] none = {{{NONE}, {NONE}}}, int64[2] r>
        {{
            r = If (c) <
                then_branch = then () => (int64[2] p) {{ p = Identity (n) }},
                else_branch = other () => (int64[2] q) {{ q = Identity (none) }}
            >
            y = Min (r, none)
        }}""",
        opset=14,
    )

    feeds = {"c": np.array(cond), "n": np.array([4, 5])}
    assert assert_equal(model, apply(CastInt64ToInt32(), model), [feeds])


def test_a_sum_in_a_loop_is_not_believed_to_fit() -> None:
    model = parse(
        """(int64[1] n) => (int64[1] y) <int64 trips = {40}, bool yes = {1}, int64[1] last>
        {
            last = Loop (trips, yes, n) <
                body = body (int64 i, bool go, int64[1] a) => (bool on, int64[1] b)
                { on = Identity (go) b = Add (a, a) }
            >
            y = Identity (last)
        }""",
        opset=14,
    )

    assert assert_equal(model, apply(CastInt64ToInt32(), model), [{"n": np.array([3])}])


def write(model: LightModel, path: Any) -> None:
    onnx.save(attach(model), path)


MASKED = f"""(bool[4] m, int64[4] ids) => (int64[4] w, int64[4] y) <int64 none = {{{NONE}}}, int64 cap = {{100}}>
{{ w = Where (m, ids, none) y = Min (w, cap) }}"""


def test_what_stays_is_said_in_the_line_and_explain_says_the_same(cli: Cli, tmp_path: Any) -> None:
    write(parse(MASKED, opset=14), tmp_path / "masked.onnx")

    explained = cli("opt", "masked.onnx", "--explain", "cast-int64-to-int32", "--json").json["explained"][0]
    outcome = cli("opt", "masked.onnx", "-p", "cast-int64-to-int32", "-o", "out.onnx", "--json")

    written = {value.name: value.type.tensor_type.elem_type for value in onnx.load("out.onnx").graph.output}
    said = {item["tensor"]: item["status"] for item in explained["findings"]}
    assert written == {"w": TensorProto.INT64, "y": TensorProto.INT32}
    assert (said["w"], said["y"]) == ("refused", "matched")
    (record,) = outcome.json["passes"]
    assert record["remarks"][0].startswith("graph output 'w' stays int64: its values may be")
    assert record["remarks"][1] == "assumes that int32 holds the values of graph input 'ids'"
    assert "graph output 'w' stays int64" in outcome.err
    assert record["check"]["probes"] > 10


def test_the_check_tries_the_bounds_and_tells_a_pass_that_narrows_too_much(
    cli: Cli, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The samples alone, integers 0 or 1 and a mask of ones, see no difference."""
    from convertkit_passes.int64.interval import INT32
    from convertkit_passes.int64.ranges import Ranges

    write(parse(MASKED, opset=14), tmp_path / "masked.onnx")
    np.savez(tmp_path / "sample.npz", m=np.ones(4, bool), ids=np.ones(4, np.int64))
    monkeypatch.setattr(Ranges, "of", lambda self, tensor: INT32)
    words = ("opt", "masked.onnx", "-p", "cast-int64-to-int32", "-o", "out.onnx", "--inputs", "sample.npz")

    outcome = cli(*words)

    assert outcome.code == 4
    assert "on inputs at the bounds of what it assumes" in outcome.err
    assert not (tmp_path / "out.onnx").exists()


def test_a_division_that_could_end_the_process_is_not_tried(cli: Cli, tmp_path: Any) -> None:
    write(parse("(int64[2] a, int64[2] b) => (int64[2] y) { y = Mod (a, b) }", opset=14), tmp_path / "d.onnx")
    np.savez(tmp_path / "sample.npz", a=np.array([5, 6]), b=np.array([2, 3]))

    outcome = cli("opt", "d.onnx", "-p", "cast-int64-to-int32", "-o", "o.onnx", "--inputs", "sample.npz")

    assert outcome.code == 0
    assert (
        "not tried at the bounds: Mod 'd.onnx'" in outcome.err
        or "might divide an integer by zero" in outcome.err
    )


@pytest.mark.parametrize("kind", [np.int32, np.int64])
def test_retyped_inputs_hold_under_the_check_whichever_type_a_sample_has(
    cli: Cli, tmp_path: Any, kind: Any
) -> None:
    write(parse("(int64[4] ids) => (int64[4] y) { y = Neg (ids) }", opset=14), tmp_path / "ids.onnx")
    np.savez(tmp_path / "sample.npz", ids=np.array([1, 2, 3, 4], kind))
    step = "cast-int64-to-int32{inputs=true, ranges={ids: [0, 9]}}"

    for inputs in ([], ["--inputs", "sample.npz"]):
        outcome = cli("opt", "ids.onnx", "-p", step, "-o", "out.onnx", *inputs)

        assert outcome.code == 0
        graph = onnx.load("out.onnx").graph
        types = [value.type.tensor_type.elem_type for value in (*graph.input, *graph.output)]
        assert types == [TensorProto.INT32, TensorProto.INT32]


def test_a_sample_that_a_retyped_input_cannot_hold_is_named(cli: Cli, tmp_path: Any) -> None:
    write(parse("(int64[1] ids) => (int64[1] y) { y = Sign (ids) }", opset=14), tmp_path / "ids.onnx")
    np.savez(tmp_path / "sample.npz", ids=np.array([2**31]))

    outcome = cli(
        "opt", "ids.onnx", "-p", "cast-int64-to-int32{inputs=true}", "-o", "o.onnx", "--inputs", "sample.npz"
    )

    assert outcome.code == 4
    assert "input 'ids' is int32, which does not hold 2147483648" in outcome.err


def test_a_float_that_may_be_nan_stays_int64_and_the_line_says_why(cli: Cli, tmp_path: Any) -> None:
    text = """(float[3] x) => (int64[3] y) <float low = {0}, float high = {79}>
    { f = Clip (x, low, high) y = Cast <to = 7> (f) }"""
    write(parse(text, opset=14), tmp_path / "label.onnx")

    plain = cli("opt", "label.onnx", "-p", "cast-int64-to-int32", "-o", "out.onnx")
    stated = cli("opt", "label.onnx", "-p", "cast-int64-to-int32{ranges={x: [0, 79]}}", "-o", "known.onnx")

    assert "graph output 'y' stays int64: it is cast from a float that may be infinite or NaN" in plain.err
    assert (plain.code, stated.code) == (0, 0), stated.err
    types = [
        onnx.load(name).graph.output[0].type.tensor_type.elem_type for name in ("out.onnx", "known.onnx")
    ]
    assert types == [TensorProto.INT64, TensorProto.INT32]


def test_the_check_tries_a_nan(cli: Cli, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from convertkit_passes.int64 import ranges

    text = "(float16[3] x) => (int64[3] y) { f = Sigmoid (x) y = Cast <to = 7> (f) }"
    write(parse(text, opset=14), tmp_path / "label.onnx")
    monkeypatch.setattr(ranges, "_may_be_nan", lambda *about: False)

    outcome = cli("opt", "label.onnx", "-p", "cast-int64-to-int32", "-o", "out.onnx")

    assert outcome.code == 4
    assert "on inputs at the bounds of what it assumes" in outcome.err


def test_a_default_beyond_the_stated_range_is_part_of_it(cli: Cli, tmp_path: Any) -> None:
    model = parse(f"(int64[1] ids) => (int64[1] y) <int64[1] ids = {{{NONE}}}> {{ y = Neg (ids) }}", opset=14)
    write(model, tmp_path / "ids.onnx")
    step = "cast-int64-to-int32{inputs=true, ranges={ids: [0, 9]}}"

    outcome = cli("opt", "ids.onnx", "-p", step, "-o", "out.onnx")

    assert outcome.code == 0, outcome.err
    assert f"graph input 'ids', graph output 'y' stay int64: its values may be 0 to {NONE}" in outcome.err


def test_a_range_without_a_value_is_refused(cli: Cli, tmp_path: Any) -> None:
    write(parse("(int64[1] ids) => (int64[1] y) { y = Neg (ids) }", opset=14), tmp_path / "ids.onnx")

    outcome = cli("opt", "ids.onnx", "-p", "cast-int64-to-int32{ranges={ids: [9, 0]}}", "-o", "o.onnx")

    assert outcome.code == 2
    assert "the range of 'ids' is empty: 9 to 0 (lowest first)" in outcome.err


def test_a_range_of_something_that_is_no_input_names_the_nearest(cli: Cli, tmp_path: Any) -> None:
    write(parse("(int64[1] ids) => (int64[1] y) { y = Neg (ids) }", opset=14), tmp_path / "ids.onnx")

    outcome = cli("opt", "ids.onnx", "-p", "cast-int64-to-int32{ranges={idz: [0, 9]}}", "-o", "o.onnx")

    assert outcome.code != 0
    assert "'idz'" in outcome.err and "ids" in outcome.err


def test_a_quotient_of_floats_within_whole_bounds_is_no_whole_number() -> None:
    steps = CastInt64ToInt32(ranges={"x": (1, 1000000), "d": (0, 10)})
    for node in ("q = Div (x, d)", "q = Mod <fmod = 1> (x, d)"):
        model = parse(
            f"(float[2] x, float[2] d) => (int64[2] y) {{ {node} y = Cast <to = 7> (q) }}", opset=14
        )

        result = apply(steps, model)

        feeds = {"x": np.full(2, 1e6, np.float32), "d": np.array([1e-6, 0], np.float32)}
        assert assert_equal(model, result, [feeds])
        assert result.proto.graph.output[0].type.tensor_type.elem_type == TensorProto.INT64


@pytest.mark.parametrize(
    ("kind", "low", "high"), [("uint8", -5, 100), ("bool", 0, 2), ("float", 0, 10**400), ("int64", 0, 2**63)]
)
def test_a_range_that_the_type_of_its_input_cannot_hold_is_refused(kind: str, low: int, high: int) -> None:
    model = parse(f"({kind}[2] x) => (int64[2] y) {{ y = Cast <to = 7> (x) }}", opset=14)

    with pytest.raises(ConvertkitError, match=r"the range of 'x' passes .* which is what its type can hold"):
        apply(CastInt64ToInt32(ranges={"x": (low, high)}), model)


def test_the_names_inside_a_branch_are_taken_too() -> None:
    model = parse(
        """(bool c, float[2,3] x) => (int64[2] y)
        {
            q = ArgMax <axis = 1, keepdims = 0> (x)
            r = If (c) <
                then_branch = then () => (int64[2] q_int32) { q_int32 = Identity (q) },
                else_branch = other () => (int64[2] q_int64) { q_int64 = Neg (q) }
            >
            s = Sign (r)
            y = Add (s, q)
        }""",
        opset=14,
    )
    feeds = [{"c": np.array(c), "x": np.arange(6, dtype=np.float32).reshape(2, 3)} for c in (False, True)]

    result = apply(CastInt64ToInt32(), model)

    validate(result)
    assert assert_equal(model, result, feeds) == 2
