"""r50 for several pictures a run: what a chip needs at least, and that a run of four detects what four runs detect.

    python -m bench.batches --data ../shared/data

Weights are drawn, so that no download is needed. The estimates are a part of docs/benchmarks.md, whose words say what
was compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.accuracy import REPOSITORY, parser_of, run, write_part
from convertkit.conversion.request import Asked
from convertkit.datasets.coco import decode, photo_bytes
from convertkit.detection.compare import Tolerance
from tests.several import matched

PAGE = REPOSITORY / "docs" / "benchmarks.md"
TITLE = "## Several pictures in one run"
BATCHES = (1, 4, 8)
MODEL = REPOSITORY / "models" / "maskrcnn"
VARIANT, WEIGHTS, TARGET = "r50-fpn-1x", "random:0", "ascend310p3"

ROUNDING = Tolerance(box_px=2e-3, score=1e-5, mask=1e-4)
"""As of mini48: its matrix products have more rows, and onnxruntime sums them in other blocks."""

TEXT = f"""{TITLE}

    python -m bench.batches --data ../shared/data

`{VARIANT}` with `{WEIGHTS}` through the whole Ascend pipeline for 1, 4 and 8 pictures of 1216 x 1216 a run. By the
roofline of `convertkit estimate` without fusion a run takes at least ([priced.md](priced.md) has it with fusion):

{{table}}

No forecast, and nothing of it was measured on a chip. In bare onnxruntime (the twin) a run of four photos of COCO
val2017 and four runs of one agree on {{agreed}} detections, all there are, within {ROUNDING.box_px} pixels and
{ROUNDING.score} of score. `mini` and `mini48` have the same as tests.
"""


def main() -> None:
    options = parser_of(__doc__).parse_args()
    python = [] if options.python is None else ["--python", options.python]
    asked = [str(MODEL), "--target", TARGET, "--variant", VARIANT, "--weights", WEIGHTS, *python]
    found = {batch: run("estimate", *asked, "--batch", str(batch)) for batch in BATCHES}
    photos = sorted((options.data / "coco_val57").rglob("*.jpg"))[:4]
    agreed = matched(
        _asked(options.python), [decode(photo.name, photo_bytes(photo)) for photo in photos], ROUNDING
    )
    write_part(TITLE, TEXT.format(table=table(found), agreed=agreed), PAGE)


def table(found: Mapping[int, Mapping[str, Any]]) -> str:
    """A row for each number of pictures."""
    head = "| pictures | matrix operations | bytes moved | ms a run | pictures/s at most |"
    lines = [head, "|---:|---:|---:|---:|---:|"]
    return "\n".join([*lines, *(_row(batch, one["estimate"]) for batch, one in found.items())])


def _row(batch: int, one: Mapping[str, Any]) -> str:
    cells: Sequence[object] = (
        batch,
        f"{one['matrix_operations'] / 1e9:.0f} G",
        f"{one['bytes'] / 1e9:.2f} GB",
        f"{one['seconds'] * 1e3:.1f}",
        f"{batch / one['seconds']:.1f}",
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def _asked(python: str | None) -> Asked:
    named = None if python is None else Path(python)
    return Asked(MODEL, variant=VARIANT, target=TARGET, weights=WEIGHTS, python=named)


if __name__ == "__main__":
    main()
