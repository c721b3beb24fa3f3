"""Writing a bundle's files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from convertkit.api import graphs, targets
from convertkit_ascend.atc import config_files
from convertkit_ascend.bundle import atc_json
from convertkit_ascend.bundle import origins as provenance
from convertkit_ascend.bundle.atc_json import Recorded
from convertkit_ascend.bundle.named import check_names
from convertkit_ascend.bundle.names import GRAPH, OPTIONS, ORIGINS, SCRIPT
from convertkit_ascend.bundle.preflight import check
from convertkit_ascend.bundle.script import script
from convertkit_ascend.handover import for_atc


def write(
    model: targets.LightModel,
    recorded: Recorded,
    directory: Path,
    origins: Mapping[str, str] | None = None,
) -> None:
    """Fills ``directory`` with all that ATC needs. The same input gives the same bytes, on every machine.

    Args:
        origins: where the nodes of ``model`` came from, by name.

    Raises:
        UsageError: an option names a node that is not there.
        PreflightError: ATC would refuse or misread the graph; ``preflight.json`` is there all the same.
    """
    options = recorded.options
    final = for_atc(model)
    check_names(options, final.proto.graph)
    graphs.save(final, directory / GRAPH)
    lines = provenance.text(origins or {}, model.proto.graph, final.proto.graph)
    (directory / ORIGINS).write_text(lines, encoding="utf-8")
    for name, text in config_files(options).items():
        (directory / name).write_text(text, encoding="utf-8")
    (directory / OPTIONS).write_text(atc_json.text(recorded, GRAPH), encoding="utf-8")
    (directory / SCRIPT).write_text(script(options, GRAPH), encoding="utf-8")
    check(directory, GRAPH, recorded)
