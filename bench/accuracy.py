"""Measures every rung of the mini48 ladder on its 48 photos and writes the table into docs/accuracy.md.

    python -m bench.accuracy --data ../shared/data

Takes a few minutes; needs the export environment (``make env``) for the framework's own rung and for the export.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
from pathlib import Path
from typing import Any

from bench.mini48 import EXPECTED, write_variant
from convertkit.cli.app import main as convertkit

REPOSITORY = Path(__file__).parents[1]
PAGE = REPOSITORY / "docs" / "accuracy.md"
COLUMNS = ("AP", "AP50", "AP75", "APs", "APm", "APl")

TEXT = """# Accuracy of the mini48 ladder

A small Mask R-CNN of mmdet 2.28.2 that has memorised 48 real photos (320 x 320), measured on those photos by
`python -m bench.accuracy`. AP in 0..1, COCO metrics; it shows whether a conversion keeps accuracy, not
how well a model generalises. *framework* is mmdet itself in the export environment, *stock*
the unpatched export run by onnxruntime, *target* the graph after every pass.

{tables}
The stock graph is below the framework for two known reasons: the export clips boxes to the canvas, not to the
picture inside it, and it merges the levels of the RPN into one NMS class. Every pass on the way to the target is
`exact` or `rounding`; each was checked by running the graph before and after it:

{passes}
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=REPOSITORY.parent / "shared" / "data", help="photos, checkpoint"
    )
    parser.add_argument("--python", help="interpreter of the export environment, if not the managed one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        words = _words(write_variant(Path(scratch), options.data), Path(scratch, "artifact"), options.python)
        built = _run("build", *words)
        found = _run("verify", *words, *(word for rung in EXPECTED for word in ("--runtime", rung)))
    PAGE.write_text(TEXT.format(tables=_tables(found), passes=_passes(built)))
    print(f"wrote {PAGE.relative_to(REPOSITORY)}")


def _words(variant: Path, output: Path, python: str | None) -> list[str]:
    words = [str(REPOSITORY / "models" / "maskrcnn"), "--variant", str(variant), "--output", str(output)]
    return words if python is None else [*words, "--python", python]


def _run(*words: str) -> Any:
    """A command's JSON; its progress goes to standard error as usual."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = convertkit([*words, "--json"])
    if code != 0:
        raise SystemExit(f"convertkit {words[0]} ended with {code}")
    return json.loads(printed.getvalue())


def _tables(found: Any) -> str:
    lines = []
    for task in ("bbox", "segm"):
        lines += [
            f"| {task} | " + " | ".join(COLUMNS) + " | expected AP |",
            "|---|" + "---:|" * (len(COLUMNS) + 1),
        ]
        for rung in found["rungs"]:
            figures = " | ".join(f"{rung['scores'][task][column]:.4f}" for column in COLUMNS)
            lines.append(f"| {rung['name']} | {figures} | {EXPECTED[rung['name']][task]:.4f} |")
        lines.append("")
    return "\n".join(lines)


def _passes(built: Any) -> str:
    lines = ["| pass | effect | nodes | check |", "|---|---|---|---|"]
    for record in built["passes"]:
        nodes = f"{record['nodes_before']} -> {record['nodes_after']}"
        lines.append(f"| `{record['text']}` | {record['effect']} | {nodes} | {record['check']['detail']} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
