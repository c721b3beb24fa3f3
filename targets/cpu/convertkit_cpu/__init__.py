"""The ``cpu`` target: onnxruntime on the machine at hand, the embedded default."""

from __future__ import annotations

from collections.abc import Callable

from convertkit.api import targets
from convertkit_cpu.target import PIPELINE, CpuTarget


@targets.hookimpl
def register_targets(register: Callable[[targets.Target], None]) -> None:
    register(CpuTarget("cpu", pipeline=PIPELINE))
