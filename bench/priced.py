"""r50 by the roofline of the chip: proposals, profiles, pictures a run, beside the two figures that were measured.

    python -m bench.priced --results priced.json

Weights are drawn, so that no download is needed. No pass is checked on the way: only sizes count. What is in the
results already is not made again. The table is a part of docs/priced.md; its words say what the roofline cannot see.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.accuracy import REPOSITORY, write_part
from convertkit.conversion.engine import graph_after
from convertkit.conversion.request import Asked, make_request
from convertkit.estimation.roofline import estimate
from convertkit.passes.options import build
from convertkit.passes.pipeline import Pipeline
from convertkit.plugins.loading import open_plugins
from convertkit.targets.capabilities import machine_of

PAGE = REPOSITORY / "docs" / "priced.md"
TITLE = "## By the roofline"
MODEL, TARGET = REPOSITORY / "models" / "maskrcnn", "ascend310p3"
LEVER = "limit-proposals"


@dataclass(frozen=True)
class Plan:
    """One size, and pictures a run; a profile is one size of a model that has two."""

    height: int
    width: int
    batch: int = 1
    depth: int = 50

    @property
    def name(self) -> str:
        more = f", {self.batch} a run" if self.batch > 1 else ""
        return f"R{self.depth}, {self.height} x {self.width}{more}"

    @property
    def variant(self) -> str:
        """A variant file."""
        config = f"mask_rcnn/mask_rcnn_r{self.depth}_fpn_1x_coco.py"
        return f"size: [{self.height}, {self.width}]\nconfig: {{base: {config}}}\n"


TEXT = (
    "`random:0` through the whole Ascend pipeline, memory at 144 GB/s unless another rate stands there. Speeds are "
    "pictures a second at most; a profile is one size of a model that has two."
)

PLANS = (
    Plan(1216, 1216),
    Plan(1344, 1344, depth=101),  # what detectron2's figure was measured of
    Plan(800, 1216),
    Plan(1216, 800),
    Plan(1216, 1216, 4),
    Plan(1216, 1216, 8),
    Plan(800, 1216, 4),
    Plan(1216, 800, 4),
    Plan(800, 1216, 8),
    Plan(1216, 800, 8),
)

MEASURED = (
    ("mmdet, the guide", PLANS[0], 11.3),
    ("detectron2, made-up input", PLANS[1], 22.06),
    ("detectron2, val2017", PLANS[1], 13.31),
)
"""Pictures a second on one 310P3 (ascend-facts: chip-measured). mmdet's R101 stands for detectron2's."""

COUNTS = (1000, 500)
"""Proposals of each picture; the first is what the framework exports."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="JSON file that results are kept in")
    path = parser.parse_args().results
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    for plan in PLANS:
        if plan.name not in found:
            found[plan.name] = {str(count): one for count, one in priced(plan)}
            path.write_text(json.dumps(found, indent=1))
            print(
                plan.name,
                {count: one["fused"]["seconds"] for count, one in found[plan.name].items()},
                flush=True,
            )
    command = "    python -m bench.priced --results priced.json"
    write_part(TITLE, "\n\n".join([TITLE, command, TEXT, table(found), measured(found)]) + "\n", PAGE)


def priced(plan: Plan) -> Iterator[tuple[int, dict[str, Any]]]:
    """The figures of each number of proposals: what is the same of all is done once."""
    plugins = open_plugins()
    with TemporaryDirectory() as room:
        file = Path(room) / "r50.yaml"
        file.write_text(plan.variant)
        square = plan == Plan(1216, 1216, plan.batch)
        asked = Asked(MODEL, variant=str(file), target=TARGET, weights="random:0", batch=plan.batch)
        asked = replace(asked, variant="r50-fpn-1x") if square else asked
        request = make_request(asked, plugins)
        machine = machine_of(request.target, ())
        model = graph_after(request, 0)
    lever = build(plugins.passes.get(LEVER), {"count": COUNTS[0]})
    steps = request.pipeline.with_more([lever]).steps
    at = steps.index(lever)
    model = Pipeline(steps[:at]).run(model)[0]
    for count in COUNTS:
        fewer = (replace(lever, count=count), *steps[at + 1 :])  # type: ignore[call-arg]
        one = estimate(Pipeline(fewer).run(model)[0], machine, request.context.pixels)
        fused = one.fused
        assert fused is not None and one.complete
        yield (
            count,
            {
                "pictures": plan.batch,
                "matrix_operations": one.matrix_operations,
                "bytes": one.bytes,
                "seconds": one.seconds,
                "quoted": min(one.with_memory.values()),
                "least": one.least,
                "fused": {
                    "bytes": fused.bytes,
                    "seconds": fused.seconds,
                    "quoted": min(fused.with_memory.values()),
                    "by_bound": fused.by_bound,
                },
            },
        )


def table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """A row for each plan and number of proposals; speeds are pictures a second at most."""
    lines = [
        "| plan | proposals | G matrix op | GB | pictures/s without fusion | GB fused | with fusion "
        "| with fusion, 204.8 GB/s |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    return "\n".join([*lines, *(_row(name, *item) for name, one in found.items() for item in one.items())])


def measured(found: Mapping[str, Mapping[str, Any]]) -> str:
    """A row for each figure that was measured, beside the bounds of the same network and size."""
    lines = [
        "| measured | stands beside | pictures/s | ms | ms without fusion | ms with fusion | share of that bound |"
    ]
    lines.append("|---|---|---:|---:|---:|---:|---:|")
    for what, plan, speed in MEASURED:
        one = found[plan.name][str(COUNTS[0])]
        bounds = (one["seconds"] * 1e3, one["fused"]["seconds"] * 1e3)
        share = f"{bounds[1] * speed / 10:.0f} %"
        cells = (
            what,
            plan.name,
            f"{speed}",
            f"{1e3 / speed:.1f}",
            *(f"{each:.1f}" for each in bounds),
            share,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _row(name: str, count: str, one: Mapping[str, Any]) -> str:
    pictures, fused = one["pictures"], one["fused"]
    cells = (
        name,
        count,
        f"{one['matrix_operations'] / 1e9:.0f}",
        f"{one['bytes'] / 1e9:.2f}",
        f"{pictures / one['seconds']:.1f}",
        f"{fused['bytes'] / 1e9:.2f}",
        f"{pictures / fused['seconds']:.1f}",
        f"{pictures / fused['quoted']:.1f}",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
