"""The ``cpu`` target: onnxruntime on the machine at hand, the embedded default."""

from __future__ import annotations

from collections.abc import Callable

import convertkit
from convertkit_cpu.target import CpuTarget


@convertkit.hookimpl
def register_targets(register: Callable[[convertkit.Target], None]) -> None:
    register(CpuTarget("cpu"))
