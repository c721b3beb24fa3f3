"""What ais_bench noted of its own speed: ``<results>_summary.json`` (ascend-facts: ais-bench-results).

The first ais_infer calls it ``sumary.json``, in the directory, and notes no single times (Ascend/tools 256ed1fe:
frontend/summary.py); with ``--pipeline --threads`` the newest notes when each run began and ended (ait: summary.py).
The mean is there in both.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
from msgspec import Struct

from convertkit.api import system, targets

_RUN = re.compile(r"\d{4}_\d{2}_\d{2}-\d{2}_\d{2}_\d{2}")
_DEVICE = re.compile(r"device\d+(?:_\d+)?")


class _Latency(Struct, frozen=True):
    mean: float = 0.0
    count: int = 0


class _Summary(Struct, frozen=True):
    NPU_compute_time: _Latency = _Latency()
    npu_compute_time_list: list[float | tuple[float, float]] = []
    H2D_latency: _Latency = _Latency()
    D2H_latency: _Latency = _Latency()


def read_timings(results: Path) -> targets.Timings:
    """The compute times in ms of every run; what the file has only the mean of (the copies) is given once.

    Args:
        results: the directory of result files, or the one above it.

    Raises:
        UsageError: there is no summary, or several; or it is no summary, or too large for one.
    """
    found = _candidates(results)
    if len(found) != 1:
        what = (
            "no summary of ais_bench" if not found else f"{len(found)} summaries, {found[0].name} the first,"
        )
        raise targets.UsageError(
            f"{results}: {what} there or beside it", hint="give the directory of one run, on one device"
        )
    try:
        summary = msgspec.json.decode(system.read_file(found[0]), type=_Summary)
    except (UnicodeDecodeError, RecursionError, msgspec.MsgspecError) as error:
        raise targets.UsageError(f"{found[0]}: not a summary of ais_bench ({error})") from error
    single = [time for time in summary.npu_compute_time_list if isinstance(time, float)]
    mean = (summary.NPU_compute_time.mean,) if summary.NPU_compute_time.mean > 0 else ()
    return targets.Timings(tuple(single) or mean, _mean(summary.H2D_latency), _mean(summary.D2H_latency))


def _candidates(results: Path) -> list[Path]:
    """Beside the directory, in it (the old name), or those of the runs and devices in it."""
    own = [results.with_name(f"{results.name}_summary.json"), results / "sumary.json"]
    if found := [path for path in own if path.is_file()]:
        return found[:1]
    beside = [path for pattern in ("*_summary.json", "*/*_summary.json") for path in results.glob(pattern)]
    inside = [path for path in results.glob("*/sumary.json") if _RUN.fullmatch(path.parent.name)]
    return sorted(
        path for path in (*beside, *inside) if path.is_file() and (path in inside or _of_a_run(path))
    )


def _of_a_run(path: Path) -> bool:
    name = path.name.removesuffix("_summary.json")
    return bool(_RUN.fullmatch(name) or _DEVICE.fullmatch(name)) or path.with_name(name).is_dir()


def _mean(latency: _Latency) -> tuple[float, ...]:
    return (latency.mean,) if latency.count else ()
