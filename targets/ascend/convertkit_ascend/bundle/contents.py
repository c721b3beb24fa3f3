"""Writing a bundle's files."""

from __future__ import annotations

from pathlib import Path

import convertkit
from convertkit_ascend.atc import AtcOptions, config_files
from convertkit_ascend.bundle import record
from convertkit_ascend.bundle.preflight import check
from convertkit_ascend.bundle.script import script
from convertkit_ascend.handover import for_atc

GRAPH = "ascend.onnx"
"""The file that ATC reads."""


def write(model: convertkit.LightModel, options: AtcOptions, directory: Path) -> None:
    """Fills ``directory`` with all that ATC needs. The same input gives the same bytes, on every machine.

    Raises:
        PreflightError: ATC would refuse or misread the graph; ``preflight.json`` is there all the same.
    """
    convertkit.save(for_atc(model), directory / GRAPH)
    for name, text in config_files(options).items():
        (directory / name).write_text(text, encoding="utf-8")
    (directory / record.NAME).write_text(record.text(options, GRAPH), encoding="utf-8")
    (directory / "compile.sh").write_text(script(options, GRAPH), encoding="utf-8")
    check(directory, GRAPH, options)
