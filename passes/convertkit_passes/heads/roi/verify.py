"""Holding a candidate against the operator on random features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convertkit.api import heads
from convertkit.api.heads import Refused, Values
from convertkit.api.patterns import gaps
from convertkit_passes.heads.roi.probe import Float32, Probe
from convertkit_passes.heads.roi.rois import Questions, moved, questions

TOLERANCE = 1e-4
"""Largest difference, relative to the largest value."""

FEW_ROIS, FEW_CHANNELS = 24, 8
"""What tells how samples are placed. That all channels are treated alike is held against all RoIs of a feature pixel
or more; the operator's reference takes time."""

CLAMPED, UNCLAMPED = 1, 0
"""The two rules for RoIs below one feature pixel: made as large as one (RoiAlign before opset 16, mmcv if not
aligned), or pooled as they are (mmcv with ``aligned=True``, RoiAlign with ``half_pixel``)."""


@dataclass(frozen=True)
class Verdict:
    """A candidate that is the operator.

    Args:
        attributes: of the operator.
        worst: largest difference, relative to the largest value.
        compared: how many RoIs.
    """

    attributes: dict[str, Any]
    worst: float
    compared: int


@dataclass(frozen=True)
class Answers:
    """What the candidate gave."""

    asked: Questions
    features: tuple[Float32, ...]
    found: Float32

    def errors(
        self, rows: np.ndarray, clamp: int, attributes: Values, channels: int | None = None
    ) -> np.ndarray:
        """The largest difference of each of the rows to the operator, relative to the largest value of all.

        Args:
            rows: ``(R,)`` indices; may be none.
            channels: how many are compared; None: all.
        """
        inputs = [*(item[:, :channels] for item in self.features), self.asked.rois[rows]]
        values = {**attributes, "clamp": clamp or 1 - attributes["aligned"]}
        (expected,) = heads.MULTILEVEL_ROI_ALIGN.compute(inputs, values)
        return np.asarray(gaps(self.found[rows, :channels], expected).max(axis=(1, 2, 3)))


def verify(probe: Probe, order: tuple[int, ...], finest: int, image: int | None) -> Verdict:
    """The operator's attributes, after the candidate has agreed with it on RoIs of every kind.

    Args:
        order: positions of the levels in ``probe.pooling``, finest first.
        image: see :func:`~convertkit_passes.heads.roi.rois.questions`.

    Raises:
        Refused: it computes something else.
    """
    attributes = _stated(probe, order, finest)
    random = np.random.default_rng(2)
    features = [random.random(shape, np.float32) * 2 - 1 for shape in probe.pooling.shapes]
    asked = questions(probe.pooling, finest, order, image, probe.questions)
    answers = _answers(probe, features, order, asked)
    if probe.count is None:
        _refuse_counting(probe, features, answers)
    attributes["aligned"] = _aligned(probe, answers, attributes)
    clear, small = np.flatnonzero(~asked.small), np.flatnonzero(asked.small)
    errors = answers.errors(clear, UNCLAMPED, attributes)
    errors = _asked_again(probe, features, order, answers, clear, errors, attributes)
    _refuse_large(probe, answers, clear, errors)
    rule, theirs = _small_rule(probe, answers, small, attributes)
    worst = max(errors.max(initial=0.0), theirs.max(initial=0.0))
    return Verdict({**attributes, "at_bound": "up", "clamp": rule}, float(worst), len(asked.rois))


def _stated(probe: Probe, order: Sequence[int], finest: int) -> dict[str, Any]:
    pooling = probe.pooling
    return {
        "finest_scale": finest,
        "spatial_scale": [pooling.scales[index] for index in order],
        "output_height": pooling.bins[0],
        "output_width": pooling.bins[1],
        "sampling_ratio": pooling.samples,
    }


def _answers(probe: Probe, features: Sequence[Float32], order: Sequence[int], asked: Questions) -> Answers:
    found = probe.ask(features, asked.rois)
    return Answers(asked, tuple(features[index] for index in order), found)


def _refuse_counting(probe: Probe, features: Sequence[Float32], answers: Answers) -> None:
    """One RoI, or none, has to give what it gives among many."""
    for count in (0, 1):
        alone = probe.ask(features, answers.asked.rois[:count])
        if not np.array_equal(alone, answers.found[:count]):
            raise Refused("the result of a RoI depends on how many there are", probe.exit)


def _aligned(probe: Probe, answers: Answers, attributes: Values) -> int:
    """Whether the candidate shifts by half a feature pixel: what fits a few RoIs better."""
    clear = np.flatnonzero(~answers.asked.small)
    rows = clear if len(clear) else np.arange(len(answers.asked.rois))
    rows = rows[:: max(1, len(rows) // FEW_ROIS)]
    gaps = [
        answers.errors(rows, CLAMPED, {**attributes, "aligned": aligned}, FEW_CHANNELS).mean()
        for aligned in (0, 1)
    ]
    return int(np.argmin(gaps))


def _asked_again(
    probe: Probe, features: Sequence[Float32], order: Sequence[int], answers: Answers,
    rows: np.ndarray, errors: np.ndarray, attributes: Values,
) -> np.ndarray:  # fmt: skip
    """The errors, where a few RoIs that disagree are asked again a little to the side.

    A sample on the border of a map, or a bin of a whole number of pixels, may round to the other side in one of the
    two implementations. What they disagree about in earnest does not go away when the RoI moves.
    """
    wrong = errors > TOLERANCE
    if not 0 < wrong.sum() <= len(rows) // 50:
        return errors
    rois = answers.asked.rois.copy()
    rois[rows[wrong]] = moved(rois[rows[wrong]])
    again = _answers(probe, features, order, Questions(rois, answers.asked.level, answers.asked.small))
    return np.where(wrong, _placed(wrong, again.errors(rows[wrong], UNCLAMPED, attributes)), errors)


def _placed(mask: np.ndarray, values: np.ndarray) -> np.ndarray:
    full = np.zeros(len(mask))
    full[mask] = values
    return full


def _refuse_large(probe: Probe, answers: Answers, rows: np.ndarray, errors: np.ndarray) -> None:
    wrong = errors > TOLERANCE
    if not wrong.any():
        return
    level = answers.asked.level[rows]
    gaps = [errors[level == index].max(initial=0.0) for index in range(probe.pooling.levels)]
    raise Refused(
        f"{wrong.sum()} of {len(rows)} RoIs differ from the operator's, per level by up to "
        f"{', '.join(f'{gap:.2g}' for gap in gaps)} of the largest value",
        probe.exit,
    )


def _small_rule(
    probe: Probe, answers: Answers, rows: np.ndarray, attributes: Values
) -> tuple[int, np.ndarray]:
    """Which rule RoIs below one feature pixel follow, and their errors under it."""
    least = np.inf
    for rule in (CLAMPED, UNCLAMPED):
        errors = answers.errors(rows, rule, attributes, FEW_CHANNELS)
        if (errors <= TOLERANCE).all():
            return rule, errors
        least = min(least, errors.max())
    raise Refused(
        f"RoIs below one feature pixel differ from the operator's by {least:.2g} of the largest value",
        probe.exit,
    )
