"""How sure a figure is: 95 % intervals by paired bootstrap over photos, and what they decide.

A sample draws as many photos as there are, with replacement (Efron 1979, Bootstrap methods: another look at the
jackknife); all rungs see the same samples, so what two rungs have in common cancels in their difference. The interval
goes from the 2.5th to the 97.5th percentile of the samples, widened for classes with few photos (:func:`widening`). How
often it covers the truth ``python -m bench.intervals`` measures: for a difference as often as it should. AP itself is
higher on a small sample than on what it is drawn from, and on few photos its own interval lies too high.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, Protocol

import numpy as np
from msgspec import Struct

from convertkit.scoring.matches import METRICS, Floats, Matches, Whole

SAMPLES = 1000
SEED = 0
ALPHA = 0.05
"""How often an interval may miss, both sides together."""

POWER = 0.8
"""How often the number of photos that is named as enough is enough."""

FIRST_LOOK = 50
"""Photos below which nobody looks: a standard deviation of fewer is a guess."""

_BLOCK = 1 << 22
"""Numbers that are drawn at once, 32 MB of int64: memory does not grow with the number of photos."""

Outcome = Literal["pass", "fail", "undecided"]


class Estimate(Struct, frozen=True):
    """A figure, or a difference of two, with its standard error and the ends of its 95 % interval."""

    value: float
    error: float
    low: float
    high: float

    @classmethod
    def of(cls, value: float, samples: Floats, widening: float = 1.0) -> Estimate:
        """From its values on the samples, NaN where a sample has nothing to find; those say nothing.

        Args:
            widening: how much wider the interval is than that of the samples, about their mean.
        """
        known = samples[~np.isnan(samples)]
        if known.size < 2:
            return cls(value, math.inf, -math.inf, math.inf)
        middle = known.mean()
        low, high = middle + widening * (np.percentile(known, [50 * ALPHA, 100 - 50 * ALPHA]) - middle)
        return cls(value, widening * float(known.std(ddof=1)), float(low), float(high))

    @property
    def negative(self) -> Estimate:
        """Of the figure with the other sign."""
        return Estimate(-self.value, self.error, -self.high, -self.low)

    @property
    def half(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2

    @property
    def chance(self) -> bool:
        """Whether a difference of nothing is within the interval."""
        return self.low <= 0 <= self.high

    def outcome(self, limit: float, alpha: float = ALPHA) -> Outcome:
        """``pass`` where the interval ends at ``limit`` or below, ``fail`` where it begins above.

        Args:
            alpha: how often that may be wrong; below :data:`ALPHA` from a normal distribution, as 1,000 samples have
                no such tails.
        """
        low, high = self.low, self.high
        if alpha < ALPHA:
            half = _sigmas(alpha) * self.error
            low, high = min(low, self.value - half), max(high, self.value + half)
        if high <= limit:
            return "pass"
        return "fail" if low > limit else "undecided"

    def photos(self, limit: float, have: int) -> float:
        """About how many photos settle on which side of ``limit`` the value is, were it the true one.

        ``have * ((z(1 - alpha/2) + z(power)) * error / |limit - value|) ** 2``: the sample size of a test of
        non-inferiority (Chow, Shao, Wang and Lokhnygina 2017, Sample size calculations in clinical research, 3.1).
        """
        if self.value == limit:
            return math.inf
        sigmas = _sigmas(ALPHA) + NormalDist().inv_cdf(POWER)
        return math.ceil(have * (sigmas * self.error / (limit - self.value)) ** 2)


class Difference(Struct, frozen=True):
    """How much more of a metric a rung has than another, on the same photos."""

    rung: str
    against: str
    task: str
    metric: str
    estimate: Estimate


class Scored(Protocol):
    """A rung's name and figures, as :class:`convertkit.rungs.rung.Rung` has them."""

    @property
    def name(self) -> str: ...
    @property
    def scores(self) -> Mapping[str, Mapping[str, float]]: ...
    @property
    def per_class(self) -> Mapping[str, Mapping[str, float]]: ...


@dataclass(frozen=True)
class Resampled:
    """The figures of several rungs on the same samples of ``photos`` photos.

    ``samples`` holds by rung, task and metric what :meth:`Matches.resampled` says; ``holding`` by task and
    ``AP CATEGORY`` how many photos have an object of that category.
    """

    photos: int
    samples: Mapping[str, Mapping[str, Mapping[str, Floats]]]
    holding: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, photos: int, matches: Mapping[str, Mapping[str, Matches]]) -> Resampled:
        """From the matches by rung and task, all of the same photos."""
        samples = {
            rung: {task: found.resampled_by(draws(photos)) for task, found in tasks.items()}
            for rung, tasks in matches.items()
        }
        holding = {task: found.holding() for tasks in matches.values() for task, found in tasks.items()}
        return cls(photos, samples, holding)

    def intervals(self, rung: Scored) -> dict[str, dict[str, Estimate]]:
        """By task, of every metric that there was something to find for."""
        return {
            task: {
                metric: self.estimate(rung, task, metric)
                for metric in metrics
                if figure(rung, task, metric) >= 0
            }
            for task, metrics in self.samples.get(rung.name, {}).items()
        }

    def estimate(self, rung: Scored, task: str, metric: str) -> Estimate:
        """A metric of a rung that was measured."""
        return self._of(figure(rung, task, metric), self.samples[rung.name][task], task, metric)

    def difference(self, rung: Scored, against: Scored, task: str, metric: str) -> Estimate:
        """How much more a rung has than another; both were measured."""
        value = figure(rung, task, metric) - figure(against, task, metric)
        theirs = self.samples[against.name][task]
        samples = {name: own - theirs[name] for name, own in self.samples[rung.name][task].items()}
        return self._of(value, samples, task, metric)

    def _of(self, value: float, samples: Mapping[str, Floats], task: str, metric: str) -> Estimate:
        holding = self.holding[task]
        chosen = {metric: holding[metric]} if metric in holding else holding
        return Estimate.of(value, samples[metric], widening(samples, chosen))

    def differences(self, rungs: Sequence[Scored]) -> tuple[Difference, ...]:
        """Of every measured rung against the one above it and against the first, in COCO's six kinds of AP."""
        known = [rung for rung in rungs if rung.name in self.samples]
        pairs = [(rung, above) for above, rung in itertools.pairwise(known)]
        pairs += [(rung, known[0]) for rung in known[2:]]
        return tuple(
            Difference(rung.name, against.name, task, metric, self.difference(rung, against, task, metric))
            for rung, against in pairs
            for task in rung.scores
            for metric in METRICS
            if min(figure(rung, task, metric), figure(against, task, metric)) >= 0
        )


def figure(rung: Scored, task: str, metric: str) -> float:
    """What was measured: a metric of COCO or ``AP CATEGORY``; -1 where there was nothing to find."""
    scores = rung.scores[task]
    return scores[metric] if metric in scores else rung.per_class[task][metric.removeprefix("AP ")]


def widening(samples: Mapping[str, Floats], holding: Mapping[str, int]) -> float:
    """How much wider an interval is than its samples say, because classes have few photos.

    Samples of n photos vary by (n - 1) / n of what they should (Hesterberg 2015, What teachers should know about the
    bootstrap, The American Statistician 69, 4.1). AP is a mean over classes, so n is for each class the number of
    photos that have an object of it, and not that of all photos. A class that one photo has counts as if two had it.

    Args:
        samples: by ``AP CATEGORY``. ``holding``: number of photos, by the same names.
    """
    known = {name: values[~np.isnan(values)] for name, values in samples.items() if holding.get(name)}
    varies = {name: float(values.var()) for name, values in known.items() if values.size}
    total = sum(varies.values())
    wider = sum(value * max(holding[name], 2) / (max(holding[name], 2) - 1) for name, value in varies.items())
    return math.sqrt(wider / total) if total else 1.0


def draws(photos: int) -> Iterator[Whole]:
    """What :func:`draw` gives of photos that are there once, so many samples at a time that they have few numbers."""
    generator, rows = np.random.default_rng(SEED), max(1, _BLOCK // photos)
    for start in range(0, SAMPLES, rows):
        yield draw(np.ones(photos, np.int32), min(rows, SAMPLES - start), generator)


def draw(
    photos: Whole, samples: int = SAMPLES, seed: int | Sequence[int] | np.random.Generator = SEED
) -> Whole:
    """``(samples, N) int32``: how often each sample holds each of N photos, in all as many as there are.

    Args:
        photos: ``(N,)``: how often each is there.
    """
    total = int(photos.sum())
    return np.random.default_rng(seed).multinomial(total, photos / total, samples).astype(np.int32)


def looks(photos: int) -> list[int]:
    """After how many photos to look, the last of them all: each time about twice as many."""
    counts = [photos]
    while counts[-1] >= 2 * FIRST_LOOK:
        counts.append(math.ceil(counts[-1] / 2))
    return counts[::-1]


def levels(counts: Sequence[int]) -> list[float]:
    """How much of :data:`ALPHA` each look may spend, so that all looks together err no more often than one.

    The spending function of Lan and DeMets 1983 (Discrete sequential boundaries for clinical trials, Biometrika 70)
    of the kind of O'Brien and Fleming, ``2 - 2 Phi(z(1 - alpha/2) / sqrt(t))`` at the fraction ``t`` of all photos. A
    look spends what is new since the last; that the errors of the looks add up at most needs no joint distribution.
    """
    spent = [2 - 2 * NormalDist().cdf(_sigmas(ALPHA) / math.sqrt(count / counts[-1])) for count in counts]
    return [now - before for now, before in zip(spent, [0.0, *spent], strict=False)]


def _sigmas(alpha: float) -> float:
    """Of a normal distribution, how far from the middle ``alpha`` begins, both sides together."""
    return -NormalDist().inv_cdf(alpha / 2)
