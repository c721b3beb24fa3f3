"""The page of a verification: verdict, ladder with intervals, curves, confusion, and the photos that differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from convertkit.datasets.coco import CocoDataset
from convertkit.precision.ranges import Ranges
from convertkit.reports.page.blocks import (
    Block,
    Cell,
    Fold,
    Heat,
    Intervals,
    Lines,
    Page,
    Section,
    Spread,
    Table,
    Words,
)
from convertkit.reports.page.photos import MOST_PHOTOS, SCORE, categories, disagreements, pictures
from convertkit.reports.page.ranges import range_blocks
from convertkit.rungs.rung import Rung
from convertkit.scoring.confusion import RECALLS, ROWS, Confusion, confusion, precision
from convertkit.scoring.intervals import Difference, Estimate
from convertkit.scoring.metrics import evaluate
from convertkit.verification.conclusion import Verification
from convertkit.verification.judge import Verdict

METRICS = ("AP", "AP50", "AP75", "APs", "APm", "APl")
TASKS = {"bbox": "Boxes", "segm": "Masks"}
MOST_CURVES = 6
"""Rungs in one drawing of curves: the first, the last, and those between that differ most from the first."""
MOST_CLASSES = 16
"""Categories of a drawn confusion matrix, those with most confusions."""
MOST_PAIRS = 20


def verify_page(found: Verification, dataset: CocoDataset, results: Path, ranges: Ranges | str) -> Page:
    """Of what was found, and of the detections that it left.

    Args:
        dataset: the photos that were measured. results: the directory with each measured rung's file.
        ranges: of the target's graph on some of the photos, or why there are none.
    """
    files = {rung.name: results / f"{rung.name}.jsonl" for rung in found.rungs}
    files = {name: file for name, file in files.items() if file.is_file()}
    tasks = [task for task in TASKS if any(task in rung.scores for rung in found.rungs)]
    sections = (
        Section("verdict", "Verdict", tuple(_verdict(found))),
        Section("ladder", "Ladder", tuple(_ladder(found, tasks))),
        Section("ranges", "Ranges and overflows", tuple(_ranges(found.rungs, ranges))),
        Section("curves", "Precision over recall", tuple(_curves(found, dataset, files, tasks))),
        Section("confusion", "Confusion", tuple(_confused(found, dataset, files))),
        Section("photos", "Photos on which rungs disagree most", tuple(_photos(dataset, files))),
    )
    left_out = f" ({found.left_out})" if found.left_out.photos else ""
    facts = (
        ("Model", f"{found.model} {found.variant}"),
        ("Target", found.target),
        ("Photos", f"{found.images}{left_out}"),
        *((("Subset", str(found.subset)),) if found.subset else ()),
        ("Judged", found.rungs[-1].name),
        ("Figures", "COCO AP in 0..1 with 95 % intervals"),
    )
    title = f"Accuracy of {found.model} {found.variant} on {found.target}"
    return Page(title, summary(found.verdict), facts, sections)


def summary(verdict: Verdict) -> Cell:
    """The verdict in a line."""
    if not verdict.ok:
        return Cell("below the accuracy spec", "bad")
    if verdict.undecided:
        return Cell("undecided: more photos have to decide", "unsure")
    if not verdict.judged and not verdict.gates:
        return Cell(f"not judged: {verdict.reason}", "unsure")
    return Cell("meets the accuracy spec", "good")


def _verdict(found: Verification) -> Iterator[Block]:
    verdict = found.verdict
    if verdict.reason:
        yield Words(
            f"The demanded figures: {verdict.reason}" if verdict.judged else f"Not judged: {verdict.reason}"
        )
    rows = [(_outcome("pass" if one.ok else "fail", verdict.judged), str(one)) for one in verdict.demands]
    rows += [(_outcome(one.outcome), str(one)) for one in verdict.gates]
    rows += [(Cell("left out", "unsure"), line) for line in verdict.gates_left_out]
    if rows:
        yield Table(
            "What the accuracy spec demands, and what was measured", ("Outcome", "Demand"), tuple(rows)
        )
    yield from map(Words, found.notes)


def _outcome(outcome: str, judged: bool = True) -> Cell:
    if not judged:
        return Cell("not judged", "unsure")
    return Cell(outcome, {"pass": "good", "fail": "bad"}.get(outcome, "unsure"))  # type: ignore[arg-type]


def _ladder(found: Verification, tasks: Sequence[str]) -> Iterator[Block]:
    for task in tasks:
        known = [rung for rung in found.rungs if task in rung.scores]
        spreads = tuple(_spread(rung, task) for rung in known)
        said = ", ".join(f"{item.name} {item.value:.4f}" for item in spreads)
        hollow = "; a hollow dot is a recorded figure" if any(item.low is None for item in spreads) else ""
        caption = f"{TASKS[task]}: AP with its 95 % interval{hollow}"
        yield Intervals(caption, f"{caption}. {said}", spreads, "AP")
        rows = tuple(
            (rung.name, *(_figure(rung, task, metric) for metric in METRICS), _rate(rung)) for rung in known
        )
        columns = ("Rung", *METRICS, "Images/s")
        yield Table(f"{TASKS[task]}: figures", columns, rows, frozenset(range(1, len(columns))))
    first = next((one.against for one in found.differences), "")
    for task in tasks:
        apart = [one for one in found.differences if _is_shown(one, task, first)]
        if apart:
            caption = f"{TASKS[task]}: AP above that of {first}, on the same photos, with its 95 % interval"
            said = ", ".join(f"{one.rung} {one.estimate.value:+.4f}" for one in apart)
            spreads = tuple(_apart(one) for one in apart)
            yield Intervals(caption, f"{caption}. {said}", spreads, "AP", zero=True)
    if steps := [one for one in found.differences if one.metric == "AP"]:
        yield Fold("Every difference", (_steps(steps),))
    if (last := found.rungs[-1]).per_class:
        yield Fold(f"AP by category, {last.name}", tuple(_by_category(last)))


def _by_category(rung: Rung) -> Iterator[Table]:
    for task, values in rung.per_class.items():
        rows = tuple((name, f"{value:.4f}") for name, value in values.items() if value >= 0)
        yield Table(f"{TASKS[task]}: categories that have objects", ("Category", "AP"), rows, frozenset({1}))


def _steps(steps: Sequence[Difference]) -> Table:
    columns = ("Rung", "Against", "Task", "AP", "95 % interval", "Chance")
    rows = tuple(
        (one.rung, one.against, TASKS[one.task], *_signed(one.estimate), _chance(one.estimate))
        for one in steps
    )
    return Table("Differences of AP", columns, rows, frozenset({3, 4}))


def _is_shown(one: Difference, task: str, first: str) -> bool:
    return one.task == task and one.metric == "AP" and one.against == first


def _spread(rung: Rung, task: str) -> Spread:
    known = rung.intervals.get(task, {}).get("AP")
    value = rung.scores[task]["AP"]
    return Spread(rung.name, value, known.low, known.high) if known else Spread(rung.name, value)


def _apart(one: Difference) -> Spread:
    return Spread(one.rung, one.estimate.value, one.estimate.low, one.estimate.high)


def _figure(rung: Rung, task: str, metric: str) -> str:
    value, known = rung.scores[task].get(metric, -1.0), rung.intervals.get(task, {}).get(metric)
    if value < 0:
        return "-"
    return f"{value:.4f} ± {known.half:.4f}" if known else f"{value:.4f}"


def _signed(found: Estimate) -> tuple[str, str]:
    """The value, and its interval, which need not lie evenly around it: half of it would not say what is chance."""
    return f"{found.value:+.4f}", f"{found.low:+.4f} to {found.high:+.4f}"


def _chance(found: Estimate) -> Cell:
    if found.low == found.high == 0:
        return Cell("equal")
    return Cell("within chance") if found.chance else Cell("more than chance", "unsure")


def _rate(rung: Rung) -> str:
    return "-" if rung.images_per_second is None else f"{rung.images_per_second:.1f}"


def _ranges(rungs: Sequence[Rung], ranges: Ranges | str) -> Iterator[Block]:
    """A rung in fp16 that overflows fails, and names the first tensor that left its range."""
    for rung in rungs:
        if rung.failure:
            yield Words(f"{rung.name} failed: {rung.failure}", "bad")
    yield from range_blocks(ranges)


def _curves(
    found: Verification, dataset: CocoDataset, files: dict[str, Path], tasks: Sequence[str]
) -> Iterator[Block]:
    ids = [image.id for image in dataset.images]
    chosen = _chosen([rung for rung in found.rungs if rung.name in files])
    seen = {name: evaluate(dataset.found, files[name], tasks, image_ids=ids, matched=True) for name in chosen}
    for task in tasks if seen else ():
        for iou, row in ROWS.items():
            matches = {name: metrics[task].matches for name, metrics in seen.items()}
            curves = {name: precision(one, row) for name, one in matches.items() if one is not None}
            caption = f"{TASKS[task]} at IoU {iou}, mean over categories"
            said = ", ".join(f"{name} mean precision {curve.mean():.4f}" for name, curve in curves.items())
            points = tuple(
                tuple(zip(RECALLS.tolist(), curve.tolist(), strict=True)) for curve in curves.values()
            )
            yield Lines(caption, f"{caption}. {said}", tuple(curves), points, ("recall", "precision"))
    if not seen:
        yield Words("No rung was measured, so there is no curve.")


def _chosen(rungs: Sequence[Rung]) -> list[str]:
    """The first and the last, and the others by how far their AP is from the first's; in the order of the ladder."""
    if not rungs:
        return []
    task = next(iter(rungs[0].scores))
    start = rungs[0].scores[task]["AP"]
    between = sorted(rungs[1:-1], key=lambda rung: -abs(rung.scores[task]["AP"] - start))
    kept = {rung.name for rung in (rungs[0], rungs[-1], *between[: MOST_CURVES - 2])}
    return [rung.name for rung in rungs if rung.name in kept]


def _confused(found: Verification, dataset: CocoDataset, files: dict[str, Path]) -> Iterator[Block]:
    names = [rung.name for rung in found.rungs if rung.name in files]
    if not names:
        yield Words("No rung was measured, so nothing was confused.")
        return
    seen = confusion(dataset.found, files[names[-1]], [image.id for image in dataset.images])
    yield Words(f"Boxes of {names[-1]} with a score of {seen.score:g} or more, matched at IoU {seen.iou:g}.")
    yield from _matrix(seen)


def _matrix(seen: Confusion) -> Iterator[Block]:
    counts, names = np.array(seen.counts), [*seen.names, "nothing"]
    wrong = counts - np.diag(np.diag(counts))
    pairs = sorted(((int(wrong[i, j]), i, j) for i, j in zip(*np.nonzero(wrong), strict=True)), reverse=True)
    worst = np.argsort(-(wrong.sum(axis=0) + wrong.sum(axis=1))[:-1], kind="stable")[:MOST_CLASSES]
    chosen = [*sorted(worst.tolist()), len(names) - 1]
    labels = tuple(names[index] for index in chosen)
    kept = tuple(tuple(row) for row in counts[np.ix_(chosen, chosen)].tolist())
    right, total = int(np.trace(counts)), int(counts[:-1].sum())
    some = f", the {len(worst)} categories with most confusions of {len(seen.names)}"
    caption = f"Objects by row, detections by column{some if len(worst) < len(seen.names) else ''}"
    said = f"{caption}. {right} of {total} objects are found with their category; the table has the errors"
    yield Heat(caption, said, labels, labels, kept, ("detected", "object"))
    rows = tuple((f"{count}", names[i], names[j]) for count, i, j in pairs[:MOST_PAIRS])
    left = f"; {len(pairs) - MOST_PAIRS} more pairs are not listed" if len(pairs) > MOST_PAIRS else ""
    if rows:
        columns = ("Count", "Object", "Detected as")
        yield Fold(
            "The errors", (Table(f"Errors, the commonest first{left}", columns, rows, frozenset({0})),)
        )


def _photos(dataset: CocoDataset, files: dict[str, Path]) -> Iterator[Block]:
    names = list(files)
    if len(names) < 2:
        yield Words("Two measured rungs are needed to disagree.")
        return
    pair = names[0], names[-1]
    found = disagreements(dataset, [files[name] for name in pair])
    yield Words(
        f"{pair[0]} and {pair[1]} differ on {len(found)} of {len(dataset.images)} photos, by detections with a "
        f"score greater than {SCORE:g}; of these the {min(len(found), MOST_PHOTOS)} that differ most are here."
    )
    if any(not one.image.path.is_file() for one in found[:MOST_PHOTOS]):
        yield Words("Photos that are not on this machine are named, not drawn (--images DIRECTORY).")
    yield from pictures(found, pair, categories(dataset))
