"""One checkpoint through two export environments: mmdet 2.28.2, and mmdet 2.8.0 as the ModelZoo guide installs it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import onnx
import pytest

from bench.mini48 import write_variant
from tests.conftest import MASKRCNN, Cli
from tests.shared import SHARED, needs_shared

pytestmark = [pytest.mark.slow, pytest.mark.export]

FRAMEWORK = {"default": (0.7144, 0.6148), "seed": (0.7168, 0.6129)}
"""AP of boxes and masks of mini48, by the framework alone."""

VENDORS = {"RoiExtractor": 2, "BatchMultiClassNMS": 2}


def words(env: str, python: Path, variant: Path | str) -> list[str]:
    """A build of the Ascend target through an environment."""
    own = [] if env == "default" else ["--env", env]
    where = ["--variant", str(variant), "--target", "ascend310p3", "--output", f"{env}-artifact"]
    return [str(MASKRCNN), *where, *own, "--python", str(python)]


def operators(graph: Path) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load(graph).graph.node)


@needs_shared
def test_each_environment_keeps_the_accuracy_of_its_own_framework(
    cli: Cli, tmp_path: Path, export_python: Path, seed_python: Path
) -> None:
    variant = write_variant(tmp_path, SHARED / "data")

    for env, python in (("default", export_python), ("seed", seed_python)):
        asked = words(env, python, variant)
        found = cli("verify", *asked, "--runtime", "framework", "--runtime", "twin:framework", "--json")
        assert found.code == 0, found.err
        framework, twin = (rung["scores"] for rung in found.json["rungs"])
        for task, recorded in zip(("bbox", "segm"), FRAMEWORK[env], strict=True):
            assert framework[task]["AP"] == pytest.approx(recorded, abs=0.0005), (env, task)
            assert twin[task]["AP"] == pytest.approx(framework[task]["AP"], abs=0.002), (env, task)


def test_both_graphs_get_the_vendor_operators(cli: Cli, export_python: Path, seed_python: Path) -> None:
    for env, python in (("default", export_python), ("seed", seed_python)):
        built = cli("build", *words(env, python, "mini"), "--from", "checkpoint", "--json")
        assert built.code == 0, built.err
        made = operators(Path(f"{env}-artifact", "ascend.onnx"))
        assert {name: made[name] for name in VENDORS} == VENDORS, env
        assert not made["NonMaxSuppression"] + made["RoiAlign"] + made["NonZero"], env
        assert all(record["check"]["structure"] for record in built.json["passes"]), env


def test_what_mmdet_2_8_does_not_export_is_refused(cli: Cli, seed_python: Path) -> None:
    asked = [str(MASKRCNN), "--variant", "mini", "--env", "seed", "--python", str(seed_python)]

    batch = cli("export", *asked, "--batch", "2", "-o", "out.onnx")
    Path("other.yaml").write_text("size: [96, 128]\nconfig: {base: retinanet/retinanet_r50_fpn_1x_coco.py}\n")
    asked[2] = "other.yaml"
    other = cli("export", *asked, "--weights", "random:0", "-o", "out.onnx")

    assert (batch.code, other.code) == (2, 2)
    assert "batch 2: the export from mmdet 2.8.0 takes one picture" in batch.err
    assert "whose wheel has none, there is no config 'retinanet/" in other.err
