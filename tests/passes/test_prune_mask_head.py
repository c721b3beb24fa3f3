"""``prune-mask-head``: one row of the last convolution per detection."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_passes.prune_mask_head import PruneMaskHead
from convertkit_passes.select_class_masks import SelectClassMasks
from hypothesis import given, settings
from hypothesis import strategies as st

from convertkit.errors import UsageError
from convertkit.graph.light import LightModel
from convertkit.graph.session import open_session
from convertkit.graph.validate import validate
from convertkit.passes.pipeline import Pipeline
from tests.graphtext import apply, parse, show

GRAPH = """(float[2,2,4,4] x, int32[2] l) => (float[2,3,4,4] masks, int32[2] labels)
<float[3,2,1,1] w = {1, 2, 3, 4, 5, 6}, float[3] b = {7, 8, 9}>
{
    labels = Identity (l)
    logits = Conv OPTIONS (x, w, b)
    masks = Sigmoid (logits)
}"""


def selected(text: str = GRAPH, options: str = "") -> LightModel:
    return apply(SelectClassMasks(), text.replace("OPTIONS", options))


def test_the_convolution_becomes_a_product_with_one_row_per_detection() -> None:
    after = """(float[2,2,4,4] x, int32[2] l) => (float[2,4,4] masks, int32[2] labels)
    <float[3,1,1] b_rows = {7, 8, 9}, int64[3] mask_shape = {2, 4, 4}, int64[3] shape = {2, 2, 16},
     float[3,1,2] w_rows = {1, 2, 3, 4, 5, 6}>
    {
        labels = Identity (l)
        Reshape_output_1 = Reshape (x, shape)
        Gather_output = Gather <axis = 0> (w_rows, labels)
        Gather_1_output = Gather <axis = 0> (b_rows, labels)
        MatMul_output = MatMul (Gather_output, Reshape_output_1)
        Add_output_1 = Add (MatMul_output, Gather_1_output)
        selected_masks = Reshape (Add_output_1, mask_shape)
        masks = Sigmoid (selected_masks)
    }"""

    assert show(apply(PruneMaskHead(), selected())) == show(after)


def test_without_bias_nothing_is_added() -> None:
    text = GRAPH.replace(", float[3] b = {7, 8, 9}", "").replace("w, b", "w")

    result = show(apply(PruneMaskHead(), selected(text)))

    assert "MatMul" in result
    assert "Add" not in result and "Conv" not in result


@pytest.mark.parametrize(
    "options",
    [
        "<pads = [1, 1, 1, 1], strides = [2, 2], kernel_shape = [1, 1], dilations = [1, 1]>",
        "<group = 2>",
    ],
)
def test_another_kind_of_convolution_stays(options: str) -> None:
    text = GRAPH.replace("float[3,2,1,1] w = {1, 2, 3, 4, 5, 6}", "float[4,1,1,1] w = {1, 2, 3, 4}")
    text = text.replace("float[3] b = {7, 8, 9}", "float[4] b = {7, 8, 9, 9}").replace(
        "[2,3,4,4]", "[2,4,4,4]"
    )
    if "pads" in options:
        text = GRAPH.replace("[2,3,4,4] masks", "[2,3,3,3] masks")
    model = selected(text, options)
    validate(model)

    assert apply(PruneMaskHead(), model) is model


def test_a_kernel_of_three_by_three_stays() -> None:
    weights = ", ".join(["1"] * 54)
    text = GRAPH.replace("float[3,2,1,1] w = {1, 2, 3, 4, 5, 6}", f"float[3,2,3,3] w = {{{weights}}}")
    model = selected(text, "<pads = [1, 1, 1, 1]>")
    validate(model)

    assert apply(PruneMaskHead(), model) is model


def test_logits_that_something_else_needs_stay() -> None:
    text = GRAPH.replace("labels)\n", "labels, float[2,3,4,4] logits)\n", 1)
    model = selected(text)

    assert apply(PruneMaskHead(), model) is model


def test_a_gather_that_selects_something_else_stays() -> None:
    model = parse(
        """(float[2,2,4,4] x, int32[2] l) => (float[2,4,4] y)
        <float[3,2,1,1] w = {1, 2, 3, 4, 5, 6}, int64[3] rows = {6, 4, 4}, int32[2] other = {0, 2}>
        {
            c = Conv (x, w)
            flat = Reshape (c, rows)
            index = Add (other, l)
            y = Gather <axis = 0> (flat, index)
        }"""
    )

    assert apply(PruneMaskHead(), model) is model


@given(st.integers(1, 5), st.integers(2, 6), st.integers(1, 8), st.integers(0, 9))
@settings(deadline=None, max_examples=15)
def test_the_values_stay_within_rounding(count: int, classes: int, channels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = ", ".join(f"{value:.5f}" for value in rng.standard_normal(classes * channels))
    bias = ", ".join(f"{value:.5f}" for value in rng.standard_normal(classes))
    model = selected(
        f"""(float[{count},{channels},3,2] x, int32[{count}] l)
        => (float[{count},{classes},3,2] masks, int32[{count}] labels)
        <float[{classes},{channels},1,1] w = {{{weights}}}, float[{classes}] b = {{{bias}}}>
        {{ labels = Identity (l) masks = Conv (x, w, b) }}"""
    )
    feeds = {
        "x": rng.standard_normal((count, channels, 3, 2)).astype(np.float32),
        "l": rng.integers(0, classes, count).astype(np.int32),
    }

    result = apply(PruneMaskHead(), model)

    validate(result)
    assert "Conv" not in show(result)
    before = open_session(model, optimize=False).run(feeds)["masks"]
    after = open_session(result, optimize=False).run(feeds)["masks"]
    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-5)


def test_it_needs_the_selection_before_it() -> None:
    with pytest.raises(UsageError, match="requires select-class-masks"):
        Pipeline((PruneMaskHead(),)).check_order()
