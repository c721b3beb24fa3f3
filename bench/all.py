"""Every benchmark beside its peer in one run: bench/results.md, and the same as JSON.

    python -m bench.all                       # about a quarter of an hour on two cores with nothing else on them
    python -m bench.all --only letterbox masks
    python -m bench.all --quick               # to see that all of it runs; its figures mean little

Each is a process of its own, so that one that fails loses no other. What it found is kept in a directory, a file each,
and is taken from there when the same sources, peers and machine are asked again; `--fresh` measures anew.
bench/results.md is written where all were asked, and not quickly; else the page is in that directory.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.page import digest, machine, page, then, versions
from bench.record import REPOSITORY, Plan, Record
from convertkit.children.process import run_child
from convertkit.errors import ProcessError, UnavailableError

RESULTS = REPOSITORY / "bench" / "results.md"
BENCHMARKS = {
    "help": "bench.commands:start",
    "pipeline": "bench.optimizers:compared",
    "graphs": "bench.graphs:against_stock",
    "letterbox": "bench.photos:letterboxes",
    "masks": "bench.photos:pasted",
    "photos": "bench.photos:streamed",
    "scores": "bench.scoring:compared",
    "intervals": "bench.scoring:bootstrap",
    "verify": "bench.flow:compared",
    "workers": "bench.workers:local",
    "ray": "bench.workers:on_ray",
    "build": "bench.commands:builds",
    "checks": "bench.checks:compared",
    "large-checks": "bench.checks:large",
}
"""Name: what yields records of a :class:`Plan`. On the command line ``module:function`` is one as well."""

LARGE = {"large-checks"}
"""Minutes each: measured where they are named, or all with ``--large``."""

MOST = 900.0
"""Seconds until a benchmark is ended."""


def main(words: Sequence[str] | None = None) -> int:
    chosen = _parser().parse_args(words)
    plan = Plan(chosen.quick, chosen.data)
    if chosen.one:
        measure(chosen.one, plan, chosen.json)
        return 0
    room = chosen.results / ("quick" if plan.quick else "full")
    room.mkdir(parents=True, exist_ok=True)
    state = digest(plan)
    for name in chosen.only or [name for name in BENCHMARKS if chosen.large or name not in LARGE]:
        path = room / f"{name}.json"
        if not chosen.fresh and (kept := _kept(path, state)) and not kept["error"]:
            print(f"{name}: as measured before", file=sys.stderr)
            continue
        print(f"{name} ...", file=sys.stderr, end=" ", flush=True)
        print(f"{_child(name, plan, path, state):.0f} s", file=sys.stderr)
    every = {name: _kept(room / f"{name}.json", state) for name in (*BENCHMARKS, *(chosen.only or ()))}
    found = {name: kept for name, kept in every.items() if kept}
    written = RESULTS if not chosen.only and not plan.quick else room / "results.md"
    told = {
        "machine": machine(),
        "then": then(),
        "versions": versions(),
        "quick": plan.quick,
        "benchmarks": found,
    }
    (chosen.json or room / "results.json").write_text(json.dumps(told, indent=2) + "\n")
    written.write_text(page(told))
    print(page(told))
    return 1 if any(each["error"] for each in found.values()) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", type=_named, help=", ".join(BENCHMARKS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="default: results.json beside the records")
    parser.add_argument("--quick", action="store_true", help="one pair of each, and small inputs")
    parser.add_argument("--large", action="store_true", help="the checks of r50 as well: some minutes")
    parser.add_argument("--fresh", action="store_true", help="measure what is there already")
    parser.add_argument("--data", type=Path, default=Plan.data, help="real photos and predictions")
    parser.add_argument(
        "--results", type=Path, default=REPOSITORY / "build" / "bench", help="records are kept here"
    )
    parser.add_argument("--one", help=argparse.SUPPRESS)
    return parser


def _named(name: str) -> str:
    if name not in BENCHMARKS and ":" not in name:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(BENCHMARKS)}")
    return name


def measure(name: str, plan: Plan, path: Path) -> None:
    """Runs one in this process; every record is kept as soon as it is there."""
    kept = json.loads(path.read_text())
    module, _, function = BENCHMARKS.get(name, name).partition(":")
    benchmark: Callable[[Plan], Iterator[Record]] = getattr(importlib.import_module(module), function)
    try:
        for record in benchmark(plan):
            kept["records"].append({**asdict(record), "met": record.met})
            _write(path, kept)
    except (ImportError, UnavailableError) as error:
        words = "; ".join(filter(None, (str(error), getattr(error, "hint", None))))
        kept["records"].append(asdict(Record(name, why=words)))
        _write(path, kept)


def _child(name: str, plan: Plan, path: Path, state: str) -> float:
    """Runs one in a process of its own; gives its seconds."""
    _write(path, {"state": state, "records": [], "error": "was interrupted"})
    words: list[str | Path] = [
        sys.executable,
        "-m",
        "bench.all",
        "--one",
        name,
        "--json",
        path,
        "--data",
        plan.data,
    ]
    words += ["--quick"] * plan.quick
    start, error = time.monotonic(), ""
    try:
        run_child(
            words, timeout=MOST, cwd=REPOSITORY, env={**os.environ, "PYTHONWARNINGS": "ignore"}, name=name
        )
    except ProcessError as ended:
        error = str(ended)
    _write(
        path, {**json.loads(path.read_text()), "error": error, "seconds": round(time.monotonic() - start, 1)}
    )
    return time.monotonic() - start


def _write(path: Path, kept: dict[str, Any]) -> None:
    path.with_suffix(".part").write_text(json.dumps(kept, indent=2) + "\n")
    path.with_suffix(".part").replace(path)


def _kept(path: Path, state: str) -> dict[str, Any] | None:
    """What a benchmark found with these sources, peers and this machine."""
    found: dict[str, Any] | None = json.loads(path.read_text()) if path.is_file() else None
    return found if found is not None and found["state"] == state else None


if __name__ == "__main__":
    sys.exit(main())
