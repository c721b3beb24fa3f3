"""The chips are rows of one table; the derived figures are those of the facts."""

from __future__ import annotations

import pytest
from convertkit_ascend import socs

from convertkit.errors import UnknownNameError


def test_a_chip_is_found_by_its_name_and_by_its_spelling_for_atc() -> None:
    by_name = socs.get("ascend310p3")

    assert by_name.soc_version == "Ascend310P3"
    assert socs.get("Ascend310P3") is by_name
    assert socs.of_chip("310P3") is by_name
    assert socs.of_chip("Ascend310P3") is by_name


def test_all_families_are_there() -> None:
    assert {"ascend310", "ascend310p1", "ascend310p3", "ascend310p5", "ascend310p7"} <= set(socs.names())
    assert sum(name.startswith("ascend310b") for name in socs.names()) == 4
    assert sum(name.startswith("ascend910") for name in socs.names()) == 11
    assert len(socs.names()) == 20


def test_a_wrong_name_points_to_the_nearest() -> None:
    with pytest.raises(
        UnknownNameError, match=r"unknown SoC 'ascend310p4' \(did you mean 'ascend310p"
    ) as caught:
        socs.get("ascend310p4")

    assert caught.value.exit_code == 2
    assert socs.of_chip("950PR") is None


@pytest.mark.parametrize(
    ("name", "tflops", "gigabytes"),
    # ascend-facts: chip-figures: 69.5 TFLOPS and 144 GB/s for the 310P3; for the others their platform files
    [
        ("ascend310", 11.14, 91.1),
        ("ascend310p3", 69.47, 144.2),
        ("ascend310p7", 36.04, 74.8),
        ("ascend910a", 262.14, 1024.0),
    ],
)
def test_the_roofline_follows_from_the_row(name: str, tflops: float, gigabytes: float) -> None:
    soc = socs.get(name)

    assert soc.peak() / 1e12 == pytest.approx(tflops, abs=0.01)
    assert soc.memory_rate / 1e9 == pytest.approx(gigabytes, abs=0.1)


def test_the_ridge_and_int8_of_the_310p3_are_those_of_the_facts() -> None:
    soc = socs.get("ascend310p3")

    assert soc.ridge == pytest.approx(483, rel=0.01)
    assert soc.peak("int8") / 1e12 == pytest.approx(139, rel=0.01)
    assert soc.vector_rate / 1e12 == pytest.approx(1.09, rel=0.01)
    with pytest.raises(KeyError):
        soc.peak("bf16")


def test_a_row_cannot_be_changed() -> None:
    soc = socs.get("ascend310p3")

    with pytest.raises(TypeError):
        soc.macs_per_cycle["fp16"] = 1  # type: ignore[index]
    assert (soc.bf16, soc.ai_cores, soc.vector_cores, soc.ai_cpus) == (False, 8, 7, 16)


def test_the_separate_vector_cores_of_the_910b_are_counted() -> None:
    assert socs.get("ascend910b1").vectors == "separate"
    assert socs.get("ascend910b1").vector_rate > socs.get("ascend910a").vector_rate
