"""Where ais_bench and its kin leave their files and how they call them, as their sources say (read, never run).

========================================================  ==================================================
ais_infer (Ascend/tools 256ed1fe: frontend/)              TIME/sample_id_<n>_output_<i>; n is in TIME/sumary.json
ais_infer, ais_bench (Ascend/tools 4ce01e33, 9d6da90f)    TIME/<stem>_<i>; of several devices TIME/device<N>/...
ais_bench (ait, msit: benchmark_process.py)               TIME/device<N>_<index>/..., a TIME for every device
msame (Ascend/tools 0da4d5b8: sample_process.cpp)         TIME/<stem>_output_<i>
========================================================  ==================================================

TIME is ``2023_09_27-11_22_33``, or ``20230927_112233`` of msame; ``--output_dirname NAME`` puts NAME in its place.
Without ``--input`` the stem is ``pure_infer_data``. ``ais_bench --pipeline`` (ait: pipeline.cpp) puts the name of the
output in the place of <i>: such files are told, not read.

What ais_bench notes of its own speed is in ``<results>_summary.json`` (ascend-facts: ais-bench-results); of the first
ais_infer in ``sumary.json``, without single times; with ``--pipeline --threads`` the newest notes when each run began
and ended (ait: summary.py). The mean is there in all of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path, PurePath

import msgspec
from msgspec import Struct

from convertkit.api import system, targets


class _Latency(Struct, frozen=True):
    mean: float = 0.0
    count: int = 0


class _Summary(Struct, frozen=True):
    NPU_compute_time: _Latency = _Latency()
    npu_compute_time_list: list[float | tuple[float, float]] = []
    H2D_latency: _Latency = _Latency()
    D2H_latency: _Latency = _Latency()


class _Sample(Struct, frozen=True):
    infiles: list[str]


class _Samples(Struct, frozen=True):
    filesinfo: dict[str, _Sample] = {}


class AisBench(targets.FileTool):
    """All of them at once: what one calls its files means nothing else to another."""

    def listed(self, place: Path) -> dict[str, str]:
        try:
            samples = msgspec.json.decode(system.read_file(place / "sumary.json"), type=_Samples).filesinfo
        except (targets.UsageError, UnicodeDecodeError, RecursionError, msgspec.MsgspecError):
            return {}
        return {
            f"sample_id_{number}_output": PurePath(sample.infiles[0]).name
            for number, sample in samples.items()
            if sample.infiles
        }

    def remedy(self, names: Collection[str], stems: Collection[str]) -> str:
        named = (name[: found.start()] for name in names for found in re.finditer(r"_(?!\d{1,4}\.)", name))
        if any(stem in stems for stem in named):
            return "files are called by names of outputs, not by numbers: run ais_bench without --pipeline"
        if any(name.startswith("pure_infer_data") for name in names):
            return "only what was computed from made-up inputs: run ais_bench with --input"
        return ""

    def timings(self, results: Path) -> targets.Timings:
        """The compute times in ms of every run; what the file has only the mean of (the copies) is given once.

        Args:
            results: the directory of result files, or the one above it.

        Raises:
            UsageError: there is no summary, or several; or it is no summary, or too large for one.
        """
        found = self._summaries(results)
        if len(found) != 1:
            several = f"{len(found)} summaries, {found[0].name} the first," if found else ""
            raise targets.UsageError(
                f"{results}: {several or 'no summary of ais_bench'} there or beside it",
                hint="give the directory of one run, on one device",
            )
        summary = system.read_json(found[0], _Summary, "a summary of ais_bench")
        single = [time for time in summary.npu_compute_time_list if isinstance(time, float)]
        mean = (summary.NPU_compute_time.mean,) if summary.NPU_compute_time.mean > 0 else ()
        return targets.Timings(tuple(single) or mean, _mean(summary.H2D_latency), _mean(summary.D2H_latency))

    def _summaries(self, results: Path) -> list[Path]:
        """Beside the directory, in it (the old name), or those of the runs and devices in it."""
        whole = results.absolute()  # "." has no name
        own = [whole.parent / f"{whole.name}_summary.json", results / "sumary.json"]
        if found := [path for path in own if path.is_file()]:
            return found[:1]
        beside = [
            path for pattern in ("?*_summary.json", "*/?*_summary.json") for path in results.glob(pattern)
        ]
        named = [
            path for path in beside if self._is_place(path.with_name(path.name.removesuffix("_summary.json")))
        ]
        inside = [path for path in results.glob("*/sumary.json") if self.run.fullmatch(path.parent.name)]
        return sorted(path for path in (*named, *inside) if path.is_file())

    def _is_place(self, path: Path) -> bool:
        return bool(self.run.fullmatch(path.name) or self.device.fullmatch(path.name)) or path.is_dir()


TOOL = AisBench(
    run=re.compile(r"\d{4}_\d{2}_\d{2}-\d{2}_\d{2}_\d{2}|\d{8}_\d{6}"),
    device=re.compile(r"device\d+(?:_\d+)?"),
    made_up=re.compile(r"pure_infer_data(?:_zero|_random)?"),
    ending="_output",
    divides="without --divide_input 1 every device computes every photo",
    counts="as ais_bench counts",  # ascend-facts: ais-bench-throughput
)


def _mean(latency: _Latency) -> tuple[float, ...]:
    return (latency.mean,) if latency.count else ()
