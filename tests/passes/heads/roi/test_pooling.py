"""What RoiAlign nodes state: what is read of them, and each thing that makes them no levels of one extractor."""

from __future__ import annotations

from typing import Any

import pytest
from convertkit_passes.heads.roi.pooling import common_pooling

from convertkit.api.heads import Refused
from convertkit.graph.graph import open_graph
from tests import graphtext

FINE = "<spatial_scale = 0.25, output_height = 3, output_width = 2, sampling_ratio = 2>"
COARSE = FINE.replace("0.25", "0.125")


def nodes(
    *attributes: str, features: tuple[str, ...] = ("float[1,3,8,16] f0", "float[1,3,4,8] f1")
) -> list[Any]:
    """RoiAlign nodes r0 r1 ..., each of its features."""
    results = [f"r{place}" for place in range(len(attributes))]
    lines = "\n".join(
        f"{result} = RoiAlign {stated} ({features[place].split()[-1]}, rois, images)"
        for place, (result, stated) in enumerate(zip(results, attributes, strict=True))
    )
    inputs = ", ".join([*dict.fromkeys(features), "float[2,4] rois", "int64[2] images"])
    outputs = ", ".join(f"float[K,C,H,W] {result}" for result in results)
    return list(open_graph(graphtext.parse(f"({inputs}) => ({outputs}) {{ {lines} }}")).find("RoiAlign"))


def test_features_scales_bins_and_samples_are_read() -> None:
    found = common_pooling(nodes(FINE, COARSE), square=False)

    assert [item.name for item in found.features] == ["f0", "f1"]
    assert found.shapes == ((1, 3, 8, 16), (1, 3, 4, 8))
    assert (found.scales, found.bins, found.samples) == ((0.25, 0.125), (3, 2), 2)
    assert (found.levels, found.images, found.image) == (2, 1, (32.0, 64.0))


def test_an_image_is_what_every_level_covers() -> None:
    found = common_pooling(
        nodes(FINE, COARSE, features=("float[5,3,8,15] f0", "float[5,3,3,8] f1")), square=False
    )

    assert (found.images, found.image) == (5, (24.0, 60.0))


def test_what_is_not_stated_is_the_default_of_the_operator() -> None:
    found = common_pooling(nodes("", "<spatial_scale = 0.5>"), square=True)

    assert (found.scales, found.bins, found.samples) == ((1.0, 0.5), (1, 1), 0)


def test_sizes_that_are_open_are_chosen() -> None:
    features = ("float[N,3,H,W] f0", "float[N,C,4,V] f1", "float[N,C,U,T] f2")

    found = common_pooling(
        nodes(FINE, COARSE, FINE.replace("0.25", "0.001"), features=features), square=False
    )

    assert found.shapes == ((2, 3, 128, 128), (2, 3, 4, 64), (2, 3, 2, 2))


def test_a_batch_that_one_level_says_is_that_of_all() -> None:
    found = common_pooling(
        nodes(FINE, COARSE, features=("float[N,3,8,16] f0", "float[4,3,4,8] f1")), square=False
    )

    assert [shape[0] for shape in found.shapes] == [4, 4]


@pytest.mark.parametrize(("count", "fits"), [(1, False), (2, True), (8, True), (9, False)])
def test_a_head_has_two_to_eight_levels(count: int, fits: bool) -> None:
    given = nodes(*[FINE] * count, features=tuple(f"float[1,3,8,8] f{place}" for place in range(count)))

    if fits:
        assert common_pooling(given, square=False).levels == count
        return
    with pytest.raises(Refused, match=f"^{count} levels; looked for are 2 to 8$"):
        common_pooling(given, square=False)


@pytest.mark.parametrize(
    ("bins", "samples", "fits"), [(128, 0, True), (129, 0, False), (43, 3, False), (64, 2, True)]
)
@pytest.mark.parametrize("high", [True, False])
def test_a_roi_has_up_to_128_points_a_side(bins: int, samples: int, fits: bool, high: bool) -> None:
    height, width = (bins, 1) if high else (1, bins)
    stated = f"<output_height = {height}, output_width = {width}, sampling_ratio = {samples}>"
    given = nodes(stated, stated)

    if fits:
        assert common_pooling(given, square=False).bins == (height, width)
        return
    why = f"{bins} bins a side with sampling_ratio {samples} take {bins * max(samples, 1)} points a side"
    with pytest.raises(Refused, match=f"^{why} of every RoI; up to 128 are measured$") as refused:
        common_pooling(given, square=False)
    assert refused.value.tensor == "r0"


SAME = ("float[1,3,8,16] f0", "float[1,3,4,8] f1")


@pytest.mark.parametrize(
    ("change", "features", "why", "tensor"),
    [
        ('mode = "max", ', SAME, "pooling mode is max, not avg", "r1"),
        ("output_height = 4, ", SAME, r"output_height differs between levels: \[3, 4\]", "r1"),
        ("output_width = 4, ", SAME, r"output_width differs between levels: \[2, 4\]", "r1"),
        ("sampling_ratio = 4, ", SAME, r"sampling_ratio differs between levels: \[2, 4\]", "r1"),
        ("spatial_scale = 0.0, ", SAME, "spatial_scale is 0", "r1"),
        ("spatial_scale = -0.5, ", SAME, "spatial_scale is -0.5", "r1"),
        ("", ("float[1,3,8,16] f0", "float[1,4,4,8] f1"), r"the features differ in channels: \[3, 4\]", "f0"),
        ("", ("float[2,3,8,16] f0", "float[1,3,4,8] f1"), r"the features differ in batch: \[1, 2\]", "f0"),
        ("", ("float[1,C,8,16] f0", "float[1,D,4,8] f1"), "the channels of the features are not known", "f0"),
        ("", ("float[1,3,8,16] f0", "float[3,4,8] f1"), r"the rank of the features is not known to be 4: \[3", "f1"),
        ("", ("float[1,3,8,16] f0", "float[] f1"), "the rank of the features is not known to be 4: None", "f1"),
        ("", ("float[1,3,8,16] f0", "float16[1,3,4,8] f1"), "the features are float16, not float32", "f1"),
        ("", ("float[1,3,8,16] f0", "float[1,3,8,16] f0"), "two levels pool from the same features", "f0"),
    ],
)  # fmt: skip
def test_refused(change: str, features: tuple[str, ...], why: str, tensor: str) -> None:
    name = change.partition(" ")[0]
    rest = ", ".join(item for item in COARSE.strip("<>").split(", ") if not name or not item.startswith(name))
    stated = f"<{change}{rest}>"

    with pytest.raises(Refused, match=f"^{why}") as refused:
        common_pooling(nodes(FINE, stated, features=features), square=False)

    assert refused.value.tensor == tensor
    assert refused.value.unsized == ("channels of the features are not" in why)


def test_features_that_are_constant_are_refused() -> None:
    given = nodes(FINE, COARSE)
    given[1].inputs[0].values = 0

    with pytest.raises(Refused, match=r"^the features are constant$"):
        common_pooling(given, square=False)


@pytest.mark.parametrize("scale", ["inf", "nan"])
def test_a_scale_is_finite(scale: str) -> None:
    given = nodes(FINE, COARSE)
    given[0].attrs["spatial_scale"] = float(scale)

    with pytest.raises(Refused, match=f"^spatial_scale is {scale}$"):
        common_pooling(given, square=False)


def test_bins_have_to_be_square_where_a_target_asks_for_it() -> None:
    with pytest.raises(Refused, match=r"^its bins are 3 x 2, not square$") as refused:
        common_pooling(nodes(FINE, COARSE), square=True)

    assert refused.value.tensor == "r0"
