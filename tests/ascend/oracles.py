"""The same rules written plainly: loops over boxes, bins and samples, one scalar operation after another."""

from __future__ import annotations

import math

import numpy as np

F32, F16 = np.float32, np.float16


def better_first(candidates):
    """``(score, *order)`` tuples, best first; NaN last."""
    return sorted(candidates, key=lambda item: (math.isnan(item[0]), -item[0], *item[1:]))


def area32(box):
    return F32(box[2] - box[0]) * F32(box[3] - box[1])


def overlap32(a, b, threshold, smallest):
    width, height = min32(a[2], b[2]) - max32(a[0], b[0]), min32(a[3], b[3]) - max32(a[1], b[1])
    inter = max32(width, F32(0)) * max32(height, F32(0))
    union = area32(a) + area32(b) - inter
    if smallest is not None:
        union = max32(union, F32(smallest))
    return inter / union > F32(threshold)


def min32(a, b):
    return type(a)(np.nan) if math.isnan(a) or math.isnan(b) else min(a, b)


def max32(a, b):
    return type(a)(np.nan) if math.isnan(a) or math.isnan(b) else max(a, b)


def nms(boxes, scores, attributes, *, framework):
    """One image in fp32: list of ``(score, class, box)``."""
    found = []
    for kind in range(scores.shape[1]):
        candidates = []
        for index in range(len(scores)):
            box = boxes[index, kind % boxes.shape[1]]
            proper = box[2] - box[0] > 0 and box[3] - box[1] > 0
            if scores[index, kind] > F32(attributes["score_threshold"]) and (framework or proper):
                candidates.append((scores[index, kind], index))
        kept = []
        for score, index in better_first(candidates):
            box = boxes[index, kind % boxes.shape[1]]
            hidden = any(
                overlap32(boxes[other, kind % boxes.shape[1]], box, attributes["iou_threshold"],
                          None if framework else 1e-12)
                for _, other in kept
            )  # fmt: skip
            if not hidden and len(kept) < attributes["max_size_per_class"]:
                kept.append((score, index))
        found += [(score, index, kind) if framework else (score, kind, index) for score, index in kept]
    best = better_first(found)[: attributes["max_total_size"]]
    return [(score, b, a) if framework else (score, a, b) for score, a, b in best]


def device_nms(boxes, scores, attributes):
    """One image of the kernel, without window: ``(valid, score, class, box coordinates)`` of every slot."""
    factor = F16(float(F32(attributes["iou_threshold"])) / (1 + float(F32(attributes["iou_threshold"]))))
    found = []
    for kind in range(scores.shape[1]):
        candidates = better_first([(F16(scores[i, kind]), i) for i in range(len(scores))])[:4080]
        kept = []
        for score, index in candidates:
            box = [F16(value) * F16(0.1) for value in boxes[index, kind % boxes.shape[1]]]
            box[2], box[3] = box[2] - F16(1), box[3] - F16(1)
            if len(kept) < attributes["max_size_per_class"] and not any(
                device_overlap(other, box, factor) for _, other in kept
            ):
                kept.append((score, box))
        reserved = -(-attributes["max_size_per_class"] // 16) * 16
        nothing = [(F16(0), [F16(0)] * 4)] * (reserved - len(kept))
        found += [(score, kind, place, box) for place, (score, box) in enumerate([*kept, *nothing])]
    best = better_first(found)[: attributes["max_total_size"]]
    limit = F16(attributes["score_threshold"])
    slots = []
    for score, kind, _, box in best:
        mask = F16(score - limit > 0)
        near = [box[0] * mask * F16(10), box[1] * mask * F16(10)]
        far = [(box[2] + F16(1)) * F16(10) * mask, (box[3] + F16(1)) * F16(10) * mask]
        slots.append((bool(mask), score * mask, kind, [*near, *far]))
    return slots


def device_overlap(a, b, factor):
    inter = side(min32(a[2], b[2]) - max32(a[0], b[0])) * side(min32(a[3], b[3]) - max32(a[1], b[1]))
    areas = [side(box[2] - box[0]) * side(box[3] - box[1]) for box in (a, b)]
    return inter > (areas[0] + areas[1]) * factor


def side(extent):
    return max32(extent + F16(1), F16(0))


def roi_align(feature, roi, scale, bins, sample_num, aligned, smallest, reciprocal=False):
    """One RoI on ``(N, C, H, W)``: ``(C, bins) float64``."""
    result = np.zeros((feature.shape[1], *bins))
    if not np.isfinite(roi).all() or not 0 <= math.floor(roi[0]) < len(feature):
        return result
    image = feature[math.floor(roi[0])]
    start, size = [], []
    for axis in (2, 1):  # y, x
        low = roi[axis] * F32(scale) - F32(0.5 if aligned else 0)
        high = roi[axis + 2] * F32(scale) - F32(0.5 if aligned else 0)
        start.append(low)
        size.append(high - low if smallest is None else max(high - low, F32(smallest)))
    parts = [F32(1) / F32(count) for count in bins]
    step = [size[axis] * parts[axis] if reciprocal else size[axis] / F32(bins[axis]) for axis in (0, 1)]
    grid = [sample_num if sample_num > 0 else math.ceil(step[axis]) for axis in (0, 1)]
    for row in range(bins[0]):
        for column in range(bins[1]):
            for i in range(grid[0]):
                y = start[0] + F32(row) * step[0] + F32(i + 0.5) * step[0] / F32(grid[0])
                for j in range(grid[1]):
                    x = start[1] + F32(column) * step[1] + F32(j + 0.5) * step[1] / F32(grid[1])
                    result[:, row, column] += bilinear(image, y, x) / (grid[0] * grid[1])
    return result


def bilinear(image, y, x):
    height, width = image.shape[1:]
    if y < -1 or y > height or x < -1 or x > width:
        return np.zeros(len(image))
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    dy, dx = float(y - top), float(x - left)
    upper = (1 - dx) * image[:, top, left] + dx * image[:, top, right]
    lower = (1 - dx) * image[:, bottom, left] + dx * image[:, bottom, right]
    return (1 - dy) * upper + dy * lower


def device_level(roi, finest, levels):
    """The level of one RoI (fp16 values in fp32), compared in fp16."""
    area = (roi[3] - roi[1]) * (roi[4] - roi[2])
    if not area >= 0:
        return None
    scale = F16(np.sqrt(area))
    below = [i for i in range(max(levels - 1, 1)) if scale <= F16(finest * 2 ** (i + 1))]
    return below[0] if below else levels - 1 if levels > 1 else None


def level(roi, finest, levels, *, framework):
    """The level of one RoI, None where none takes it."""
    area = (roi[3] - roi[1]) * (roi[4] - roi[2])
    if levels == 1:
        return 0
    if not area >= 0:
        return None
    scale = np.sqrt(area)
    if framework:
        found = np.floor(np.log2(scale / F32(finest) + F32(1e-6)))
        return int(min(max(found, 0), levels - 1))
    return next((i for i in range(levels - 1) if scale <= F32(finest * 2 ** (i + 1))), levels - 1)
