"""RoIAlign, average pooling, as two small matrix products per RoI.

The samples of a bin form a grid, bilinear weights are a product of one weight per axis, and whether a sample lies
outside the image is decided per axis too. So the average over a bin is ``Wy @ window @ Wx.T``, with ``Wy`` and ``Wx``
holding for every bin how much each row or column of the feature map counts. The same value as mmcv's loop over samples
up to the order of additions.

Rules that mmcv's ``roi_align``, ONNX's ``RoiAlign`` and the kernels of vendors share:

* a sample below -1 or above the size of the map counts 0, one in between is clamped to the map;
* ``sample_num`` <= 0 takes ceil(bin size) samples per bin and axis.

Left open there, and chosen: a RoI whose coordinates are not finite, whose image does not exist, or whose grid has no
samples (a side that is zero or negative, or overflows fp32) pools to 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Float32: TypeAlias = NDArray[np.float32]
Float64: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

NOT_HERE = -1
"""The place of a RoI that belongs to another image of the batch."""


@dataclass(frozen=True)
class Pooling:
    """What the pooling of one level does.

    Args:
        scale: feature pixels per image pixel.
        bins: ``(height, width)`` of the result.
        sample_num: samples per bin and axis; 0 or less: as many as the bin has feature pixels.
        aligned: pixel centres are at integers: shift by -0.5 feature pixel.
        smallest: the least width and height of a RoI in feature pixels, None where there is none.
        reciprocal: divide a RoI into bins by multiplying with fp32 ``1 / bins``, as some kernels do.
    """

    scale: float
    bins: tuple[int, int]
    sample_num: int
    aligned: bool
    smallest: float | None
    reciprocal: bool = False


@dataclass(frozen=True)
class Axis:
    """The samples of every RoI along one axis, one after another.

    Args:
        roi, bin: ``(S,)``: whose sample it is.
        low, high: ``(S,)``: the two feature pixels between which it lies.
        near, far: ``(S,) float64``: their weights, already divided by the samples per bin.
        first, length: ``(K,)``: the range of feature pixels that a RoI needs; length 0 where it has no sample.
        bins: how many bins.
    """

    roi: Ints
    bin: Ints
    low: Ints
    high: Ints
    near: Float64
    far: Float64
    first: Ints
    length: Ints
    bins: int

    @cached_property
    def weights(self) -> list[Float32]:
        """Per RoI ``(bins, length) float32``."""
        sizes = self.bins * self.length
        ends = np.cumsum(sizes)
        start = (ends - sizes)[self.roi] + self.bin * self.length[self.roi] - self.first[self.roi]
        places = np.concatenate([start + self.low, start + self.high])
        shares = np.concatenate([self.near, self.far])
        flat = np.bincount(places, shares, minlength=int(ends[-1]) if len(ends) else 0).astype(np.float32)
        parts = np.split(flat, ends[:-1]) if len(ends) else []
        return [part.reshape(self.bins, -1) if len(part) else part.reshape(self.bins, 0) for part in parts]


def roi_align(features: Float32, rois: Float32, pooling: Pooling) -> Float32:
    """Pool RoIs from one feature map.

    Args:
        features: ``(N, C, H, W) float32``.
        rois: ``(K, 5) float32``: index of the image, x1 y1 x2 y2 in pixels of the image.

    Returns:
        ``(K, C, bins) float32``.
    """
    count, channels, height, width = features.shape
    rows, columns = pooling.bins
    result = np.zeros((len(rois), rows, columns, channels), np.float32)
    image = np.floor(rois[:, 0])
    usable = np.all(np.isfinite(rois), axis=1) & (image >= 0) & (image < count)
    chosen = np.flatnonzero(usable)
    with np.errstate(all="ignore"):
        along_y = samples(rois[chosen, 2], rois[chosen, 4], height, pooling.bins[0], pooling)
        along_x = samples(rois[chosen, 1], rois[chosen, 3], width, pooling.bins[1], pooling)
        for index in range(count):
            mine = image[chosen] == index
            if mine.any():
                last = np.ascontiguousarray(features[index].transpose(1, 2, 0))
                _pool(result, np.where(mine, chosen, NOT_HERE), last, along_y, along_x)
    return np.ascontiguousarray(result.transpose(0, 3, 1, 2))


def samples(start: Float32, end: Float32, extent: int, bins: int, pooling: Pooling) -> Axis:
    """The samples along one axis that fall on the feature map, in mmcv's arithmetic.

    Args:
        start, end: ``(K,)`` in pixels of the image, finite.
        extent: feature pixels of the map.
    """
    scale, shift = np.float32(pooling.scale), np.float32(0.5 if pooling.aligned else 0)
    near, far = start * scale - shift, end * scale - shift
    size: Float32 = far - near
    if pooling.smallest is not None:
        size = np.maximum(size, np.float32(pooling.smallest))
    parts = np.float32(bins)
    step: Float32 = size * (np.float32(1) / parts) if pooling.reciprocal else size / parts
    adaptive = pooling.sample_num <= 0
    per_bin: Float32 = np.ceil(step) if adaptive else np.full(len(step), pooling.sample_num, np.float32)
    owner, number = _on_the_map(near, step / per_bin, per_bin * parts, extent)
    per_bin = per_bin[owner]
    part = np.floor(number / per_bin.astype(np.float64))
    inside = (number - part * per_bin).astype(np.float32)
    grown: Float32 = near[owner] + part.astype(np.float32) * step[owner]
    position: Float32 = grown + (inside + np.float32(0.5)) * step[owner] / per_bin
    valid = (position >= -1) & (position <= extent)
    return _axis(owner[valid], part[valid], position[valid], per_bin[valid], (len(start), bins, extent))


def _on_the_map(start: Float32, step: Float32, total: Float32, extent: int) -> tuple[Ints, Float64]:
    """The owners and numbers of all samples that may lie in -1..extent: a huge RoI has billions that do not."""
    first, pace = start.astype(np.float64), step.astype(np.float64)
    most = np.where(np.isfinite(total), np.maximum(total, 0), 0).astype(np.float64)
    forward = pace > 0
    low = np.where(forward, np.floor((-1 - first) / pace) - 3, 0)
    high = np.where(forward, np.ceil((extent - first) / pace) + 3, most)
    low, high = np.clip(low, 0, most), np.clip(high, 0, most)
    counts = np.maximum(high - low, 0).astype(np.int64)
    owner = np.repeat(np.arange(len(start)), counts)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts) + low[owner]
    return owner, number


def _axis(
    owner: Ints, part: Float64, position: Float32, per_bin: Float32, sizes: tuple[int, int, int]
) -> Axis:
    count, bins, extent = sizes
    x = np.clip(position, np.float32(0), np.float32(extent - 1))
    low = np.floor(x).astype(np.int64)
    high = np.minimum(low + 1, extent - 1)
    share = x - low.astype(np.float32)
    first, last = np.full(count, extent), np.full(count, -1)
    np.minimum.at(first, owner, low)
    np.maximum.at(last, owner, high)
    divided = per_bin.astype(np.float64)
    return Axis(
        owner, part.astype(np.int64), low, high,
        (np.float32(1) - share) / divided, share / divided,
        first, np.maximum(last - first + 1, 0), bins,
    )  # fmt: skip


def _pool(result: Float32, places: Ints, last: Float32, along_y: Axis, along_x: Axis) -> None:
    """Fill in the RoIs of one image; ``last`` is ``(H, W, C)``, ``result`` ``(K, rows, columns, C)``."""
    weights_y, weights_x = along_y.weights, along_x.weights
    for index, place in enumerate(places):
        high, wide = along_y.length[index], along_x.length[index]
        if place == NOT_HERE or not high or not wide:
            continue
        top, left = along_y.first[index], along_x.first[index]
        window = last[top : top + high, left : left + wide]
        pooled = np.tensordot(weights_y[index], weights_x[index] @ window, 1)
        if not np.isfinite(pooled).all():
            pooled = _sample_by_sample(last, along_y, along_x, index)
        result[place] = pooled


def _sample_by_sample(last: Float32, along_y: Axis, along_x: Axis, index: int) -> Float32:
    """The same where a feature is not finite: it must not spread to bins that do not touch it (0 * inf is NaN)."""
    y, x = np.flatnonzero(along_y.roi == index), np.flatnonzero(along_x.roi == index)
    values = np.zeros((len(y), len(x), last.shape[2]))
    for rows, share_y in ((along_y.low, along_y.near), (along_y.high, along_y.far)):
        for columns, share_x in ((along_x.low, along_x.near), (along_x.high, along_x.far)):
            shares = share_y[y][:, None, None] * share_x[x][:, None]
            values += shares * last[rows[y][:, None], columns[x]]
    pooled = np.zeros((along_y.bins, along_x.bins, last.shape[2]))
    np.add.at(pooled, (along_y.bin[y][:, None], along_x.bin[x][None, :]), values)
    return pooled.astype(np.float32)
