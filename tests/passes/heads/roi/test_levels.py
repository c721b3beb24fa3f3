"""Measuring levels: a probe whose levels are known is asked, and what it was asked is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from convertkit_passes.heads.roi.levels import LARGEST, LARGEST_OF_ALL, RESOLUTION, Levels, measure
from convertkit_passes.heads.roi.pooling import Pooling

from convertkit.api.heads import Refused


@dataclass
class Known:
    """Stands for a ``Probe``: a RoI takes the features of its level as they are.

    Args:
        level: of sizes, pixels, the position of the level.
        changed: what becomes of the channels of the RoIs, given their sizes.
    """

    level: Callable[[np.ndarray], np.ndarray]
    levels: int = 3
    channels: int = 3
    questions: int = 64
    bins: tuple[int, int] = (1, 2)
    samples: int = 1
    changed: Callable[[np.ndarray, np.ndarray], np.ndarray] = lambda sizes, values: values
    asked: list[np.ndarray] = field(default_factory=list)
    exit: str = "result"

    @property
    def pooling(self) -> Pooling:
        shapes = tuple((1, self.channels, 8 * 2**level, 16 * 2**level) for level in range(self.levels))
        scales = tuple(2.0**level / 8 for level in range(self.levels))  # an image of 64 x 128 pixels
        named = tuple(type("Tensor", (), {"name": f"f{level}"}) for level in range(self.levels))
        return Pooling(named, shapes, scales, self.bins, self.samples)

    def ask(self, features: list[np.ndarray], rois: np.ndarray) -> np.ndarray:
        self.asked.append(rois)
        sizes = np.sqrt(np.prod(rois[:, 3:].astype(np.float64) - rois[:, 1:3], axis=1))
        pooled = np.stack([item[0, :, 0, 0] for item in features])[self.level(sizes)]
        values = np.asarray(self.changed(sizes, pooled))
        return np.broadcast_to(values[:, :, None, None], (len(rois), self.channels, *self.bins))

    def sizes(self, question: int) -> np.ndarray:
        return np.sort(self.asked[question][:, 3].astype(np.float64) - self.asked[question][:, 1])


def by_bounds(*bounds: float, order: tuple[int, ...] | None = None) -> Callable[[np.ndarray], np.ndarray]:
    names = np.array(order or range(len(bounds) + 1))
    return lambda sizes: names[np.searchsorted(bounds, sizes, side="right")]


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_bounds_are_bracketed_and_levels_ordered_by_size(channels: int, order: tuple[int, ...]) -> None:
    probe = Known(by_bounds(16, 32, order=order), channels=channels)

    found = measure(probe)

    assert found.order == order
    assert found.finest() == 8
    for bound, (low, high) in zip((16, 32), found.bounds, strict=True):
        assert low < bound <= high and high - low <= RESOLUTION * high
    each = 2 if channels == 1 else 1
    assert [len(item) for item in probe.asked] == [64] * len(probe.asked) and len(probe.asked) == 4 * each


def test_sizes_are_asked_evenly_in_no_particular_order_then_evenly_in_the_brackets() -> None:
    probe = Known(by_bounds(16, 32))

    measure(probe)

    np.testing.assert_allclose(probe.sizes(0), np.geomspace(1, 1024, 64), rtol=1e-5)
    assert not (np.diff(probe.asked[0][:, 3]) > 0).all()
    first = probe.sizes(0)
    index = [np.searchsorted(first, bound) for bound in (16, 32)]
    wanted = [np.linspace(first[i - 1], first[i], 34)[1:-1] for i in index]
    np.testing.assert_allclose(probe.sizes(1), np.concatenate(wanted), rtol=1e-5)


def test_a_bracket_that_is_narrow_is_not_asked_about_again() -> None:
    near = np.geomspace(1, 1024, 64)[30] * (1 + 2e-6)
    first = np.geomspace(1, 1024, 64).astype(np.float32).astype(np.float64)[30]
    bounds = (near, 512.0)
    probe = Known(by_bounds(*bounds))

    measure(probe)

    assert (probe.sizes(1) < 512).any() and (probe.sizes(1) > first).all()
    last = probe.sizes(len(probe.asked) - 1)
    assert len(last) == 64
    assert probe.sizes(1).max() < 1024


def test_large_sizes_are_asked_where_the_first_bound_promises_levels_there() -> None:
    probe = Known(by_bounds(112, 224, 448, 896, 1792), levels=6)

    assert measure(probe).finest() == 56

    bound = min(size for size in probe.sizes(0) if size >= 112)
    np.testing.assert_allclose(probe.sizes(1), np.geomspace(LARGEST, 1.5 * bound * 16, 64), rtol=1e-5)


@pytest.mark.parametrize(("bounds", "questions"), [((300, 600), 1), ((), 1), ((400, 800), 2)])
def test_large_sizes_are_asked_only_there(bounds: tuple[float, ...], questions: int) -> None:
    probe = Known(by_bounds(*bounds), levels=len(bounds) + 1)

    measure(probe)

    large = [place for place in range(len(probe.asked)) if probe.sizes(place).max() > 1025]
    assert len(large) == questions - 1


def test_no_size_is_larger_than_the_limit() -> None:
    probe = Known(by_bounds(900, 1800, 3600, 7200, 14400), levels=6)

    measure(probe)

    assert probe.sizes(1).max() == pytest.approx(LARGEST_OF_ALL, rel=1e-5)


@pytest.mark.parametrize(("bins", "samples"), [((1, 2), 1), ((3, 2), 2)])
def test_squares_have_their_first_sample_in_the_image(bins: tuple[int, int], samples: int) -> None:
    probe = Known(by_bounds(16, 32), bins=bins, samples=samples)

    measure(probe)

    rois = probe.asked[0].astype(np.float64)
    size = rois[:, 3] - rois[:, 1]
    assert (rois[:, 0] == 0).all()
    for axis, (extent, count) in enumerate(zip((64, 128), bins, strict=True)):
        start, step = rois[:, 2 - axis], size / (2 * count * samples)
        np.testing.assert_allclose(rois[:, 4 - axis] - start, size, rtol=1e-5)
        np.testing.assert_allclose(start + step, np.minimum(step, extent / 2), rtol=1e-4, atol=1e-3)
        assert (start[step <= extent / 2] == 0).all()


def test_squares_of_adaptive_samples_begin_at_the_corner() -> None:
    probe = Known(by_bounds(16, 32), samples=0)

    measure(probe)

    assert (probe.asked[0][:, :3] == 0).all()


def times(*factors: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Channels of RoIs of 100 to 110 px times factors."""
    return lambda sizes, values: np.where(
        ((sizes > 100) & (sizes < 110))[:, None], values * np.array(factors), values
    )


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (times(0, 0, 0), r"a RoI of 10\d\.\d* px is pooled from no level"),
        (times(1, 0, 1), r"a RoI of 10\d\.\d* px is not pooled from a single level"),
        (times(1, 4 / 3, 1), r"a RoI of 10\d\.\d* px is not pooled from a single level"),
        (times(1, 1 + 1.1e-3 / 3, 1), r"a RoI of 10\d\.\d* px is not pooled from a single level"),
        (times(0.5, 0.25, 0.5), r"a RoI of 10\d\.\d* px is not pooled from a single level"),
    ],
)
def test_a_roi_is_of_one_level(changed: Callable[..., np.ndarray], why: str) -> None:
    probe = Known(by_bounds(16, 32), changed=changed)

    with pytest.raises(Refused, match=why) as refused:
        measure(probe)

    assert refused.value.tensor == "result"


@pytest.mark.parametrize("changed", [times(1, 1 + 0.9e-3 / 3, 1), times(0.5, 0.5, 0.5)])
def test_what_a_roi_gives_may_be_scaled_and_rounded(changed: Callable[..., np.ndarray]) -> None:
    assert measure(Known(by_bounds(16, 32), changed=changed)).order == (0, 1, 2)


def test_a_level_that_is_taken_twice_is_refused() -> None:
    probe = Known(lambda sizes: np.searchsorted((16, 32, 64), sizes) % 3)

    with pytest.raises(Refused, match=r"they change at 17\.\d*, 3\d\.\d*, 6\d\.\d* px"):
        measure(probe)


def test_a_level_that_is_never_taken_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="no square RoI of 1 to 1024 px takes it") as refused:
        measure(Known(by_bounds(16, order=(0, 2))))

    assert refused.value.tensor == "f1"


@pytest.mark.parametrize(
    ("bounds", "finest"),
    [((112, 224, 448), 56), ((2, 4), 1), ((24,), 12)],
)
def test_the_finest_scale_is_half_the_first_bound(bounds: tuple[float, ...], finest: int) -> None:
    assert Levels((0, 1, 2), tuple((bound, bound) for bound in bounds)).finest() == finest


@pytest.mark.parametrize("bounds", [(16, 33), (16, 31), (0.5,), (17.0,)])
def test_other_bounds_are_refused_as_they_were_measured(bounds: tuple[float, ...]) -> None:
    shown = ", ".join(f"{bound:g}" for bound in bounds)
    with pytest.raises(Refused, match=f"^levels change at {shown} px, not at 2, 4, 8, "):
        Levels((0, 1), tuple((bound - 0.01, bound) for bound in bounds)).finest()
