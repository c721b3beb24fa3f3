"""Scoring against pycocotools and faster-coco-eval, and intervals against hotcoco's own bootstrap.

Reading both files is in it; the AP of all has to be equal. Boxes are those of a real detector in 188 photos of val2017,
repeated under other ids; masks are the hundred photos of pycocotools' own example.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.intervals import DETECTORS, detectors
from bench.record import Plan, Record, absent, by_turns, seconds
from bench.scale import detections, repeated
from convertkit.scoring.intervals import draw
from convertkit.scoring.metrics import evaluate

import numpy as np  # isort: skip

PHOTOS = 940
FAKE = "coco_eval_fake100"


def compared(plan: Plan) -> Iterator[Record]:
    """Boxes of many photos, masks of a hundred."""
    with tempfile.TemporaryDirectory(prefix="convertkit-bench-") as room:
        photos, found = 188 if plan.quick else PHOTOS, Path(room, "results.json")
        truth = repeated(plan.data, photos, Path(room))
        found.write_text(json.dumps(list(detections(plan.data, photos))))
        yield from _scored(plan, f"bbox AP of {photos} photos", truth, found, "bbox")
    fake = plan.data / FAKE
    names = "instances_val2014_100.json", "instances_val2014_fakesegm100_results.json"
    yield from _scored(plan, "segm AP of 100 photos", *(fake / name for name in names), "segm")


def _scored(plan: Plan, name: str, truth: Path, found: Path, task: str) -> Iterator[Record]:
    peers = {"pycocotools": ("pycocotools", _pycocotools), "faster-coco-eval": ("faster_coco_eval", _faster)}
    ours = functools.partial(_ours, truth, found, task)
    for peer, (module, score) in peers.items():
        if (missing := absent(name, peer, module, peer)) is not None:
            yield missing
            continue
        theirs = functools.partial(score, truth, found, task)
        if abs(ours() - theirs()) > 1e-9:
            raise RuntimeError(f"{peer} finds another {name}")
        yield Record.of_pairs(
            name, peer, by_turns(plan.rounds(5), seconds(ours), seconds(theirs), warm=False)
        )


def _ours(truth: Path, found: Path, task: Any) -> float:
    return evaluate(truth, found, (task,))[task].AP


def _pycocotools(truth: Path, found: Path, task: str) -> float:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    return _official(COCO, COCOeval, truth, found, task)


def _faster(truth: Path, found: Path, task: str) -> float:
    from faster_coco_eval import COCO, COCOeval_faster

    return _official(COCO, COCOeval_faster, truth, found, task)


def _official(load: Any, score: Any, truth: Path, found: Path, task: str) -> float:
    """As COCO's own example does it; a segmentation's area is that of its mask, so results have no box."""
    with contextlib.redirect_stdout(io.StringIO()):
        known = load(str(truth))
        evaluation = score(known, known.loadRes(str(found)), task)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])


def bootstrap(plan: Plan) -> Iterator[Record]:
    """1,000 resamples of all metrics of two detectors on 188 photos, beside 200 of hotcoco."""
    name, peer = "interval of a difference, 1,000 resamples", "hotcoco's compare, 200 resamples"
    rounds = by_turns(
        plan.rounds(3), seconds(_ours_of(plan.data)), seconds(_hotcoco_of(plan.data)), warm=False
    )
    yield Record.of_pairs(name, peer, rounds, why="There are five times as many resamples.")


def _ours_of(data: Path) -> Callable[[], object]:
    rungs = detectors(data)
    return lambda: [rung.resampled(draw(np.ones(rungs[0].photos, np.int32))) for rung in rungs]


def _hotcoco_of(data: Path) -> Callable[[], object]:
    import hotcoco

    evaluations = []
    for name in DETECTORS:
        truth = hotcoco.COCO(str(data / "coco_val188_instances.json"))
        loaded = truth.load_res(str(data / "real_predictions" / f"{name}_val2017_188.json"))
        evaluations.append(hotcoco.COCOeval(truth, loaded, "bbox"))
        evaluations[-1].evaluate()
    return functools.partial(hotcoco.compare, *evaluations, n_bootstrap=200)
