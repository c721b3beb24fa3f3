"""Some nodes in fp32, the others in fp16: the two ends are today's rungs, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from convertkit_ascend import ops
from convertkit_ascend.numerics import Effects, emulate
from convertkit_ascend.passes.cast_fp16_operators import CastFp16Operators

from convertkit.api.commands.asking import request_of
from convertkit.api.targets import LightModel, UnavailableError
from convertkit.conversion.engine import graph_after
from convertkit.errors import UsageError
from convertkit.graph.session import open_session
from convertkit.heads.domain import register_schemas
from convertkit.targets.mixed import mixed_of
from tests.ascend.chip import CHIP, PLAIN, told
from tests.ascend.linter.graphs import named
from tests.ascend.passes.test_cast_fp16_operators import network
from tests.graphtext import apply, parse

CHAIN = """
(float[1,2] x) => (float[1,2] y, float[1,2] z)
<float[2] w = {0.1, 0.3}, float[2] b = {0.7, 2049.0}>
{
    m = Mul(x, w)
    t = Reshape(m, form)
    s = Sub(t, w)
    y = Add(s, b)
    z = Neg(m)
}
""".replace("2049.0}>", "2049.0}, int64[2] form = {1, 2}>")
M, T, S, Y, Z = "n0", "n1", "n2", "n3", "n4"

X = np.array([[0.1, 3000.7]], np.float32)
W, B = np.array([0.1, 0.3], np.float32), np.array([0.7, 2049.0], np.float32)


def half(values: Any) -> Any:
    return np.asarray(values, np.float32).astype(np.float16).astype(np.float32)


def chain() -> LightModel:
    return named(CHAIN)


@pytest.mark.parametrize(
    ("keep", "y", "z"),
    [
        ([], half(half(half(half(X) * half(W)) - half(W)) + half(B)), -half(half(X) * half(W))),
        ([M], half(half(half(X * W) - half(W)) + half(B)), -half(X * W)),
        ([M, T, S], half(half(X * W - W) + half(B)), -half(X * W)),
        ([M, S], half(half(half(X * W) - W) + half(B)), -half(X * W)),  # the Reshape between is in fp16
        ([Y], half(half(half(X) * half(W)) - half(W)) + B, -half(half(X) * half(W))),
        ([M, T, S, Y, Z], X * W - W + B, -(X * W)),
    ],
)
def test_casts_are_where_the_precision_changes(keep: list[str], y: Any, z: Any) -> None:
    found = emulate(chain(), Effects(), keep).run({"x": X})

    np.testing.assert_array_equal(found["y"], y)
    np.testing.assert_array_equal(found["z"], z)


def test_the_plan_does_not_change_the_graph_it_was_given() -> None:
    model = chain()
    before = model.digest()

    emulate(model, Effects(), [M])

    assert model.digest() == before


@pytest.mark.parametrize("seed", range(3))
def test_everything_that_can_be_kept_is_the_origin(seed: int) -> None:
    """With what has fp16 kernels only in fp16, as ``cast-fp16-operators`` writes it for ``must_keep_origin_dtype``."""
    model, random = network(seed), np.random.default_rng(seed)
    inputs = {"x": random.normal(size=(1, 3, 16, 16)).astype(np.float32)}
    origin = Effects.of_options({"precision_mode_v2": "origin"})
    fixed = CHIP.mixed.cannot_keep(model)
    keep = [node.name for node in model.proto.graph.node if node.name not in fixed]

    mixed = emulate(model, Effects(), keep).run(inputs)
    wanted = emulate(apply(CastFp16Operators(), model), origin).run(inputs)

    assert len(fixed) == 3 and keep
    np.testing.assert_array_equal(mixed["y"], wanted["y"])
    assert not np.array_equal(mixed["y"], emulate(model, Effects()).run(inputs)["y"])


def test_nothing_kept_is_all_fp16() -> None:
    runtime = CHIP.mixed.emulate(chain(), (), PLAIN)

    for name, value in emulate(chain(), Effects()).run({"x": X}).items():
        np.testing.assert_array_equal(runtime.run({"x": X})[name], value)


def test_what_has_no_fp32_kernel_says_so() -> None:
    ops.register_schemas()
    model = named(
        "(float[1,5,1,4] b, float[1,5,3] s) => (float[1,4,4] y) { y, p, k, n = convertkit.ascend.BatchMultiClassNMS"
        " <iou_threshold = 0.5, max_size_per_class = 4, max_total_size = 4, score_threshold = 0.25> (b, s) }"
    )

    assert CHIP.mixed.cannot_keep(model) == {"n0": "its kernels are float16 only"}
    with pytest.raises(
        UnavailableError, match="BatchMultiClassNMS 'n0' cannot be kept in fp32: its kernels are"
    ):
        emulate(model, Effects(), ["n0"])
    with pytest.raises(UnavailableError, match="Conv 'n0' cannot be kept"):
        emulate(network(), Effects(), ["n0"])


def test_a_node_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="the graph has no node 'n9' to keep in fp32"):
        emulate(chain(), Effects(), ["n9"])


def test_the_compilers_own_option_is_emulated() -> None:
    context = told({"precision_mode": "force_fp16", "keep_dtype": [M]})

    found = CHIP.emulator.emulate(chain(), "device-numerics", "", context).run({"x": X})

    np.testing.assert_array_equal(found["z"], -half(X * W))


@pytest.mark.parametrize("effects", ["all", "roi-extractor+nms+weights+activations"])
def test_nodes_are_kept_where_effects_are_named_as_well(effects: str) -> None:
    context = told({"precision_mode": "force_fp16", "keep_dtype": [M]})

    found = CHIP.emulator.emulate(chain(), "device-numerics", effects, context).run({"x": X})

    np.testing.assert_array_equal(found["z"], -half(X * W))


def test_a_head_that_becomes_a_vendor_operator_cannot_be_kept() -> None:
    register_schemas()
    model = named(
        "(float[1,5,1,4] b, float[1,5,3] s) => (float[1,4,4] y) { y, p, k, n = convertkit.heads.MulticlassNms"
        " <iou_threshold = 0.5, max_per_class = 4, max_total = 4, score_threshold = 0.25> (b, s) }"
    )

    assert CHIP.mixed.cannot_keep(model) == {"n0": "its kernels are float16 only"}


def test_a_node_without_a_name_is_none_to_keep() -> None:
    model = chain()
    for node in model.proto.graph.node:
        node.name = ""

    with pytest.raises(UsageError, match="the graph has no node '' to keep"):
        emulate(model, Effects(), [""])


def test_what_is_right_is_the_graph_with_its_operators_as_they_are_defined() -> None:
    found = CHIP.mixed.reference(chain()).run({"x": X})

    for name, value in open_session(chain()).run({"x": X}).items():
        np.testing.assert_array_equal(found[name], value)


def test_a_target_without_a_choice_says_so() -> None:
    from convertkit.plugins.loading import open_plugins

    with pytest.raises(UsageError, match="target cpu has no precision to plan"):
        mixed_of(open_plugins().targets.get("cpu"))


def test_an_input_is_rounded_for_those_that_are_not_kept() -> None:
    model = parse("(float[2] x) => (float[2] p, float[2] q) { p = Neg(x) q = Relu(x) }")
    for place, node in enumerate(model.proto.graph.node):
        node.name = f"n{place}"
    x = np.array([0.1, 2049.5], np.float32)

    found = emulate(model, Effects(), ["n0"]).run({"x": x})

    np.testing.assert_array_equal(found["p"], -x)
    np.testing.assert_array_equal(found["q"], half(x))


@pytest.mark.slow
def test_both_ends_on_the_graph_of_mini() -> None:
    """Mini as it is built for ATC's default, and as it is built for ``origin``."""
    request, origin = (
        request_of("maskrcnn", variant="mini", target=CHIP.name),
        {"precision_mode_v2": "origin"},
    )
    other = request_of("maskrcnn", variant="mini", target=CHIP.name, option=origin)
    model, kept = (graph_after(each, len(each.pipeline.steps)) for each in (request, other))
    image = next(iter(request.package.model.sample_images()))
    settings = request.package.preprocess_spec(request.variant)
    inputs, _ = request.package.model.preprocess(image, request.variant.spec.size, settings)
    fixed = CHIP.mixed.cannot_keep(model)
    keep = [node.name for node in model.proto.graph.node if node.name not in fixed]

    low = CHIP.mixed.emulate(model, (), PLAIN).run(inputs)
    high = CHIP.mixed.emulate(model, keep, PLAIN).run(inputs)

    rungs = (
        CHIP.emulator.emulate(*each).run(inputs)
        for each in ((model, "device-numerics", "", PLAIN), (kept, "device-numerics", "", told(origin)))
    )
    for found, rung in zip((low, high), rungs, strict=True):
        for name, value in rung.items():
            np.testing.assert_array_equal(found[name], value)
    assert any(not np.array_equal(low[name], high[name]) for name in low)
