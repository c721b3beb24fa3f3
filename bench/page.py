"""The page of ``bench.all``: the machine in neutral words, the peers' versions, a table, misses and what is absent."""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.record import MASKRCNN, REPOSITORY, Plan, Record
from convertkit.children.process import usable_processors
from convertkit.errors import ConvertkitError
from convertkit.exporting.environment import Environment, choose
from convertkit.exporting.interpreter import installed
from convertkit.models.hook import hook_of
from convertkit.models.package import read_spec

PEERS = (
    "onnx", "onnxruntime", "onnxsim", "onnxslim", "onnxscript", "numpy", "opencv-python-headless", "pycocotools",
    "faster-coco-eval", "hotcoco", "ray",
)  # fmt: skip
EXPORTERS = ("torch", "mmcv-full", "mmdet")
SOURCES = ("convertkit", "passes", "targets", "models", "bench")

HEAD = """# Benchmarks

Written by `python -m bench.all{options}`: every pair took turns in one run. Figures are medians, *ratio* is the
median of the pairs' own, ours by the peer's; its goal is 1 where no other was set. [More](../docs/benchmarks.md).
"""


def page(told: Mapping[str, Any]) -> str:
    """Markdown of what ``bench.all`` tells."""
    rows = [(name, _record(row)) for name, found in told["benchmarks"].items() for row in found["records"]]
    measured = [(name, row) for name, row in rows if row.ours is not None]
    quick = (
        "**Quick: a pair of each, on small inputs. To see that all of it runs; the figures mean little.**\n"
    )
    parts = [
        HEAD.format(options=" --quick" if told["quick"] else ""),
        *([quick] if told["quick"] else []),
        "; ".join(f"{name}: {value}" for name, value in {**told["machine"], **told["then"]}.items()) + ".\n",
        ", ".join(f"{name} {value}" for name, value in told["versions"].items()) + ".\n",
        "| | what | against | ours | theirs | ratio | goal | met | pairs |",
        "|---|---|---|---:|---:|---:|---:|---|---:|",
        *(_row(name, row) for name, row in measured),
        *_list("Missed", [(row, row.why or "not explained yet.") for _, row in measured if row.met is False]),
        *_list("Not measured", [(row, row.why) for _, row in rows if row.ours is None]),
        *_failed(told["benchmarks"]),
    ]
    return "\n".join(parts) + "\n"


def _record(row: Mapping[str, Any]) -> Record:
    return Record(**{name: value for name, value in row.items() if name != "met"})


def _row(name: str, row: Record) -> str:
    sign = ">=" if row.at_least else "<="
    unit = "" if row.of == "ratio" else f" {row.unit}"
    goal = "-" if row.goal is None else f"{sign} {row.goal:g}{unit}"
    said = {None: "-", True: "yes", False: "**no**"}[row.met]
    ratio = "-" if row.ratio is None else f"{row.ratio:.3f}"
    figures = (_figure(row.ours, row.unit), _figure(row.theirs, row.unit), ratio, goal, said, str(row.runs))
    return f"| `{name}` | {row.name} | {row.peer or '-'} | " + " | ".join(figures) + " |"


def _figure(value: float | None, unit: str) -> str:
    return (
        "-" if value is None else f"{value:.{max(0, 2 - (abs(value) >= 10) - (abs(value) >= 100))}f} {unit}"
    )


def _list(title: str, rows: Sequence[tuple[Record, str]]) -> Iterator[str]:
    if rows:
        yield f"\n## {title}\n"
    for row, why in rows:
        yield f"* {', against '.join(filter(None, (row.name, row.peer)))}: {why}"


def _failed(found: Mapping[str, Any]) -> Iterator[str]:
    failed = {name: each["error"] for name, each in found.items() if each["error"]}
    if failed:
        yield "\n## Failed\n"
    for name, error in failed.items():
        yield f"* `{name}`: {error}"


def machine() -> dict[str, str]:
    """Of what kind it is; nothing that names it."""
    threads = os.environ.get("OMP_NUM_THREADS")
    return {
        "Cores": f"{usable_processors()}" + (f" (OMP_NUM_THREADS={threads})" if threads else ""),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
    }


def then() -> dict[str, str]:
    """What is another at another time: how busy the machine is."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "load average": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown")


def versions() -> dict[str, str]:
    """Of the peers: those here, and those in the export environment."""
    found = {}
    for name in PEERS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "(not installed)"
    try:
        python = exporter()
    except ConvertkitError:
        python = Path()
    return {**found, **(installed(python, EXPORTERS) if python.is_file() else {})}


def exporter() -> Path:
    """The interpreter of Mask R-CNN's export environment, which need not be there."""
    hook = hook_of(MASKRCNN, read_spec(MASKRCNN))
    return choose(Environment.of(hook.name, hook.environment, hook.root)).python


def digest(plan: Plan) -> str:
    """Of everything that a figure depends on: sources, versions, the machine, how much is measured."""
    found = hashlib.sha256(repr((machine(), versions(), astuple(plan))).encode())
    for path in sorted(path for room in SOURCES for path in (REPOSITORY / room).rglob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()
