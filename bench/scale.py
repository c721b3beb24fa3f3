"""What many photos cost ``verify`` in memory, in its journal and in scoring: the figures of docs/many-machines.md.

    python -m bench.scale --data ../shared/data --write docs/many-machines.md

Photos scored: a real detector's boxes in 188 photos of val2017, repeated under other ids, are scored as one rung, or as
two with the interval of their difference. Photos read: their annotations are examined and doubted as ``verify`` does,
and taken part by part with these boxes, all of scoring but its matching. Photos run: so many small JPEG files go
through the tests' finder on a target that only waits. Every row is a process of its own; memory is its peak (Linux).
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
import numpy as np

from bench.accuracy import write_part
from bench.intervals import DATA
from bench.workers import measured
from convertkit.datasets.annotations import read_annotations
from convertkit.datasets.doubts import contradictions, doubts
from convertkit.datasets.shapes import check_shapes
from convertkit.detection.types import Detections
from convertkit.rungs.journal import Found
from convertkit.scoring.intervals import Resampled
from convertkit.scoring.matches import Matches
from convertkit.scoring.metrics import evaluate
from convertkit.scoring.parts import Parts, truth_of

HEADING = "## What many photos cost"
DETECTOR = "nanodet_m"


@dataclass(frozen=True)
class Row:
    """``what`` was done with so many photos; ``peak`` is in MB, ``seconds`` of it all."""

    what: str
    photos: int
    peak: float
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="the photos' annotations and predictions")
    parser.add_argument("--run", type=int, nargs="*", default=[200, 2000, 8000])
    parser.add_argument("--read", type=int, nargs="*", default=[5000, 20000, 50000, 100000])
    parser.add_argument("--figures", type=int, nargs="*", default=[5076, 20000, 50000])
    parser.add_argument("--score", type=int, nargs="*", default=[188, 1880, 5076, 20000])
    parser.add_argument("--write", type=Path, help="a Markdown file whose section is replaced")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(asdict(alone(chosen.one, chosen.data))))
        return
    rows = [one(f"run:{count}", chosen.data) for count in chosen.run]
    rows += [one(f"read:{count}", chosen.data) for count in chosen.read]
    rows += [one(f"figures:{count}", chosen.data) for count in chosen.figures]
    rows += [one(f"score:{count}", chosen.data) for count in chosen.score]
    size = journal_size(chosen.data)
    print(json.dumps({"rows": [asdict(row) for row in rows], "journal_bytes_a_photo": size}, indent=2))
    if chosen.write:
        write_part(HEADING, section(rows, size), chosen.write)


def one(what: str, data: Path = DATA) -> Row:
    """A row, measured in a process of its own."""
    words = [sys.executable, "-m", "bench.scale", "--data", str(data), "--one", what]
    done = subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True)
    return Row(**json.loads(done.stdout.splitlines()[-1]))


def alone(words: str, data: Path) -> Row:
    """A row, measured in this process."""
    what, _, count = words.partition(":")
    start = time.perf_counter()
    if what == "run":
        with tempfile.TemporaryDirectory() as place:
            measured(Path(place), int(count), [], 0.0)
    elif what == "read":
        read(data, int(count))
    elif what == "figures":
        with tempfile.TemporaryDirectory() as place:
            evaluate(
                repeated(data, int(count), Path(place)), detections(data, int(count)), ("bbox",), matched=True
            )
    else:
        score(data, int(count))
    return Row(what, int(count), peak(), time.perf_counter() - start)


def peak() -> float:
    """The most memory that this process ever held, in MB: unlike getrusage's, not that of who started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def read(data: Path, photos: int) -> None:
    """All of scoring but its matching."""
    with tempfile.TemporaryDirectory() as place:
        found = read_annotations(repeated(data, photos, Path(place)))
        check_shapes(found, ("bbox",))
        ids = [image.id for image in found.images]
        for _ in (*contradictions(found, ("bbox",)), *doubts(found, ("bbox",), ids)):
            pass
        for part in Parts(found, ids, detections(data, photos), ("bbox",)):
            truth_of(part.found, "bbox")


def score(data: Path, photos: int) -> None:
    """Two rungs, the second without every tenth detection, and the interval of their difference."""
    with tempfile.TemporaryDirectory() as place:
        found = read_annotations(repeated(data, photos, Path(place)))
        tables: dict[str, dict[str, Matches]] = {}
        for drop in (0, 10):
            rows = (row for number, row in enumerate(detections(data, photos)) if not drop or number % drop)
            matches = evaluate(found, rows, ("bbox",), matched=True)["bbox"].matches
            assert matches is not None
            tables[str(drop)] = {"bbox": matches}
        Resampled.of(photos, tables)


def repeated(data: Path, photos: int, place: Path) -> Path:
    """The annotations of so many photos: those of 188, again and again; written one by one."""
    truth = json.loads((data / "coco_val188_instances.json").read_text())
    images, own = truth.pop("images"), defaultdict(list)
    for annotation in truth.pop("annotations"):
        own[annotation["image_id"]].append(annotation)

    def photo(number: int) -> dict[str, object]:
        return {**images[number % len(images)], "id": number + 1, "file_name": f"{number + 1}.jpg"}

    def objects() -> Iterator[dict[str, object]]:
        identity = itertools.count(1)
        for number in range(photos):
            for annotation in own[images[number % len(images)]["id"]]:
                yield {**annotation, "id": next(identity), "image_id": number + 1}

    path = place / "instances.json"
    with path.open("w") as file:
        file.write(json.dumps(truth).removesuffix("}"))
        for key, entries in (("images", map(photo, range(photos))), ("annotations", objects())):
            file.write(f', "{key}": [{json.dumps(next(entries))}')
            file.writelines(f", {json.dumps(entry)}" for entry in entries)
            file.write("]")
        file.write("}")
    return path


def detections(data: Path, photos: int) -> Iterator[dict[str, object]]:
    """A real detector's, of the same photos."""
    order = [image.id for image in read_annotations(data / "coco_val188_instances.json").images]
    own = by_photo(data)
    for number in range(photos):
        for row in own[order[number % len(order)]]:
            yield {**row, "image_id": number + 1}


def by_photo(data: Path) -> dict[int, list[dict[str, object]]]:
    found = defaultdict(list)
    for row in json.loads((data / "real_predictions" / f"{DETECTOR}_val2017_188.json").read_text()):
        found[row["image_id"]].append(row)
    return found


def journal_size(data: Path) -> float:
    """Bytes of a photo's line in the journal, on average, with the boxes of a real detector."""
    sizes = []
    for rows in by_photo(data).values():
        boxes = np.array([row["bbox"] for row in rows], np.float32)
        scores, labels = np.ones(len(rows), np.float32), np.zeros(len(rows), np.int64)
        sizes.append(len(msgspec.json.encode(Found.of("0" * 64, Detections(boxes, scores, labels)))) + 66)
    return float(np.mean(sizes))


def section(rows: Sequence[Row], size: float) -> str:
    """The section of docs/many-machines.md."""
    said = {
        "run": "run, one rung",
        "read": "read by parts, all of scoring but its matching",
        "figures": "scored, one rung",
        "score": "scored, two rungs and the interval of their difference",
    }
    lines = [
        HEADING,
        "",
        "    python -m bench.scale --write docs/many-machines.md",
        "",
        "| photos | peak memory, MB | seconds |",
        "|---|---:|---:|",
        *(f"| {row.photos:,} {said[row.what]} | {row.peak:.0f} | {row.seconds:.1f} |" for row in rows),
        "",
        f"A photo's line in the journal has {size:,.0f} bytes with the boxes of a real detector (67 on average).",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
