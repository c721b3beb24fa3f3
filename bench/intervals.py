"""Whether the intervals of ``verify`` cover what they should.

    python -m bench.intervals --data ../shared/data

Two real detectors on 188 photos of val2017 stand for two rungs, and these photos for the world. Samples of it are drawn
with replacement; of each, the interval of the difference is taken, and counts as right where it holds the difference on
all 188. ``--until-decided`` is tried where it is hardest, with as much allowed as is lost, so that every pass and every
fail is one too early; a pass there is as wrong as where a hair less were allowed, and a fail as where a hair more.
Prints a JSON object; takes about an hour of a processor.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from convertkit.datasets.annotations import read_annotations
from convertkit.scoring.intervals import SAMPLES, Estimate, draw, levels, looks, widening
from convertkit.scoring.matches import Matches, Whole
from convertkit.scoring.metrics import evaluate

DATA = Path(__file__).parents[2] / "shared" / "data"
DETECTORS = ("yolox_nano", "nanodet_m")
METRICS = ("AP", "AP50")
SEED = 20261129

Rungs = tuple[Matches, Matches]
Found = Mapping[str, Estimate]
Looks = list[tuple[int, float, Estimate]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="the photos' annotations and predictions")
    parser.add_argument("--samples", type=int, default=1000, help="of photos; of each a bootstrap")
    parser.add_argument("--resamples", type=int, default=SAMPLES, help="of each bootstrap")
    parser.add_argument("--most", type=int, default=752, help="photos that --until-decided may take")
    parser.add_argument("--processes", type=int, default=2, help="samples do not depend on each other")
    chosen = parser.parse_args()
    given = (chosen.data, chosen.samples, chosen.resamples, chosen.most)
    with get_context("spawn").Pool(chosen.processes) as pool:
        parts = pool.map(partial(_part, *given, chosen.processes), range(chosen.processes))
    rungs = detectors(chosen.data)
    found = {
        "coverage": coverage(rungs, [one for drawn, _ in parts for one in drawn]),
        "until_decided": until_decided(rungs, [one for _, seen in parts for one in seen]),
    }
    print(json.dumps(found, indent=2))


def _part(
    data: Path, samples: int, resamples: int, most: int, parts: int, part: int
) -> tuple[list[Found], list[Looks]]:
    rungs, mine = detectors(data), range(part, samples, parts)
    return intervals(rungs, samples, resamples, mine), [looked(rungs, resamples, most, one) for one in mine]


def detectors(data: Path) -> Rungs:
    """The matches of the two."""
    truth = read_annotations(data / "coco_val188_instances.json")
    found = []
    for name in DETECTORS:
        path = data / "real_predictions" / f"{name}_val2017_188.json"
        matches = evaluate(truth, path, ("bbox",), matched=True)["bbox"].matches
        assert matches is not None
        found.append(matches)
    return found[0], found[1]


def drops(rungs: Rungs, drawn: Whole) -> dict[str, np.ndarray]:
    """What the second has less than the first, by metric, on each sample."""
    names = (*METRICS, *(f"AP {name}" for name in rungs[0].categories))
    first, second = (rung.resampled(drawn, names) for rung in rungs)
    return {metric: first[metric] - second[metric] for metric in names}


def intervals(rungs: Rungs, samples: int, resamples: int, mine: Sequence[int]) -> list[Found]:
    """Of each of ``mine`` among so many samples of the photos: the difference."""
    drawn = draw(np.ones(rungs[0].photos, np.int32), samples, SEED)
    return [_estimates(rungs, drawn[index], resamples, [SEED, index]) for index in mine]


def looked(rungs: Rungs, resamples: int, most: int, index: int) -> Looks:
    """At each look: photos, level, the drop of AP. Later looks see the photos of earlier ones, and as many more."""
    world, counts = rungs[0].photos, looks(most)
    order = np.random.default_rng([SEED, 1, index]).integers(0, world, most)
    found = []
    for count, level in zip(counts, levels(counts), strict=True):
        photos = np.bincount(order[:count], minlength=world).astype(np.int32)
        found.append((count, level, _estimates(rungs, photos, resamples, [SEED, 1, index, count])["AP"]))
    return found


def coverage(rungs: Rungs, found: Sequence[Found]) -> dict[str, float]:
    """How often the interval of a sample holds the difference on all photos."""
    truth = _truth(rungs)
    return {
        name: sum(one[name].low <= truth[name] <= one[name].high for one in found) / len(found)
        for name in METRICS
    }


def until_decided(rungs: Rungs, seen: Sequence[Looks]) -> dict[str, Any]:
    """How often it decides where no decision is right, and how soon where half as much or twice as much is lost."""
    truth = _truth(rungs)["AP"]
    allowed = {"as much as is lost": truth, "twice as much": 2 * truth, "half as much": truth / 2}
    ends = {name: [_end(one, limit) for one in seen] for name, limit in allowed.items()}
    return {
        name: {
            "outcomes": dict(Counter(outcome for outcome, _ in found)),
            "median_photos": float(np.median([count for _, count in found])),
        }
        for name, found in ends.items()
    }


def _truth(rungs: Rungs) -> dict[str, float]:
    world = np.ones((1, rungs[0].photos), np.int32)
    return {metric: float(values[0]) for metric, values in drops(rungs, world).items()}


def _end(seen: Looks, limit: float) -> tuple[str, int]:
    for count, level, drop in seen:
        if (outcome := drop.outcome(limit, level)) != "undecided":
            return outcome, count
    return "undecided", seen[-1][0]


def _estimates(rungs: Rungs, photos: Whole, resamples: int, seed: list[int]) -> Found:
    found = drops(rungs, np.concatenate([photos[None], draw(photos, resamples, seed)]))
    values = {metric: samples[0] for metric, samples in found.items()}
    samples = {metric: samples[1:] for metric, samples in found.items()}
    wider = widening(samples, rungs[0].holding(photos))
    return {metric: Estimate.of(float(values[metric]), samples[metric], wider) for metric in METRICS}


if __name__ == "__main__":
    main()
