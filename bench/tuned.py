"""Sweeps of ``tune`` whose accuracy is measured: mini, mini48, and mini on the 1200-pixel canvas.

    python -m bench.tuned --data ../shared/data
    python -m bench.tuned --only canvas

Everything is asked of the command line. What a sweep looked at is in the store, so that one that was interrupted goes
on; what it found is kept in a directory, and the tables in docs/tuning.md are written of all that is there.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench import mini48, scaled_canvas
from bench.accuracy import REPOSITORY, parser_of, write_part
from convertkit.cli.app import main as convertkit
from convertkit.tuning.conclusion import Tuning, cells
from convertkit.tuning.front import Point

MODEL, TARGET = REPOSITORY / "models" / "maskrcnn", "ascend310p3"
PAGE = REPOSITORY / "docs" / "tuning.md"


@dataclass(frozen=True)
class Sweep:
    """One sweep.

    Attributes:
        title: of its part of the page. about: what is swept, in front of the command.
        words: of ``tune``, beside model and target. variant: writes a variant file below a directory, given the data.
        file: the variant file's name on the page; empty where the package's own is swept.
    """

    title: str
    about: str
    words: str
    variant: Callable[[Path, Path], Path] | None = None
    file: str = ""


SWEEPS: Mapping[str, Sweep] = {
    "mini": Sweep(
        "## mini",
        "24 of the 100 scenes, which are nearer to 5:4 than to 3:2: on a canvas of 3:2 they are seen smaller.",
        "--subset 24 --lever proposals --lever detections=50 --lever masks --lever batch=4 --lever profiles "
        "--budget 12",
    ),
    "mini48": Sweep(
        "## mini48",
        "`bench.mini48.write_variant` writes `mini48.yaml` for the checkpoint and its 48 photos, which it has "
        "memorised.",
        "--lever proposals=500,300,100 --lever masks --lever detections=50 --budget 16",
        mini48.write_variant,
        "mini48.yaml",
    ),
    "canvas": Sweep(
        "## mini on a canvas of 1200 pixels",
        "`bench.scaled_canvas.write_variant` writes `large.yaml`, of a graph whose coordinates go up to 1200; the "
        "network itself still sees 320 x 320 pixels. 48 of the 100 scenes.",
        "--subset 48 --lever proposals=500,300,100 --lever masks --lever detections=50 --budget 16 --drop 0.005",
        lambda directory, data: scaled_canvas.write_variant(directory),
        "large.yaml",
    ),
}


class Found(msgspec.Struct):
    """What a sweep said, and the seconds it took by the clock."""

    tuning: Tuning
    seconds: float


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--only", choices=SWEEPS, help="sweep no other")
    parser.add_argument("--results", type=Path, default=REPOSITORY / "build" / "bench" / "tuned")
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    for name in [options.only] if options.only else SWEEPS:
        path = options.results / f"{name}.json"
        if not path.is_file():
            path.write_bytes(msgspec.json.format(msgspec.json.encode(swept(SWEEPS[name], options.data))))
        found = msgspec.json.decode(path.read_bytes(), type=Found)
        write_part(SWEEPS[name].title, text(SWEEPS[name], found), PAGE)


def swept(sweep: Sweep, data: Path) -> Found:
    """Sweeps, or raises SystemExit with what the command said."""
    with tempfile.TemporaryDirectory() as room:
        variant = ["--variant", str(sweep.variant(Path(room), data))] if sweep.variant else []
        words = ["tune", str(MODEL), *variant, "--target", TARGET, *sweep.words.split(), "--json"]
        printed, start = io.StringIO(), time.monotonic()
        with contextlib.redirect_stdout(printed):
            code = convertkit(words)
        if code:
            raise SystemExit(f"{' '.join(words)} ended with {code}: {printed.getvalue()}")
        return Found(msgspec.json.decode(printed.getvalue(), type=Tuning), time.monotonic() - start)


def text(sweep: Sweep, found: Found) -> str:
    """The part of the page."""
    tuning = found.tuning
    variant = f"--variant {sweep.file} " if sweep.file else ""
    drop = f", the fastest whose intervals end within a drop of {tuning.allowed:g}" if tuning.chosen else ""
    subset = f" (seed {tuning.subset.seed})" if tuning.subset else ""
    remarks = [
        f"{len(tuning.points)} points on {tuning.photos} photos{subset}, {found.seconds / 60:.0f} minutes on two "
        f"cores. Bold is the choice{drop}."
    ]
    if same := [one for one in tuning.points if one.measured not in (None, one.number)]:
        pairs = ", ".join(f"{one.number} as {one.measured}" for one in same)
        remarks.append(f"Not measured again, as what they compute is the same: {pairs}.")
    if tuning.budget_ended:
        remarks.append("The budget ended before all combinations were looked at.")
    return "\n".join(
        [
            f"{sweep.title}\n\n{sweep.about}\n",
            f"    convertkit tune models/maskrcnn {variant}--target {TARGET} {sweep.words}\n",
            f"{' '.join(remarks)}\n",
            table(tuning),
        ]
    )


def table(tuning: Tuning) -> str:
    """Its points, the fastest first."""
    tasks = tuple(tuning.points[0].scores)
    columns = "".join(f" {task} AP | beside point 1 |" for task in tasks)
    lines = [f"| | point | images/s at most | fused |{columns} front |"]
    lines.append("|--:|---|--:|--:|" + "--:|---|" * len(tasks) + "---|")
    return "\n".join([*lines, *(_row(one, one.number == tuning.chosen) for one in tuning.swept)])


def _row(point: Point, chosen: bool) -> str:
    name, speed, fused, _, *rest = cells(point)
    shown = f"`{name}`" if point.changed else name
    return (
        "| "
        + " | ".join([str(point.number), f"**{shown}**" if chosen else shown, speed, fused, *rest])
        + " |"
    )


if __name__ == "__main__":
    main()
