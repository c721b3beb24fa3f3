"""What ais_bench noted of its own speed: ``<results>_summary.json`` beside the directory (facts 4.5).

The old ais_infer calls it ``sumary.json``.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
from msgspec import Struct

import convertkit

_RUN = re.compile(r"\d{4}_\d{2}_\d{2}-\d{2}_\d{2}_\d{2}")
_DEVICE = re.compile(r"device\d+")


class _Latency(Struct, frozen=True):
    mean: float = 0.0
    count: int = 0


class _Summary(Struct, frozen=True):
    npu_compute_time_list: list[float]
    H2D_latency: _Latency = _Latency()
    D2H_latency: _Latency = _Latency()


def read_timings(results: Path) -> convertkit.Timings:
    """The compute times in ms of every run; of the copies the file has the mean only, which is given once.

    Args:
        results: the directory of result files, or the one above it.

    Raises:
        UsageError: there is no summary, or several; or it is no summary.
    """
    found = _candidates(results)
    if len(found) != 1:
        what = (
            "no summary of ais_bench" if not found else f"{len(found)} summaries, {found[0].name} the first,"
        )
        raise convertkit.UsageError(
            f"{results}: {what} there or beside it", hint="give the directory of one run, on one device"
        )
    try:
        summary = msgspec.json.decode(found[0].read_bytes(), type=_Summary)
    except (OSError, UnicodeDecodeError, RecursionError, msgspec.MsgspecError) as error:
        raise convertkit.UsageError(f"{found[0]}: not a summary of ais_bench ({error})") from error
    return convertkit.Timings(
        tuple(summary.npu_compute_time_list), _mean(summary.H2D_latency), _mean(summary.D2H_latency)
    )


def _candidates(results: Path) -> list[Path]:
    """Beside the directory, in it (the old name), or beside its only sub-directories of runs or devices."""
    own = [results.with_name(f"{results.name}_summary.json"), results / "sumary.json"]
    if found := [path for path in own if path.is_file()]:
        return found[:1]
    if not results.is_dir():
        return []
    names = (path.name.removesuffix("_summary.json") for path in results.glob("*_summary.json"))
    chosen = [name for name in names if _RUN.fullmatch(name) or _DEVICE.fullmatch(name)]
    return sorted(results / f"{name}_summary.json" for name in chosen)


def _mean(latency: _Latency) -> tuple[float, ...]:
    return (latency.mean,) if latency.count else ()
