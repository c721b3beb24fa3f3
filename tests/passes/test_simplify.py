"""``simplify``: as good as onnxsim on the whole file, without carrying the weights there."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from convertkit_passes import _simplify_child as child
from convertkit_passes import simplify
from convertkit_passes.simplify import Simplify
from convertkit_passes.weights import needed_weights
from onnx import TensorProto, helper, numpy_helper

from convertkit.api.testing import corpus
from convertkit.errors import PassError
from convertkit.graph.light import LightModel, attach, detach
from convertkit.graph.validate import validate
from tests.graphtext import apply, parse, rewritten, show
from tests.passes.outputs import outputs
from tests.tiny import tiny_model

RNG = np.random.default_rng(7)


def model_of(nodes: list[onnx.NodeProto], weights: dict[str, tuple[int, ...]], result: str) -> LightModel:
    """A graph from ``x`` (1, 16, 8, 8) to ``result`` with random weights of the shapes given."""
    tensors = [
        numpy_helper.from_array(RNG.uniform(0.5, 1.5, shape).astype(np.float32), name)
        for name, shape in weights.items()
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 16, 8, 8))]
    values = [helper.make_tensor_value_info(result, TensorProto.FLOAT, (None,) * 4)]
    graph = helper.make_graph(nodes, "network", inputs, values, tensors)
    return detach(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8))


def network() -> LightModel:
    """Two convolutions, one with a normalisation to fuse."""
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["a", "scale", "bias", "mean", "var"], ["b"]),
        helper.make_node("Relu", ["b"], ["c"]),
        helper.make_node("Conv", ["c", "w2"], ["d"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["d"], ["y"]),
    ]
    weights = {
        "w1": (32, 16, 3, 3),
        "w2": (16, 32, 3, 3),
        "scale": (32,),
        "bias": (32,),
        "mean": (32,),
        "var": (32,),
    }
    return model_of(nodes, weights, "y")


@pytest.fixture(autouse=True)
def leave_nothing_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def counts(proto: onnx.ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in proto.graph.node)


def test_constant_arithmetic_is_folded_and_shapes_are_resolved() -> None:
    before = """(float[2,1] x) => (float[N,M] y)
    <int64 zero = {0}, int64[1] two = {2}>
    {
        size = Shape (x)
        rows = Gather (size, zero)
        row = Unsqueeze <axes = [0]> (rows)
        target = Concat <axis = 0> (row, two)
        padded = Concat <axis = 1> (x, x)
        wide = Reshape (padded, target)
        same = Identity (wide)
        y = Relu (same)
    }"""

    result = apply(Simplify(), before)

    assert counts(result.proto) == {"Concat": 1, "Relu": 1}
    validate(result)


def test_only_weights_that_a_fusion_reads_travel() -> None:
    assert needed_weights(network()) == {"w1"}


@pytest.mark.slow
def test_fusions_are_as_good_as_on_the_whole_file_and_idle_weights_come_back() -> None:
    model = network()

    result = apply(Simplify(), model)

    whole = onnx.load_from_string(
        child.simplify(attach(model).SerializeToString(), skip=[], fold_limit=1 << 30)
    )
    assert counts(result.proto) == counts(whole) == {"Conv": 2, "Relu": 2}
    kept = {tensor.name: tensor for tensor in model.detached()}
    assert kept["w2"] in list(result.proto.graph.initializer)
    assert [value.name for value in result.proto.graph.input] == ["x"]
    feeds = {"x": RNG.standard_normal((1, 16, 8, 8)).astype(np.float32)}
    np.testing.assert_allclose(outputs(result, feeds)["y"], outputs(model, feeds)["y"], rtol=2e-4)


@pytest.mark.slow
def test_equal_weights_under_two_names_are_seen_as_equal() -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("Conv", ["x", "copy"], ["b"]),
        helper.make_node("Add", ["a", "b"], ["y"]),
    ]
    model = model_of(nodes, {"w": (16, 16, 1, 1), "copy": (16, 16, 1, 1)}, "y")
    first, second = model.proto.graph.initializer
    second.external_data[0].value = first.external_data[0].value

    result = apply(Simplify(), model)

    assert counts(result.proto) == {"Conv": 1, "Add": 1}


@pytest.mark.slow
def test_two_runs_give_the_same_bytes() -> None:
    model = network()

    first, second = apply(Simplify(), model), apply(Simplify(), model)

    assert first.digest() == second.digest()


def test_unused_inputs_constant_outputs_and_names_stay() -> None:
    before = """(float[2] x, float[3] unused) => (float[2] y, float[1] fixed)
    <float[1] one = {1.0}>
    {
        y = Identity (x)
        fixed = Add (one, one)
    }"""

    result = apply(Simplify(), before)

    assert show(result).startswith("(float[2] x, float[3] unused) => (float[2] y, float[1] fixed)")
    validate(result)
    feeds = {"x": np.ones(2, np.float32), "unused": np.ones(3, np.float32)}
    assert outputs(result, feeds)["fixed"] == [2.0]


def test_metadata_is_the_models_own() -> None:
    model = network()
    entry = model.proto.metadata_props.add()
    entry.key, entry.value = "author", "somebody"

    result = apply(Simplify(), model)

    assert [(item.key, item.value) for item in result.proto.metadata_props] == [("author", "somebody")]


@pytest.mark.slow
def test_an_input_with_a_default_does_not_become_a_required_one() -> None:
    model = parse("(float[2] x, float[2] w) => (float[2] y) <float[2] w = {1.0, 2.0}> { y = Add (x, w) }")

    result = apply(Simplify(), model)

    validate(result)
    assert outputs(result, {"x": np.zeros(2, np.float32)})["y"].tolist() == [1, 2]


@pytest.mark.slow
def test_optimizers_can_be_left_out() -> None:
    result = apply(Simplify(skip=("fuse_bn_into_conv",)), network())

    assert counts(result.proto)["BatchNormalization"] == 1


def test_an_if_around_another_that_onnxsim_stumbles_over_is_left() -> None:
    before = """(float[4] x, bool c) => (float[4] z)
    <bool yes = {1}, int64[1] two = {2}>
    {
        y = If (yes) <
            then_branch = t () => (float[4] u) {
                a = Neg (x)
                u = If (c) <then_branch = n () => (float[4] p) { p = Abs (a) },
                            else_branch = m () => (float[4] q) { q = Exp (a) }>
            },
            else_branch = e () => (float[4] v) { v = Relu (x) }>
        four = Mul (two, two)
        z = Reshape (y, four)
    }"""
    with pytest.raises(RuntimeError, match="topologically sorted"):  # once this fails, the second try may go
        child._simplify(attach(parse(before, opset=16)).SerializeToString(), skip=[], fold_limit=1 << 20)

    result = apply(Simplify(), before, opset=16)

    assert counts(result.proto) == {"If": 1}
    validate(result)
    feeds = {"x": np.ones(4, np.float32), "c": np.asarray(False)}
    np.testing.assert_allclose(outputs(result, feeds)["z"], np.exp(-feeds["x"]), rtol=1e-6)


@pytest.mark.slow
def test_growing_constants_stop_at_the_limit() -> None:
    before = """(float[1] x) => (float[N] y)
    <int64[1] many = {100000}, float[1] one = {1.0}>
    {
        large = Expand (one, many)
        y = Add (x, large)
    }"""

    assert "Expand" in counts(apply(Simplify(fold_limit=1000), before).proto)
    assert "Expand" not in counts(apply(Simplify(), before).proto)


def test_a_foreign_operator_goes_through() -> None:
    model = parse(
        "(float[2] x) => (float[N] y) { a = Identity (x) b = vendor.Spread (a) y = Relu (b) }",
        domains=["vendor"],
    )

    assert counts(apply(Simplify(), model).proto) == {"Spread": 1, "Relu": 1}


def test_an_unknown_optimizer_is_named() -> None:
    with pytest.raises(
        PassError, match=r"no optimizer 'fuse_bn'; the nearest are .*fuse_bn_into_conv"
    ) as caught:
        apply(Simplify(skip=("fuse_bn",)), network())

    assert Path(str(caught.value.hint).split(": ")[-1]).is_file()


def test_a_crash_is_an_ordinary_error_with_a_file_to_try_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    crash = tmp_path / "crash.py"
    crash.write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    monkeypatch.setattr(simplify, "CHILD", [sys.executable, str(crash)])

    with pytest.raises(PassError, match="onnxsim was killed by SIGSEGV") as caught:
        apply(Simplify(), network())

    reproducer = Path(str(caught.value.hint).split(": ")[-1])
    assert counts(onnx.load(reproducer)) == counts(network().proto)


@pytest.mark.slow
def test_a_hang_ends_at_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simplify, "CHILD", [sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.setattr(simplify, "TIME_LIMIT", 0.5)

    with pytest.raises(PassError, match="time limit"):
        apply(Simplify(), network())


def test_a_lost_output_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rename = tmp_path / "rename.py"
    rename.write_text(
        "import onnx, sys\nm = onnx.load(sys.argv[1])\nm.graph.output[0].name = 'z'\nonnx.save(m, sys.argv[2])"
    )
    monkeypatch.setattr(simplify, "CHILD", [sys.executable, str(rename)])

    with pytest.raises(PassError, match="outputs z in place of"):
        apply(Simplify(), network())


@pytest.mark.slow
def test_another_release_of_onnxsim_is_called_through_its_documented_function() -> None:
    """In a process of its own: the public package cannot be imported beside the bare one."""
    data = attach(network()).SerializeToString()
    script = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        "from convertkit_passes._simplify_child import native_core, simplify_publicly\n"
        "native_core()\n"
        "sys.stdout.buffer.write(simplify_publicly(sys.stdin.buffer.read(), skip=[], fold_limit=1 << 20))"
    )
    done = subprocess.run([sys.executable, "-c", script], input=data, capture_output=True, check=True)

    assert counts(onnx.load_from_string(done.stdout)) == {"Conv": 2, "Relu": 2}


def test_nothing_to_do_leaves_the_graph() -> None:
    graph = "(float[2] x) => (float[2] y) { y = Relu (x) }"

    assert rewritten(Simplify(), graph) == show(graph)


def test_a_release_that_contradicts_itself_about_shapes_gets_a_second_try(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import onnxsim

    asked: list[dict[str, Any]] = []

    def contradictory(model: onnx.ModelProto, **options: Any) -> tuple[onnx.ModelProto, bool]:
        asked.append(options)
        if not options.get("skip_shape_inference"):
            raise RuntimeError("[ShapeInferenceError] Inferred shape and existing shape differ")
        return model, True

    monkeypatch.setattr(onnxsim, "simplify", contradictory)
    model = tiny_model()

    result = child.simplify_publicly(model.SerializeToString(), skip=[], fold_limit=1 << 20)

    assert onnx.load_from_string(result) == model
    assert [options.get("skip_shape_inference") for options in asked] == [None, True]


def test_more_weights_than_a_file_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convertkit_passes.simplify.MOST", 4000)
    text = "(float[1, 2000] x) => (float[1, 2000] y) <float[2000] w = {%s}> { y = Add (x, w) }"

    with pytest.raises(PassError, match="at most 2 GiB, and 8000 bytes of weights may be folded or fused"):
        apply(Simplify(), text % ", ".join(["1"] * 2000))


@pytest.mark.slow
def test_a_graph_with_nothing_left_to_do_keeps_the_order_of_its_weights() -> None:
    (sample,) = (one for one in corpus() if one.name == "large weights")
    once = apply(Simplify(), sample.model)

    assert apply(Simplify(), once).digest() == once.digest()
