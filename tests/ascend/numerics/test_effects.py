"""Which effects are on: as named, or as the compiler's options leave them."""

from __future__ import annotations

import pytest
from convertkit_ascend.numerics import Effects

from convertkit.errors import UnavailableError, UnknownNameError
from tests.ascend.chip import CHIP, told
from tests.graphtext import parse

KERNELS_ONLY = Effects(weights=False, activations=False)


@pytest.mark.parametrize(
    ("options", "effects"),
    [
        ({}, Effects()),
        ({"precision_mode": "force_fp16", "aicore_num": 4}, Effects()),
        ({"precision_mode_v2": "fp16"}, Effects()),
        ({"precision_mode": "must_keep_origin_dtype"}, KERNELS_ONLY),
        ({"precision_mode_v2": "origin"}, KERNELS_ONLY),
    ],
)
def test_options_of_the_compiler_decide(options: dict[str, object], effects: Effects) -> None:
    assert Effects.of_options(options) == effects


GRAPH = "(float[2] x) => (float[2] y) { y = Relu(x) }"


def test_a_mixture_is_not_guessed_at_but_effects_can_be_named() -> None:
    context, emulator = told({"precision_mode": "allow_mix_precision"}), CHIP.emulator

    with pytest.raises(UnavailableError, match=r"do not emulate precision allow_mix_precision \(name the "):
        emulator.emulate(parse(GRAPH), "device-numerics", "", context)
    assert emulator.emulate(parse(GRAPH), "device-numerics", "weights", context) is not None


@pytest.mark.parametrize("effects", ["", "weights"])
def test_types_of_operators_to_keep_are_not_left_out_in_silence(effects: str) -> None:
    context = told({"precision_mode": "force_fp16", "keep_dtype": ["OpType::Relu"]})

    with pytest.raises(
        UnavailableError, match=r"do not emulate option keep_dtype OpType::Relu \(name the nodes"
    ):
        CHIP.emulator.emulate(parse(GRAPH), "device-numerics", effects, context)


def test_an_unknown_effect_is_named() -> None:
    with pytest.raises(UnknownNameError, match="unknown effect 'weight'"):
        Effects.parse("weight+nms")
