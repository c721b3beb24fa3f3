"""How much faster several workers of ``verify`` are where the runtime only waits: a chip that takes 50 ms a picture.

    python -m bench.workers --write docs/benchmarks.md
    python -m bench.workers --engine ray --write docs/benchmarks.md

With Ray they are actors on two nodes of a cluster that is started here, on this machine.

The model is the tests' finder, its photos are small JPEG files; the target sleeps until 50 ms of a run are over. The
efficiency is the rate of N workers by N times that of one process. The rate is that of the photos from the first fifth
to the fourth: before, workers start, and at the end come those that were run already and waited for the next to come.
What that costs is in the seconds in all.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from convertkit.conversion.profiles import build_profiles
from convertkit.conversion.request import Asked, make_requests
from convertkit.plugins.loading import open_plugins
from convertkit.verification.data import Source
from convertkit.verification.hands import Hand
from convertkit.verification.ladder import verify
from convertkit.verification.rung_names import parse_rung
from tests.finder import SIDE, dataset, write_finder

HEADINGS = {"local": "## Several workers", "ray": "## Several workers, as actors of Ray"}
GOAL = 0.9
"""Of the efficiency of four."""

TARGET = '''

import time

from convertkit.api import graphs, heads
from convertkit.api.targets import Target


class Waiting(Target):
    """Take LATENCY s for a run."""

    def open(self, directory):
        return Waits(graphs.open_session(heads.lower(graphs.load(directory / "model.onnx")), threads=1))


class Waits:
    def __init__(self, session):
        self.session = session

    def run(self, inputs):
        end = time.perf_counter() + LATENCY
        found = self.session.run(inputs)
        time.sleep(max(0.0, end - time.perf_counter()))
        return found


@hookimpl
def register_targets(register):
    register(Waiting("waiting"))
'''


@dataclass(frozen=True)
class Row:
    """One run: photos/s when all work, by how many times it is that of one process for each worker, and the whole.

    ``workers`` is 0 for one process that hires nobody.
    """

    workers: int
    rate: float
    efficiency: float
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=480)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--engine", choices=[*HEADINGS], default="local")
    parser.add_argument("--latency", type=float, default=0.05, help="of a run, in seconds")
    parser.add_argument("--write", type=Path, help="a Markdown file whose section is replaced")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["CONVERTKIT_HOME"] = f"{place}/home"
        with cluster(max(chosen.workers)) if chosen.engine == "ray" else contextlib.nullcontext() as hire:
            rows = measured(Path(place), chosen.photos, chosen.workers, chosen.latency, hire)
    print(json.dumps([asdict(row) for row in rows], indent=2))
    if chosen.write:
        text = section(rows, chosen.photos, chosen.latency, chosen.engine)
        chosen.write.write_text(with_section(chosen.write.read_text(), text))


@contextlib.contextmanager
def cluster(workers: int) -> Iterator[Callable[..., Hand]]:
    """What hires actors of a cluster of this machine: a head that runs nothing, and two nodes with room for all."""
    from ray.cluster_utils import Cluster

    from convertkit.verification.ray_workers import hiring

    store = {"object_store_memory": 80 << 20}
    os.environ |= {"RAY_memory_monitor_refresh_ms": "0"}  # other jobs may fill the memory
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **store})
    for _ in range(2):
        nodes.add_node(num_cpus=(workers + 1) // 2, wait=False, **store)
    nodes.wait_for_nodes()
    try:
        with hiring(nodes.address) as hire:
            yield hire
    finally:
        nodes.shutdown()


def measured(
    root: Path, photos: int, workers: Sequence[int], latency: float, hire: Callable[..., Hand] | None = None
) -> list[Row]:
    """A row for one process, and one for each number of workers that ``hire`` makes, or processes of this machine."""
    source = scene(root, photos, latency)
    asked = Asked(root / "finder", target="waiting", check=False)
    requests = make_requests(asked, open_plugins())
    built = build_profiles(requests, root / "artifact")
    rows: list[Row] = []
    for count, hiring in [(1, None), *((count, hire) for count in workers if hire or count > 1)]:
        clock: list[tuple[int, float]] = []
        start = time.perf_counter()
        verify(
            requests, lambda: built, source, [parse_rung("target", (), {})], workers=count, hire=hiring,
            bar=ticking(clock),
        )  # fmt: skip
        first, last = clock[len(clock) // 5], clock[4 * len(clock) // 5]
        rate = (last[0] - first[0]) / (last[1] - first[1])
        assert rate * latency < 1.01 * count, "faster than the target can be: the measurement is wrong"
        base = rows[0].rate if rows else rate
        number = count if rows else 0
        rows.append(Row(number, rate, rate / (count * base), time.perf_counter() - start))
    return rows


def scene(root: Path, photos: int, latency: float) -> Source:
    """The model, and photos of noise."""
    plugin = write_finder(root / "finder", spread=0.004) / "plugin.py"
    plugin.write_text(plugin.read_text() + TARGET.replace("LATENCY", repr(latency)))
    (root / "photos").mkdir()
    data, rng = dataset(photos=photos), np.random.default_rng(0)
    for image in data["images"]:
        image["file_name"] = f"{image['id']}.jpg"
        picture = rng.integers(0, 256, (SIDE, SIDE, 3)) * rng.random()
        cv2.imwrite(str(root / "photos" / image["file_name"]), picture.astype(np.uint8))
    (root / "instances.json").write_text(json.dumps(data))
    return Source(root / "instances.json", root / "photos", own=False)


def ticking(
    clock: list[tuple[int, float]],
) -> Callable[[str, int], contextlib.AbstractContextManager[Callable[[int], None]]]:
    """A progress display that only notes when each photo was done."""

    @contextlib.contextmanager
    def bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
        yield lambda count: clock.append((count, time.perf_counter()))

    return bar


def section(rows: Sequence[Row], photos: int, latency: float, engine: str) -> str:
    """The section of docs/benchmarks.md."""
    cores = len(os.sched_getaffinity(0))
    what, command = "`verify --workers N`", "python -m bench.workers"
    if engine == "ray":
        what, command = (
            "`verify --engine ray --workers N`, two nodes on this machine,",
            f"{command} --engine ray",
        )
    lines = [
        HEADINGS[engine],
        "",
        f"{what} of {photos} small photos on a target that takes {1000 * latency:g} ms for a picture and",
        "computes next to nothing, as a chip beside the processor does. Efficiency is the rate of N workers by N times",
        "that of one process; in the seconds are the start of the workers, the examination of the photos, and scoring.",
        "",
        f"    {command} --write docs/benchmarks.md",
        "",
        f"| workers, on {cores} cores with other jobs on them | photos/s | efficiency | seconds in all |",
        "|---|---:|---:|---:|",
        *(
            f"| {row.workers or 'one process'} | {row.rate:.1f} | {row.efficiency:.2f} | {row.seconds:.1f} |"
            for row in rows
        ),
        "",
    ]
    four = next((row.efficiency for row in rows if row.workers == 4), None)
    if four is not None:
        lines += [f"Goal: {GOAL} at 4 workers; {'met' if four >= GOAL else 'missed'}.", ""]
    return "\n".join(lines)


def with_section(text: str, own: str) -> str:
    """A document with its section of this name replaced, or with a new one at its end."""
    before, heading, after = text.partition(own.partition("\n")[0] + "\n")
    rest = after.partition("\n## ")
    tail = f"\n## {rest[2]}" if heading and rest[1] else ""
    return f"{before.rstrip()}\n\n{own}{tail}"


if __name__ == "__main__":
    main()
