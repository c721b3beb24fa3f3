"""AIPP's arithmetic before a graph, against numpy's own float16, and against the host's normalisation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from convertkit_ascend.aipp import Aipp, Padding, from_pixels, prepend
from hypothesis import given, settings
from hypothesis import strategies as st

from convertkit.api.graphs import open_session
from convertkit.api.models import PreprocessSpec, letterbox
from convertkit.api.targets import Pixels
from convertkit.errors import GraphError, UnavailableError
from tests.graphtext import parse, show

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
ROUNDOFF, TINY = 2.0**-11, 2.0**-25
"""fp16: largest relative error of rounding a normal number, largest absolute one of rounding a subnormal."""

GRAPH = "(float[1,3,16,16] x) => (float[1,3,16,16] y) { y = Identity(x) }"
AFTER = """\
(uint8[1,16,16,3] x) => (float[1,3,16,16] y)
<float[1,3,1,1] aipp = {1.0, 2.0, 3.0}, float[1,3,1,1] aipp_1 = {0.5, 0.0, 0.25}, float[1,3,1,1] aipp_2 = {0.5, 0.25, 2.0}, int64[3] aipp_swap = {2, 1, 0}>
{
    Cast_output = Cast <to = 1> (x)
    Transpose_output = Transpose <perm = [0, 3, 1, 2]> (Cast_output)
    Gather_output = Gather <axis = 1> (Transpose_output, aipp_swap)
    Sub_output = Sub (Gather_output, aipp)
    Sub_1_output = Sub (Sub_output, aipp_1)
    Cast_1_output = Cast <to = 10> (Sub_1_output)
    Cast_2_output = Cast <to = 1> (Cast_1_output)
    Mul_output = Mul (Cast_2_output, aipp_2)
    Cast_3_output = Cast <to = 10> (Mul_output)
    Cast_4_output = Cast <to = 1> (Cast_3_output)
    y = Identity (Cast_4_output)
}
"""  # noqa: E501

RAMP = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
"""Every value a pixel can have, in every channel."""


def spec_of(mean=MEAN, std=STD, to_rgb=True):
    return PreprocessSpec(mean=mean, std=std, to_rgb=to_rgb, normalize="target")


def run(pixels, spec):
    aipp = from_pixels(Pixels("x", (16, 16), spec))
    return open_session(prepend(parse(GRAPH), "x", aipp)).run({"x": pixels})["y"]


def oracle(pixels, spec):
    """The documented formula, one float16 operation after another."""
    planes = pixels.transpose(0, 3, 1, 2).astype(np.float16)
    planes = planes[:, ::-1] if spec.to_rgb else planes
    result = np.empty_like(planes)
    for channel, (mean, std) in enumerate(zip(spec.mean, spec.std, strict=True)):
        whole = np.float16(math.floor(mean))
        low, factor = np.float16(mean - math.floor(mean)), np.float16(1 / std)
        result[:, channel] = ((planes[:, channel] - whole) - low) * factor
    return result


def bound(values, mean, std):
    """The most that ``(x - floor(m) - l) * r`` in fp16 can differ from ``(x - m) / s``.

    l and r are rounded, the second difference and the product are rounded; the first difference is whole. With u for
    the relative error of a rounding and e for the error of l: r ((|x - m| + e) (1 + u)^3 - |x - m|), and what
    subnormal results add.
    """
    distance = np.abs(values - mean)
    low = (mean - math.floor(mean)) * ROUNDOFF + TINY
    grown = (distance + low) * (1 + ROUNDOFF) ** 3 - distance
    return grown / std + TINY / std + TINY


def test_the_graph_before_and_after() -> None:
    spec = spec_of(mean=(1.5, 2.0, 3.25), std=(2.0, 4.0, 0.5))
    aipp = from_pixels(Pixels("x", (16, 16), spec))

    after = show(prepend(parse(GRAPH), "x", aipp))

    assert after == show(parse(AFTER))


@pytest.mark.parametrize("to_rgb", [True, False])
def test_every_pixel_value_has_the_bits_of_float16_arithmetic(to_rgb: bool) -> None:
    pixels = RAMP.copy()
    pixels[..., 1] = 255 - pixels[..., 1]
    pixels[..., 2] = np.roll(pixels[..., 2], 100)

    found = run(pixels, spec_of(to_rgb=to_rgb))

    np.testing.assert_array_equal(found, oracle(pixels, spec_of(to_rgb=to_rgb)).astype(np.float32))


@pytest.mark.slow
@given(
    st.tuples(*[st.floats(0, 255)] * 3),
    st.tuples(*[st.floats(2e-5, 16000)] * 3),
)
@settings(deadline=None, max_examples=40)
def test_any_mean_and_std_has_the_bits_of_float16_arithmetic(mean, std) -> None:
    spec = spec_of(mean, std)

    with np.errstate(over="ignore"):
        expected = oracle(RAMP, spec).astype(np.float32)
    np.testing.assert_array_equal(run(RAMP, spec), expected)


@pytest.mark.slow
@given(st.tuples(*[st.floats(0, 255)] * 3), st.tuples(*[st.floats(0.01, 1000)] * 3))
@settings(deadline=None, max_examples=40)
def test_the_host_is_met_within_the_bound_of_four_roundings(mean, std) -> None:
    found = run(RAMP, spec_of(mean, std))[0].reshape(3, 256).astype(np.float64)

    for channel in range(3):
        values = np.arange(256, dtype=np.float64)
        exact = (values - mean[channel]) / std[channel]
        assert (np.abs(found[channel] - exact) <= bound(values, mean[channel], std[channel])).all()


def test_for_mask_rcnn_that_is_less_than_padding_with_whole_pixels_costs() -> None:
    spec = spec_of()
    host, _ = letterbox(RAMP[0], (16, 16), spec.on_host())

    difference = np.abs(run(RAMP, spec) - host).max()

    padding = max(abs(math.floor(m + 0.5) - m) / s for m, s in zip(MEAN, STD, strict=True))
    assert difference == pytest.approx(0.00163, abs=1e-5)
    assert padding == pytest.approx(0.00819, abs=1e-5)


def test_padding_comes_out_as_the_nearest_pixel_does() -> None:
    spec = spec_of()
    photo = np.full((8, 16, 3), 200, np.uint8)

    pixels, _ = letterbox(photo, (16, 16), spec)

    padded = run(pixels, spec)[0, :, 15, 0]
    exact = [(124 - 123.675) / 58.395, (116 - 116.28) / 57.12, (104 - 103.53) / 57.375]
    np.testing.assert_allclose(padded, exact, rtol=1.5e-3)


def test_a_mean_kept_in_one_piece_would_be_sixty_times_farther_off() -> None:
    mean = np.float64(123.675)

    whole = abs(np.float64(np.float16(mean)) - mean)
    split = abs(123 + np.float64(np.float16(mean - 123)) - mean)

    assert whole / split == pytest.approx(64, rel=0.01)


def test_half_precision_inputs_stay_half() -> None:
    model = parse("(float16[1,3,16,16] x) => (float16[1,3,16,16] y) { y = Identity(x) }")

    fed = prepend(model, "x", from_pixels(Pixels("x", (16, 16), spec_of())))

    found = open_session(fed).run({"x": RAMP})["y"]
    np.testing.assert_array_equal(found, oracle(RAMP, spec_of()))


def test_what_does_not_fit_is_refused() -> None:
    aipp = from_pixels(Pixels("x", (16, 16), spec_of()))

    with pytest.raises(GraphError, match=r"no input 'image' to normalise; it has x"):
        prepend(parse(GRAPH), "image", aipp)
    with pytest.raises(
        GraphError, match=r"input 'x' is \[1, 3, 16, 16\]; AIPP gives \[N, 3, 8, 16\] \(E70014\)"
    ):
        prepend(parse(GRAPH), "x", Aipp(width=16, height=8))
    with pytest.raises(UnavailableError, match="crops or pads"):
        prepend(parse(GRAPH), "x", Aipp(width=16, height=16, padding=Padding(left=1)))
