"""Whether the intervals of ``verify`` cover what they should.

    python -m bench.intervals --data ../shared/data

Two real detectors on 188 photos of val2017 stand for two rungs, and these photos for the world. Samples of it are drawn
with replacement; of each, the interval of the difference is taken, and counts as right where it holds the difference on
all 188. ``--until-decided`` is tried where it is hardest, with as much allowed as is lost, so that every pass and every
fail is one too early; a pass there is as wrong as where a hair less were allowed, and a fail as where a hair more.
Prints a JSON object; takes some minutes.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from convertkit.datasets.annotations import read_annotations
from convertkit.verification.intervals import SAMPLES, Estimate, draw, levels, looks, widening
from convertkit.verification.matches import Matches, Whole
from convertkit.verification.metrics import evaluate

DATA = Path(__file__).parents[2] / "shared" / "data"
DETECTORS = ("yolox_nano", "nanodet_m")
METRICS = ("AP", "AP50")
SEED = 20261129


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="the photos' annotations and predictions")
    parser.add_argument("--samples", type=int, default=1000, help="of photos; of each a bootstrap")
    parser.add_argument("--resamples", type=int, default=SAMPLES, help="of each bootstrap")
    parser.add_argument("--most", type=int, default=752, help="photos that --until-decided may take")
    chosen = parser.parse_args()
    rungs = detectors(chosen.data)
    found = {
        "coverage": coverage(rungs, chosen.samples, chosen.resamples),
        "until_decided": until_decided(rungs, chosen.samples, chosen.resamples, chosen.most),
    }
    print(json.dumps(found, indent=2))


def detectors(data: Path) -> tuple[Matches, Matches]:
    """The matches of the two."""
    truth = read_annotations(data / "coco_val188_instances.json")
    found = []
    for name in DETECTORS:
        path = data / "real_predictions" / f"{name}_val2017_188.json"
        matches = evaluate(truth, path, ("bbox",), matched=True)["bbox"].matches
        assert matches is not None
        found.append(matches)
    return found[0], found[1]


def drops(rungs: tuple[Matches, Matches], drawn: Whole) -> dict[str, np.ndarray]:
    """What the second has less than the first, by metric, on each sample."""
    names = (*METRICS, *(f"AP {name}" for name in rungs[0].categories))
    first, second = (rung.resampled(drawn, names) for rung in rungs)
    return {metric: first[metric] - second[metric] for metric in names}


def coverage(rungs: tuple[Matches, Matches], samples: int, resamples: int) -> dict[str, float]:
    """How often the interval of a sample holds the difference on all photos."""
    world = np.ones(rungs[0].photos, np.int32)
    truth = {metric: values[0] for metric, values in drops(rungs, world[None]).items()}
    right = Counter[str]()
    for index, photos in enumerate(draw(world, samples, SEED)):
        found = _estimates(rungs, photos, resamples, [SEED, index])
        right.update(metric for metric, drop in found.items() if drop.low <= truth[metric] <= drop.high)
    return {metric: right[metric] / samples for metric in METRICS}


def until_decided(rungs: tuple[Matches, Matches], samples: int, resamples: int, most: int) -> dict[str, Any]:
    """How often it decides where no decision is right, and how soon where half as much or twice as much is lost."""
    world = np.ones(rungs[0].photos, np.int32)
    truth = float(drops(rungs, world[None])["AP"][0])
    allowed = {"as much as is lost": truth, "twice as much": 2 * truth, "half as much": truth / 2}
    ends: dict[str, list[tuple[str, int]]] = {name: [] for name in allowed}
    for index in range(samples):
        seen = _looks(rungs, resamples, most, index)
        for name, limit in allowed.items():
            ends[name].append(_end(seen, limit))
    return {
        name: {
            "outcomes": dict(Counter(outcome for outcome, _ in found)),
            "median_photos": float(np.median([count for _, count in found])),
        }
        for name, found in ends.items()
    }


def _looks(
    rungs: tuple[Matches, Matches], resamples: int, most: int, index: int
) -> list[tuple[int, float, Estimate]]:
    """At each look: photos, level, the drop of AP. Later looks see the photos of earlier ones, and as many more."""
    world, counts = rungs[0].photos, looks(most)
    order = np.random.default_rng([SEED, 1, index]).integers(0, world, most)
    found = []
    for count, level in zip(counts, levels(counts), strict=True):
        photos = np.bincount(order[:count], minlength=world).astype(np.int32)
        found.append((count, level, _estimates(rungs, photos, resamples, [SEED, 1, index, count])["AP"]))
    return found


def _end(seen: list[tuple[int, float, Estimate]], limit: float) -> tuple[str, int]:
    for count, level, drop in seen:
        if (outcome := drop.outcome(limit, level)) != "undecided":
            return outcome, count
    return "undecided", seen[-1][0]


def _estimates(
    rungs: tuple[Matches, Matches], photos: Whole, resamples: int, seed: list[int]
) -> dict[str, Estimate]:
    found = drops(rungs, np.concatenate([photos[None], draw(photos, resamples, seed)]))
    values = {metric: samples[0] for metric, samples in found.items()}
    samples = {metric: samples[1:] for metric, samples in found.items()}
    wider = widening(samples, rungs[0].holding(photos))
    return {metric: Estimate.of(float(values[metric]), samples[metric], wider) for metric in METRICS}


if __name__ == "__main__":
    main()
