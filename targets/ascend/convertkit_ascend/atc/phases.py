"""What ATC is doing, read from its output.

With ``--log=error`` it prints three lines in all (ascend-facts: atc-messages), so that most of a run is one phase. With
``--log=info`` and ASCEND_SLOG_PRINT_TO_STDOUT=1 each line names the source file that wrote it (ascend-facts: atc-logs),
which tells more. Which file belongs to which phase is our reading of the open sources, not a promise of ATC's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FILES = (
    ("reading the model", r"onnx_parser\.cc|onnx_util|model_saver"),
    ("preparing the graph", r"graph_prepare\.cc|infershape_pass\.cc|shape_refiner\.cc"),
    ("fusing operators", r"graph_fusion\.cc|fusion_pass|fe_graph_optimizer\.cc"),
    ("compiling operators", r"te_fusion|op_compiler\.cc|tbe_op_store|fusion_manager\.cc"),
    ("building the model", r"model_builder\.cc|graph_builder\.cc|task_generator\.cc|ge_generator\.cc"),
)
_LINES = (
    ("compiling", r"^ATC start working now"),
    ("finished", r"^ATC run success"),
    ("failed", r"^ATC run failed"),
)


@dataclass(frozen=True)
class Status:
    """What is told while ATC runs: the phase, seconds since the start, and the line last printed."""

    phase: str
    seconds: float
    line: str = ""


def phase_of(line: str) -> str | None:
    """The phase that ``line`` begins; None where it says nothing of that."""
    for phase, pattern in _LINES:
        if re.search(pattern, line.strip()):
            return phase
    logged = re.match(r"\[\w+\][^\[]*\[([^\]]+)\]", line)
    if logged is None:
        return None
    return next((phase for phase, pattern in _FILES if re.search(pattern, logged[1])), None)
