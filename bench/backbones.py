"""Backbones and necks of mmdet 2.28.2 through its export and the passes, as a table in docs/exports.md.

    python -m bench.backbones              # all of them
    python -m bench.backbones Swin PAFPN   # those whose names begin so; the others' rows stay

mmdet's own configurations with random weights, made narrow where they can be, at 192 x 256. Needs the export
environment (``make env``).
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from bench.export_rows import HEAD, row
from bench.exported import REPOSITORY, Export, Feeds
from convertkit.api import heads
from convertkit.conversion.engine import stock_graph
from convertkit.conversion.request import Asked, BuildRequest, make_request
from convertkit.graph.light import LightModel
from convertkit.plugins.loading import open_plugins

PAGE = REPOSITORY / "docs" / "exports.md"
MARK = "<!--backbones-->"
PACKAGE = REPOSITORY / "tests" / "detectors" / "package"

Overrides = dict[str, Any]


def one_stage(
    widths: list[int], backbone: Overrides | None = None, neck: Overrides | None = None
) -> Overrides:
    """A narrow RetinaNet behind a backbone of so many channels by level."""
    head = {"in_channels": 64, "feat_channels": 64, "stacked_convs": 1, "num_classes": 8}
    return {
        "backbone": backbone or {},
        "neck": {"in_channels": widths, "out_channels": 64, **(neck or {})},
        "bbox_head": head,
        "test_cfg": {"nms_pre": 100, "max_per_img": 50},
    }


def two_stage(
    widths: list[int], backbone: Overrides | None = None, head: Overrides | None = None
) -> Overrides:
    """A narrow Faster R-CNN behind one; 64 channels, of which GN makes 32 groups."""
    box = {"in_channels": 64, "fc_out_channels": 64, "num_classes": 8, **(head or {})}
    return {
        "backbone": backbone or {},
        "neck": {"in_channels": widths, "out_channels": 64},
        "rpn_head": {"in_channels": 64, "feat_channels": 64},
        "roi_head": {"bbox_roi_extractor": {"out_channels": 64}, "bbox_head": box},
        "test_cfg": {"rpn": {"nms_pre": 200, "max_per_img": 100}, "rcnn": {"max_per_img": 50}},
    }


FOUR = {"conv_out_channels": 64}
SMALL = {"base_channels": 16}
AT_16, AT_64 = [64, 128, 256, 512], [256, 512, 1024, 2048]
TRIED: dict[str, tuple[str, Overrides]] = {
    "ResNet-101": ("retinanet/retinanet_r101_fpn_1x_coco.py", one_stage(AT_16, SMALL)),
    "ResNeXt-101 32x4d": ("retinanet/retinanet_x101_32x4d_fpn_1x_coco.py", one_stage(AT_64)),
    "Swin-T": (
        "swin/retinanet_swin-t-p4-w7_fpn_1x_coco.py",
        one_stage([48, 96, 192], {"embed_dims": 24, "depths": [1, 1, 2, 1], "num_heads": [1, 2, 4, 8]}),
    ),
    "PVTv2-b0, opset 13": ("pvt/retinanet_pvtv2-b0_fpn_1x_coco.py", one_stage([32, 64, 160, 256])),
    "RegNetX-800MF": (
        "regnet/retinanet_regnetx-800MF_fpn_1x_coco.py", one_stage([64, 128, 288, 672]),
    ),
    "Res2Net-101": ("res2net/faster_rcnn_r2_101_fpn_2x_coco.py", two_stage(AT_64)),
    "ResNeSt-50": (
        "resnest/faster_rcnn_s50_fpn_syncbn-backbone+head_mstrain-range_1x_coco.py",
        two_stage(AT_64, head=FOUR),
    ),
    "HRNetV2p-W18": (
        "hrnet/faster_rcnn_hrnetv2p_w18_1x_coco.py", two_stage([18, 36, 72, 144]),
    ),
    "GN and weight standardisation": (
        "gn+ws/faster_rcnn_r50_fpn_gn_ws-all_1x_coco.py",
        two_stage([128, 256, 512, 1024], {"depth": 50, "base_channels": 32}, FOUR),
    ),
    "PAFPN": ("pafpn/faster_rcnn_r50_pafpn_1x_coco.py", two_stage(AT_16, SMALL)),
    "NAS-FPN": (
        "nas_fpn/retinanet_r50_nasfpn_crop640_50e_coco.py", one_stage(AT_16, SMALL, {"stack_times": 2}),
    ),
    "HTC without semantic head": ("htc/htc_without_semantic_r50_fpn_1x_coco.py", {}),
    "deformable convolutions": ("dcn/faster_rcnn_r50_fpn_dconv_c3-c5_1x_coco.py", two_stage(AT_16, SMALL)),
    "CARAFE": ("carafe/faster_rcnn_r50_fpn_carafe_1x_coco.py", two_stage(AT_16, SMALL)),
}  # fmt: skip
"""By name: mmdet's configuration, and what is made narrow of it."""

OPSETS = {"PVTv2-b0, opset 13": 13}
"""Where 11, the export's own, has no operator for it."""


def main() -> None:
    heads.DOMAIN.register_schemas()
    wanted = tuple(sys.argv[1:]) or ("",)
    before, table, after = PAGE.read_text().split(MARK)
    rows = dict(line.split(" | ", 2)[1:] for line in table.splitlines() if line.startswith("| mmdet"))
    for name, (base, overrides) in TRIED.items():
        if name.startswith(wanted):
            rows[name] = _row(name, base, overrides)
            print(name, "|", rows[name], flush=True)
    lines = ["| " + " | ".join(HEAD) + " |", "|---|---|---:|---:|---:|---|---|---|---:|"]
    lines += [f"| mmdet 2.28.2 | {name} | {rows[name]}" for name in TRIED if name in rows]
    PAGE.write_text(MARK.join([before, "\n\n" + "\n".join(lines) + "\n\n", after]))


def _row(name: str, base: str, overrides: Overrides) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        package, variant = _package(Path(scratch) / "package", OPSETS.get(name)), Path(scratch) / "tried.yaml"
        config = {"base": base, "overrides": {"model": overrides}}
        variant.write_text(
            yaml.safe_dump({"size": [192, 256], "config": config, "classes": list("abcdefgh")})
        )
        asked = Asked(package, variant=str(variant), weights="random:0")
        request = make_request(asked, open_plugins())
        export = Export("mmdet 2.28.2", name, partial(stock_graph, request), partial(_photos, request))
        return row(export, ()).split(" | ", 2)[2]


def _package(copy: Path, opset: int | None) -> Path:
    """The package, or a copy of it whose graphs are written with another opset."""
    if opset is None:
        return PACKAGE
    shutil.copytree(PACKAGE, copy)
    spec = yaml.safe_load((copy / "model.yaml").read_text())
    spec["export"]["opset"] = opset
    (copy / "model.yaml").write_text(yaml.safe_dump(spec))
    return copy


def _photos(request: BuildRequest, _: LightModel) -> list[Feeds]:
    spec, size = request.package.preprocess_spec(request.variant), request.variant.spec.size
    model = request.package.model
    return [model.preprocess(photo, size, spec)[0] for photo in model.sample_images()]


if __name__ == "__main__":
    main()
