"""``select-class-masks``: the predicted class's mask, chosen inside the graph."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_passes.select_class_masks import SelectClassMasks
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from convertkit.errors import PassError
from convertkit.graph.session import open_session
from convertkit.graph.validate import validate
from convertkit.passes.check import Checker
from tests.graphtext import apply, parse, rewritten, show

HEAD = "(float[2,3,4,4] x, {kind}[2] l) => (float[2,3,4,4] masks, {kind}[2] labels)"


def test_the_sigmoid_moves_behind_the_selection() -> None:
    before = (
        HEAD.format(kind="int32")
        + """{
        labels = Identity (l)
        logits = Relu (x)
        masks = Sigmoid (logits)
    }"""
    )

    after = """(float[2,3,4,4] x, int32[2] l) => (float[2,4,4] masks, int32[2] labels)
    <int32[2] first_mask_of_slot = {0, 3}, int64[3] mask_rows = {6, 4, 4}>
    {
        labels = Identity (l)
        Reshape_output = Reshape (x, mask_rows)
        Add_output = Add (first_mask_of_slot, labels)
        selected_masks = Gather <axis = 0> (Reshape_output, Add_output)
        logits = Relu (selected_masks)
        masks = Sigmoid (logits)
    }"""
    assert rewritten(SelectClassMasks(), before) == show(after)


def test_the_index_is_int32_even_where_labels_are_int64() -> None:
    before = HEAD.format(kind="int64") + "{ labels = Identity (l) masks = Sigmoid (x) }"

    after = """(float[2,3,4,4] x, int64[2] l) => (float[2,4,4] masks, int64[2] labels)
    <int32[2] first_mask_of_slot = {0, 3}, int64[3] mask_rows = {6, 4, 4}>
    {
        labels = Identity (l)
        Reshape_output = Reshape (x, mask_rows)
        Cast_output = Cast <to = 6> (labels)
        Add_output = Add (first_mask_of_slot, Cast_output)
        selected_masks = Gather <axis = 0> (Reshape_output, Add_output)
        masks = Sigmoid (selected_masks)
    }"""
    assert rewritten(SelectClassMasks(), before) == show(after)


def test_what_mixes_classes_stays_in_front_of_the_selection() -> None:
    before = HEAD.format(kind="int32") + "{ labels = Identity (l) masks = Softmax <axis = 1> (x) }"

    after = """(float[2,3,4,4] x, int32[2] l) => (float[2,4,4] masks, int32[2] labels)
    <int32[2] first_mask_of_slot = {0, 3}, int64[3] mask_rows = {6, 4, 4}>
    {
        labels = Identity (l)
        masks_of_all_classes = Softmax <axis = 1> (x)
        Reshape_output = Reshape (masks_of_all_classes, mask_rows)
        Add_output = Add (first_mask_of_slot, labels)
        masks = Gather <axis = 0> (Reshape_output, Add_output)
    }"""
    assert rewritten(SelectClassMasks(), before) == show(after)


def test_a_factor_per_class_stays_in_front_and_a_number_moves_behind() -> None:
    before = """(float[2,3,4,4] x, int32[2] l) => (float[2,3,4,4] masks, int32[2] labels)
    <float[3,1,1] per_class = {1, 2, 3}, float[1] half = {0.5}>
    {
        labels = Identity (l)
        scaled = Mul (per_class, x)
        masks = Mul (half, scaled)
    }"""

    text = rewritten(SelectClassMasks(), before)

    assert "Reshape_output = Reshape (scaled, mask_rows)" in text
    assert "masks = Mul (half, selected_masks)" in text


def test_another_consumer_keeps_all_classes() -> None:
    before = """(float[2,3,4,4] x, int32[2] l) => (float[2,3,4,4] masks, int32[2] labels, float[2,3,4,4] logits)
    {
        labels = Identity (l)
        logits = Relu (x)
        masks = Sigmoid (logits)
    }"""

    text = rewritten(SelectClassMasks(), before)

    assert "float[2,3,4,4] logits" in text.splitlines()[0]
    assert "Reshape_output = Reshape (logits, mask_rows)" in text


def test_masks_without_classes_only_lose_their_axis() -> None:
    before = """(float[2,1,4,4] x, int32[2] l) => (float[2,1,4,4] masks, int32[2] labels)
    { labels = Identity (l) masks = Sigmoid (x) }"""

    after = """(float[2,1,4,4] x, int32[2] l) => (float[2,4,4] masks, int32[2] labels)
    <int64[3] mask_rows = {2, 4, 4}>
    {
        labels = Identity (l)
        selected_masks = Reshape (x, mask_rows)
        masks = Sigmoid (selected_masks)
    }"""
    assert rewritten(SelectClassMasks(), before) == show(after)


def test_masks_that_are_selected_already_stay() -> None:
    model = parse(HEAD.format(kind="int32") + "{ labels = Identity (l) masks = Sigmoid (x) }")
    once = apply(SelectClassMasks(), model)

    assert apply(SelectClassMasks(), once) is once


@given(
    st.integers(1, 6),
    st.integers(1, 5),
    st.integers(0, 9),
    st.sampled_from(["Sigmoid", "Softmax <axis = 1>"]),
)
@settings(deadline=None, max_examples=20)
def test_every_detection_keeps_the_mask_of_its_label(count: int, classes: int, seed: int, last: str) -> None:
    rng = np.random.default_rng(seed)
    dims = f"{count},{classes},3,2"
    model = parse(
        f"(float[{dims}] x, int64[{count}] l) => (float[{dims}] masks, int64[{count}] labels) "
        f"{{ labels = Identity (l) masks = {last} (x) }}"
    )
    feeds = {
        "x": rng.standard_normal((count, classes, 3, 2)).astype(np.float32),
        "l": rng.integers(0, classes, count),
    }

    result = apply(SelectClassMasks(), model)

    validate(result)
    all_classes = _run(model, feeds)
    np.testing.assert_allclose(
        _run(result, feeds), all_classes[np.arange(count), feeds["l"]], rtol=1e-6, atol=0
    )


def test_the_check_of_the_pass_compares_the_mask_of_the_label() -> None:
    model = parse(
        """(float[2,5] d, float[2,3,4,4] x, int32[2] l)
        => (float[2,5] dets, int32[2] labels, float[2,3,4,4] masks)
        { dets = Identity (d) labels = Identity (l) masks = Sigmoid (x) }"""
    )
    sample = {
        "d": np.array([[0, 0, 9, 9, 0.9], [20, 20, 40, 40, 0.8]], np.float32),
        "x": np.random.default_rng(0).standard_normal((2, 3, 4, 4)).astype(np.float32),
        "l": np.array([2, 0], np.int32),
    }
    judge = Checker([sample], {name: name for name in ("dets", "labels", "masks")})

    record = judge.check(SelectClassMasks(), model, apply(SelectClassMasks(), model), changed=True)

    assert "2 detections matched" in record.detail


@pytest.mark.parametrize(
    ("signature", "options", "message"),
    [
        ("float[2,3,4,4] masks, int32[2] labels", {"masks": "mask"}, "no output 'mask' (its outputs: masks,"),
        ("float[2,3,4,4] masks, int32[1,2] labels", {}, "expected (K,)"),
        ("float[n,3,4,4] masks, int32[2] labels", {}, "not static (export with static shapes)"),
        ("float[2,3,4,4,4] masks, int32[2] labels", {}, "expected (K, C, h, w)"),
        ("float[2,3,4,4] masks, int32[3] labels", {}, "2 masks for 3 entries of 'labels'"),
    ],
)
def test_what_cannot_be_selected_is_refused_in_one_line(
    signature: str, options: dict[str, str], message: str
) -> None:
    text = f"(float[2] x, int32[2] l) => ({signature}) {{ masks = Relu (x) labels = Identity (l) }}"

    with pytest.raises(PassError) as caught:
        apply(SelectClassMasks(**options), text)

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_size_that_an_input_leaves_open_is_named_with_the_way_out() -> None:
    text = """(float[n, 3, 4, 4] x, int64[n] l) => (float[n, 3, 4, 4] masks, int64[n] labels)
    { masks = Relu (x) labels = Identity (l) }"""

    with pytest.raises(PassError) as caught:
        apply(SelectClassMasks(), text)

    line = 'axis 0 (n) of x is open; axis 0 (n) of l is open: --input-shape "x:N,3,4,4;l:N"'
    assert caught.value.hint == line


@pytest.mark.parametrize(
    "text",
    [
        "(float[2,1,1,1] masks, int64[2] l) => (float[2,1,1,1] masks, int64[2] labels) { labels = Identity (l) }",
        "(int64[2] l) => (float[2,1,1,1] masks, int64[2] labels) <float[2,1,1,1] masks = {1, 2}>"
        " { labels = Identity (l) }",
    ],
)
def test_masks_that_no_node_makes_are_refused(text: str) -> None:
    with pytest.raises(
        PassError, match="output 'masks' is a graph input or an initializer, no node makes it"
    ):
        apply(SelectClassMasks(), text)


def _run(model: object, feeds: dict[str, NDArray[np.generic]]) -> NDArray[np.float32]:
    return open_session(model, optimize=False).run(feeds)["masks"]  # type: ignore[arg-type]
