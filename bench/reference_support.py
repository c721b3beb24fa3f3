"""What is supported, counted in the measured tables of docs/exports.md and the specs of models/."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bench.reference import ROOT, table
from convertkit.detection.profiles import size_text
from convertkit.models.package import read_spec
from convertkit.plugins.loading import open_plugins

SECTIONS = {
    "small": "made small",
    "backbones": "backbones, made small",
    "full": "at real size",
    "wheels": "files in wheels",
}
"""The tables of docs/exports.md, by the marks around them."""


def exports(section: str) -> list[list[str]]:
    """The rows of a table of docs/exports.md: written by, what, If, RoiAlign, NMS, result, static, ascend310p3, s."""
    text = (ROOT / "docs" / "exports.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+) \|$", text.split(f"<!--{section}-->")[1], re.MULTILINE)
    return [[cell.strip() for cell in row.split(" | ")] for row in rows[1:]]  # the ruler begins with |---


def row(written: str, section: str, rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    legal = [each for each in rows if each[7] == "legal"]
    kept = [each for each in rows if each[5].startswith(("same bits", "within"))]
    left = [each[1] for each in rows if each not in legal]
    return (
        written,
        SECTIONS[section],
        f"{len(kept)} of {len(rows)}",
        f"{len(legal)} of {len(rows)}",
        "; ".join(left) or "-",
    )


def parts() -> Iterator[str]:
    yield "## Graphs, by who wrote them\n"
    yield (
        "*Kept*: graphs of which the passes' result is the same bits or within the difference that the table states,"
        " compared by bare onnxruntime. *ascend310p3*: how many the target takes. What is not taken has its reason in"
        " [exports](../exports.md).\n"
    )
    yield table(("written by", "which", "kept", "ascend310p3", "not taken"), list(_by_writer()))
    yield "## Model packages\n"
    yield (
        "AP and AP50 are what the variant's accuracy spec demands, before its tolerance; *from* says who measured them."
        " What was measured here: [accuracy](../accuracy.md).\n"
    )
    yield table(("package", "variant", "size", "bbox", "segm", "from"), list(_packages()))
    yield "## Targets\n"
    yield table(("target", ""), [(f"`{each.name}`", each.item.help) for each in open_plugins().targets])


def _by_writer() -> Iterator[tuple[str, ...]]:
    for section in SECTIONS:
        found = exports(section)
        for written in dict.fromkeys(each[0] for each in found):
            yield row(written, section, [each for each in found if each[0] == written])


def _packages() -> Iterator[tuple[str, ...]]:
    for path in sorted((ROOT / "models").glob("*/model.yaml")):
        spec = read_spec(path.parent)
        for name, variant in spec.variants.items():
            accuracy = variant.accuracy
            figures = [
                ", ".join(f"{metric} {value}" for metric, value in each.items()) or "-"
                for each in (accuracy.bbox, accuracy.segm)
            ]
            yield (path.parent.name, name, size_text(variant.size), *figures, accuracy.source or "-")
