"""Measures every rung of the mini48 ladder on its 48 photos and writes the tables into docs/accuracy.md.

    python -m bench.accuracy --data ../shared/data

Takes about ten minutes; needs the export environment (``make env``) for the framework's own rung and for the export.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.mini48 import write_variant
from convertkit.cli.app import main as convertkit

REPOSITORY = Path(__file__).parents[1]
PAGE = REPOSITORY / "docs" / "accuracy.md"
COLUMNS = ("AP", "AP50", "AP75", "APs", "APm", "APl")

RUNGS = {
    "framework": "mmdet itself",
    "stock": "its export, untouched",
    "stock@device-numerics": "the export in fp16: classes are kept apart by offsets of up to 25,000 pixels",
    "after:fuse-multiclass-nms": "vendor operators in place, nothing else changed",
    "after:drop-offset-rounding": "boxes without the rounding of class offsets, up to 1/1024 pixel",
    "after:restore-rpn-levels": "proposals suppress each other inside their level only",
    "after:clip-to-picture": "boxes end where the picture ends",
    "after:cast-fp16-operators": "boxes and scores in fp16 where the NMS reads them, its only type",
    "twin:framework": "all passes; operators as mmdet computes them",
    "twin:ideal": "all passes; operators as the vendor defines them",
    "device-numerics:weights": "fp16 weights",
    "device-numerics:activations": "fp16 activations",
    "device-numerics:roi-extractor": "the kernel of RoiExtractor",
    "device-numerics:nms": "the kernel of BatchMultiClassNMS",
    "after:clip-to-picture@device-numerics": "all four, without `center-nms-boxes`",
    "device-numerics": "all four: what the chip is predicted to do",
}

CANVAS = "## At the coordinates of a real canvas"
"""Where the parts that others write begin (``bench.scaled_canvas`` and those behind it), which stay."""

TEXT = """# Accuracy of the mini48 ladder

A small Mask R-CNN of mmdet 2.28.2 that has memorised 48 real photos (320 x 320), measured on those photos by
`python -m bench.accuracy`. AP in 0..1, COCO metrics; it shows whether a conversion keeps accuracy, not how well a model
generalises. On 48 photos a few thousandths are chance: one detection more or less. Device numerics follow the sources
of the 310P's kernels; nothing here was seen on hardware.

The last column is how much more AP a rung has than the first, with its 95 % interval over photos (paired bootstrap of
`verify`); bold is more than chance.

{tables}
Of the steps from one rung to the next, in the ladder's own order, these are more than chance:

{steps}

## The passes

Each was checked by running the graph before and after it on two sample photos; vendor operators run lowered to standard
ONNX.

{passes}
"""


def main() -> None:
    options = parser_of(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        asked = words(write_variant(Path(scratch), options.data), Path(scratch, "artifact"), options.python)
        built = run("build", *asked)
        found = verified(asked, RUNGS)
    canvas = CANVAS + PAGE.read_text().partition(CANVAS)[2]
    shown = tables(RUNGS, scores_of(found), beside=beside_first(found))
    PAGE.write_text(TEXT.format(tables=shown, steps=steps(found), passes=_passes(built)) + "\n" + canvas)
    print(f"wrote {PAGE.relative_to(REPOSITORY)}")


def parser_of(what: str | None) -> argparse.ArgumentParser:
    """The options of everything that measures real photos and writes a part of the page."""
    parser = argparse.ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = REPOSITORY.parent / "shared" / "data"
    parser.add_argument("--data", type=Path, default=data, help="photos, weights")
    parser.add_argument("--python", help="interpreter of the export environment, if not the managed one")
    return parser


def verified(asked: Sequence[str], rungs: Iterable[str]) -> Any:
    """What ``verify --json`` says of these rungs."""
    return run("verify", *asked, *(word for rung in rungs for word in ("--runtime", rung)))


def scores_of(found: Any) -> dict[str, Any]:
    return {rung["name"]: rung["scores"] for rung in found["rungs"]}


def beside_first(found: Any) -> dict[tuple[str, str], str]:
    """Of each rung and task the difference of AP to the first rung, bold where that is more than chance."""
    first = found["rungs"][0]["name"]
    return {
        (one["rung"], one["task"]): difference(one["estimate"])
        for one in found["differences"]
        if one["metric"] == "AP" and one["against"] == first
    }


def steps(found: Any) -> str:
    """The steps of the ladder, from a rung to the next, that are more than chance, a line each."""
    names = [rung["name"] for rung in found["rungs"]]
    above = set(zip(names[1:], names, strict=False))
    lines = [
        f"* {one['task']}: `{one['rung']}` beside `{one['against']}`, {difference(one['estimate'])}"
        for one in found["differences"]
        if one["metric"] == "AP" and (one["rung"], one["against"]) in above and _beyond(one["estimate"])
    ]
    return "\n".join(lines) or "* none"


def difference(estimate: Any) -> str:
    text = f"{estimate['value']:+.4f} [{estimate['low']:+.4f}, {estimate['high']:+.4f}]"
    return f"**{text}**" if _beyond(estimate) else text


def _beyond(estimate: Any) -> bool:
    return bool(estimate["low"] > 0 or estimate["high"] < 0)


def words(variant: Path, output: Path, python: str | None, model: str = "maskrcnn") -> list[str]:
    """What every command on this variant is asked."""
    package = str(REPOSITORY / "models" / model)
    words = [package, "--target", "ascend310p3", "--variant", str(variant), "--output", str(output)]
    return words if python is None else [*words, "--python", python]


def run(*words: str) -> Any:
    """A command's JSON; its progress goes to standard error as usual."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = convertkit([*words, "--json"])
    if code != 0:
        raise SystemExit(f"convertkit {words[0]} ended with {code}")
    return json.loads(printed.getvalue())


def write_part(title: str, text: str, page: Path = PAGE) -> None:
    """Puts ``text`` in place of the part of the page that begins with ``title``, or behind the last."""
    before, _, rest = page.read_text().partition(f"{title}\n")
    _, mark, after = rest.partition("\n## ")
    page.write_text(before.rstrip("\n") + "\n\n" + text.rstrip("\n") + "\n" + mark + after)
    print(f"wrote {page.name}")


def tables(
    what: Mapping[str, str],
    scores: Mapping[str, Any],
    tasks: Sequence[str] = ("bbox", "segm"),
    *,
    beside: Mapping[tuple[str, str], str] | None = None,
) -> str:
    """A table of each task, a row for each rung.

    Args:
        what: of each rung, what runs.
        scores: of each rung; a text where it broke.
        beside: as :func:`beside_first`; a last column.
    """
    columns = COLUMNS if beside is None else (*COLUMNS, "AP beside the first")
    lines = []
    for task in tasks:
        lines += [
            f"| {task} | what runs | " + " | ".join(columns) + " |",
            "|---|---|" + "---:|" * len(columns),
        ]
        for name, runs in what.items():
            found = scores[name]
            broken = isinstance(found, str)
            figures = ["breaks", *"-" * 5] if broken else [f"{found[task][key]:.4f}" for key in COLUMNS]
            figures += [] if beside is None else [beside.get((name, task), "")]
            lines.append(f"| `{name}` | {runs} | {' | '.join(figures)} |")
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
