"""How much faster several workers of ``verify`` are where the runtime only waits: a chip that takes 50 ms a picture.

With Ray they are actors on two nodes of a cluster that is started here, on this machine.

The model is the tests' finder, its photos are small JPEG files; the target sleeps until 50 ms of a run are over. The
efficiency is the rate of N workers by N times that of one process. The rate is that of the photos from the first fifth
to the fourth: before, workers start, and at the end come those that were run already and waited for the next to come.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bench.record import Plan, Record, absent
from convertkit.children.process import usable_processors
from convertkit.conversion.profiles import build_profiles
from convertkit.conversion.request import Asked, make_requests
from convertkit.plugins.loading import open_plugins
from convertkit.rungs.hands import Hand
from convertkit.rungs.names import parse_rung
from convertkit.verification.data import Source
from convertkit.verification.ladder import verify
from tests.finder import SIDE, dataset, write_finder

LATENCY = 0.05
"""Of a run, seconds."""
PEER = "one process, as often"
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
    """One run: photos/s when all work, and by how many times it is that of one process for each worker.

    ``workers`` is 0 for one process that hires nobody.
    """

    workers: int
    rate: float
    efficiency: float


def local(plan: Plan) -> Iterator[Record]:
    """Processes of this machine."""
    yield from _efficiency("local", 60 if plan.quick else 240, (4,) if plan.quick else (2, 4))


def on_ray(plan: Plan) -> Iterator[Record]:
    """Actors on two nodes of a cluster."""
    name = "workers of verify, ray"
    if (missing := absent(name, PEER, "ray")) is not None:
        yield missing
        return
    yield from _efficiency("ray", 60 if plan.quick else 240, (4,) if plan.quick else (1, 2, 4))


def _efficiency(engine: str, photos: int, workers: Sequence[int]) -> Iterator[Record]:
    with tempfile.TemporaryDirectory() as place:
        os.environ["CONVERTKIT_HOME"] = f"{place}/home"
        with cluster(max(workers)) if engine == "ray" else contextlib.nullcontext() as hire:
            alone, *rows = measured(Path(place), photos, workers, LATENCY, hire)
    for row in rows:
        yield Record(
            f"{row.workers} workers of verify, {engine}, {photos} photos", PEER, "photos/s",
            row.rate, row.workers * alone.rate, row.efficiency, GOAL if row.workers == 4 else None, at_least=True,
            runs=1,
            why=f"Four processes read, hand over and postprocess on {usable_processors()} cores.",
        )  # fmt: skip


@contextlib.contextmanager
def cluster(workers: int) -> Iterator[Callable[..., Hand]]:
    """What hires actors of a cluster of this machine: a head that runs nothing, and two nodes with room for all."""
    from ray.cluster_utils import Cluster

    from convertkit.workers.on_ray import hiring

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
        verify(
            requests, lambda: built, source, [parse_rung("target", (), {})], workers=count, hire=hiring,
            bar=ticking(clock),
        )  # fmt: skip
        first, last = clock[len(clock) // 5], clock[4 * len(clock) // 5]
        rate = (last[0] - first[0]) / (last[1] - first[1])
        assert rate * latency < 1.01 * count, "faster than the target can be: the measurement is wrong"
        base = rows[0].rate if rows else rate
        number = count if rows else 0
        rows.append(Row(number, rate, rate / (count * base)))
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
