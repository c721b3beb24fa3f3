"""Measuring which level a candidate pools a RoI from, and at which RoI sizes that changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convertkit.api.heads import Refused
from convertkit_passes.heads.roi.probe import Float32, Probe

SMALLEST, LARGEST, LARGEST_OF_ALL = 1.0, 1024.0, 16384.0
"""Sides in pixels of the square RoIs asked for first, and the limit for those asked for where the first bounds promise
more levels above: large RoIs take time."""

RESOLUTION = 1e-5
"""Bounds are bracketed to this, relative; ``verify`` then asks on both sides, 3e-5 beside them."""

NEAR = 1e-5
"""How far a measured bound may be from ``finest * 2**i``, relative: frameworks add 1e-8 to 1e-6 inside or outside
of log2 (mmdet ``map_roi_levels``, detectron2 ``assign_boxes_to_levels``, torchvision ``LevelMapper``) and round in
fp32."""

MOST_ROUNDS = 12


@dataclass(frozen=True)
class Levels:
    """Measured levels.

    Args:
        order: positions of the levels among the candidate's nodes, for RoIs of growing size.
        bounds: ``(levels - 1)`` pairs: the largest size seen on one level, the smallest on the next; pixels.
    """

    order: tuple[int, ...]
    bounds: tuple[tuple[float, float], ...]

    def finest(self) -> int:
        """The operator's ``finest_scale``.

        Raises:
            Refused: the bounds are not a whole number times 2, 4, 8, ...
        """
        middles = [(low + high) / 2 / 2 ** (index + 1) for index, (low, high) in enumerate(self.bounds)]
        finest = round(float(np.median(middles)))
        for index, (low, high) in enumerate(self.bounds):
            wanted = finest * 2.0 ** (index + 1)
            if finest < 1 or not low * (1 - NEAR) <= wanted <= high * (1 + NEAR):
                shown = ", ".join(f"{high:.7g}" for _, high in self.bounds)
                whole = "the whole number of pixels that finest_scale is"
                raise Refused(f"levels change at {shown} px, not at 2, 4, 8, ... times {whole}")
        return finest


def measure(probe: Probe) -> Levels:
    """Which level square RoIs of growing size take.

    Raises:
        Refused: a RoI takes no level or several, levels do not follow the size, or one is never taken.
    """
    features = _numbered(probe)
    sizes, taken = _ask(probe, features, np.geomspace(SMALLEST, LARGEST, probe.questions))
    sizes, taken = _merge(sizes[:0], taken[:0], sizes, taken)
    high = _promised(probe, _brackets(sizes, taken))
    if high > LARGEST:
        asked = np.geomspace(LARGEST, high, probe.questions)
        sizes, taken = _merge(sizes, taken, *_ask(probe, features, asked))
    order = _order(probe, sizes, taken)
    for _ in range(MOST_ROUNDS):
        asked = _between(_brackets(sizes, taken), probe.questions)
        if not len(asked):
            break
        sizes, taken = _merge(sizes, taken, *_ask(probe, features, asked))
        _order(probe, sizes, taken)
    return Levels(order, tuple(_brackets(sizes, taken)))


def _promised(probe: Probe, brackets: list[tuple[float, float]]) -> float:
    """A size well inside the last level, if the bounds go on doubling; 0 where there is none yet."""
    last = brackets[0][1] * 2 ** (probe.pooling.levels - 2) if brackets else 0.0
    return min(1.5 * last, LARGEST_OF_ALL)


def _numbered(probe: Probe) -> list[list[Float32]]:
    """Features that say which level they are: ones, and the number of the level, 1 to L.

    They share the channels, even and odd; where there is one channel only, they are two questions.
    """
    shapes = probe.pooling.shapes
    ones = [np.ones(shape, np.float32) for shape in shapes]
    if shapes[0][1] == 1:
        return [ones, [item * np.float32(number) for number, item in enumerate(ones, 1)]]
    for number, item in enumerate(ones, 1):
        item[:, 1::2] = number
    return [ones]


def _ask(probe: Probe, features: list[list[Float32]], sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sizes as fp32 leaves them, and the level each takes. RoIs are asked in no particular order."""
    shuffled = np.random.default_rng(0).permutation(sizes)
    rois = _squares(probe, shuffled)
    results = [probe.ask(item, rois) for item in features]
    ones = results[0][:, 0::2] if len(results) == 1 else results[0]
    numbers = results[0][:, 1::2] if len(results) == 1 else results[1]
    share, number = ones.max(axis=(1, 2, 3)), numbers.max(axis=(1, 2, 3))
    sides = (rois[:, 3:] - rois[:, 1:3]).astype(np.float64)
    exact = np.sqrt(sides[:, 0] * sides[:, 1])
    with np.errstate(all="ignore"):
        level = number / share - 1
    _check(probe, exact, level)
    return exact, np.rint(level).astype(np.int64)


def _check(probe: Probe, sizes: np.ndarray, level: np.ndarray) -> None:
    lost = ~np.isfinite(level)
    if lost.any():
        raise Refused(f"a RoI of {sizes[lost][0]:.6g} px is pooled from no level", probe.exit)
    mixed = (np.abs(level - np.rint(level)) > 1e-3) | (level < -0.5) | (level > probe.pooling.levels - 0.5)
    if mixed.any():
        raise Refused(f"a RoI of {sizes[mixed][0]:.6g} px is not pooled from a single level", probe.exit)


def _squares(probe: Probe, sizes: np.ndarray) -> Float32:
    """``(M, 5)``: squares with at least one sample on every map, whatever their size.

    The first sample lies half a step inside: the RoI begins at 0, or so far outside that this sample is at the
    image's centre.
    """
    pooling = probe.pooling
    rois = np.zeros((len(sizes), 5), np.float32)
    for axis, (bins, extent) in enumerate(zip(pooling.bins, pooling.image, strict=True)):
        step = sizes / (2 * bins * pooling.samples) if pooling.samples > 0 else np.zeros(len(sizes))
        start = np.where(step <= extent / 2, 0, extent / 2 - step)
        rois[:, 2 - axis] = start
        rois[:, 4 - axis] = rois[:, 2 - axis] + sizes.astype(np.float32)
    return rois


def _order(probe: Probe, sizes: np.ndarray, taken: np.ndarray) -> tuple[int, ...]:
    changes = np.flatnonzero(np.diff(taken, prepend=-1))
    order = tuple(int(level) for level in taken[changes])
    if len(set(order)) < len(order):
        where = ", ".join(f"{sizes[index]:.6g}" for index in changes[1:])
        raise Refused(f"levels do not follow the size of the RoI: they change at {where} px", probe.exit)
    for level, feature in enumerate(probe.pooling.features):
        if level not in order:
            raise Refused(f"no square RoI of {sizes[0]:.6g} to {sizes[-1]:.6g} px takes it", feature.name)
    return order


def _brackets(sizes: np.ndarray, taken: np.ndarray) -> list[tuple[float, float]]:
    changes = np.flatnonzero(np.diff(taken))
    return [(float(sizes[index]), float(sizes[index + 1])) for index in changes]


def _between(brackets: Sequence[tuple[float, float]], count: int) -> np.ndarray:
    """New sizes inside the brackets that are still wide."""
    wide = [(low, high) for low, high in brackets if high - low > RESOLUTION * high]
    each = count // max(1, len(wide))
    return np.concatenate([np.linspace(low, high, each + 2)[1:-1] for low, high in wide] or [np.zeros(0)])


def _merge(
    sizes: np.ndarray, taken: np.ndarray, more: np.ndarray, theirs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    found, first = np.unique(np.concatenate([sizes, more]), return_index=True)
    return found, np.concatenate([taken, theirs])[first]
