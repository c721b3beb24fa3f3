"""The twin against the stock graph on the same photos: the same detections, but for one rounding of the stock graph.

Each test runs three graphs: the stock graph; the twin in the framework's semantics, without semantic passes; and that
twin without the rounding of the stock graph's class offsets. The first two must find the same, the last must differ by
that rounding and nothing else. ``pytest -s`` prints how far apart they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bench.mini48 import write_variant
from convertkit.api.graphs import open_session
from convertkit.conversion.engine import graph_after
from convertkit.conversion.request import Asked, BuildRequest, make_request
from convertkit.detection.types import Image
from convertkit.graph.domains import lowered
from convertkit.graph.session import Session
from convertkit.plugins.loading import open_plugins
from convertkit.verification.data import find_source
from tests.ascend.agreement import SAME_MASK, Agreement
from tests.ascend.class_offsets import ClassOffsets, assert_apart_by_rounding, assert_equal_boxes
from tests.conftest import MASKRCNN, Cli
from tests.shared import SHARED, needs_shared

pytestmark = pytest.mark.slow

FUSE, DROP = "fuse-multiclass-nms", "drop-offset-rounding"


@dataclass(frozen=True)
class Graphs:
    """Sessions on the three graphs. They run node by node as written, so that equal mathematics gives equal bits."""

    stock: Session
    twin: Session
    bare: Session
    offsets: ClassOffsets

    @classmethod
    def of(cls, asked: BuildRequest) -> Graphs:
        names = [step.name for step in asked.pipeline.steps]
        offsets = ClassOffsets.of(graph_after(asked, names.index(FUSE)), len(asked.package.spec.classes))
        fused, bare = (lowered(graph_after(asked, names.index(name) + 1)) for name in (FUSE, DROP))
        models = graph_after(asked, 0), fused, bare
        return cls(*(open_session(model, optimize=False) for model in models), offsets)


@dataclass
class Found:
    """How far the twin is from the stock graph: with its rounding, and without."""

    twin: Agreement = field(default_factory=Agreement)
    bare: Agreement = field(default_factory=Agreement)


def photos(asked: BuildRequest) -> Iterator[Image]:
    if asked.variant.spec.dataset is None:
        yield from asked.package.model.sample_images()
        return
    dataset = find_source(asked.package, asked.variant).open(None)
    yield from (dataset.read(image) for image in dataset.images)


def compare(asked: BuildRequest) -> Found:
    graphs, found = Graphs.of(asked), Found()
    package, variant = asked.package, asked.variant
    for photo in photos(asked):
        inputs, place = package.model.preprocess(photo, variant.spec.size, package.preprocess_spec(variant))
        outputs = [graph.run(inputs) for graph in (graphs.stock, graphs.twin, graphs.bare)]
        assert_equal_boxes(outputs[0], outputs[1])
        assert_apart_by_rounding(outputs[0], outputs[2], graphs.offsets)
        stock, twin, bare = (
            package.model.postprocess(item, place, package.spec.postprocess) for item in outputs
        )
        found.twin.add(stock, twin)
        found.bare.add(stock, bare)
    print(found)
    return found


def assert_the_same_detections(found: Found) -> None:
    """Every pair agrees; without the rounding no box leaves what ``assert_apart_by_rounding`` allows.

    Nothing follows from the rounding for a bare mask: it is pooled from a box a little beside and pasted there, so
    pixels on its edge change sides, and one of a mask of three is a third. AP tells what that costs.
    """
    same = found.twin
    assert same.lost == 0
    assert same.box_iou > 0.999
    assert same.score <= 1e-4
    assert same.mask_iou > SAME_MASK
    assert same.pixels == 0  # more than the IoU asks: both compute the same numbers
    assert (found.bare.lost, found.bare.pairs) == (0, same.pairs)
    assert found.bare.score <= 1e-4


def request(variant: str, **options) -> BuildRequest:
    """Without the check after every pass, which other tests run on these graphs."""
    plugins = open_plugins()
    return make_request(
        Asked(MASKRCNN, variant=variant, target="ascend310p3", check=False, **options), plugins
    )


def test_held_out_scenes_of_mini() -> None:
    found = compare(request("mini"))

    assert found.twin.pairs > 1000
    assert_the_same_detections(found)
    assert found.bare.box_iou > 0.999


@pytest.mark.export
@needs_shared
def test_real_photos_of_mini48(tmp_path: Path, export_python: Path) -> None:
    variant = write_variant(tmp_path, SHARED / "data")

    found = compare(request(str(variant), python=export_python))

    assert found.twin.pairs > 900
    assert_the_same_detections(found)
    assert found.bare.box_iou > 0.999


@pytest.mark.export
def test_r50_at_1216_with_random_weights(export_python: Path) -> None:
    """Here 1/256 pixel takes boxes of a few pixels below IoU 0.999 where the rounding is taken off."""
    found = compare(request("r50-fpn-1x", weights="random:0", python=export_python))

    assert found.twin.pairs > 100
    assert_the_same_detections(found)


def test_the_rounding_does_not_move_the_ap_of_mini(cli: Cli) -> None:
    """That of mini48 is in ``test_the_ladder_of_mini48``."""
    rungs = "--runtime", "stock", "--runtime", f"after:{DROP}"

    done = cli("verify", MASKRCNN, "--variant", "mini", "--target", "ascend310p3", *rungs, "--json")

    assert done.code == 0, done.err
    stock, bare = (rung["scores"] for rung in done.json["rungs"])
    for task in ("bbox", "segm"):
        assert bare[task]["AP"] == pytest.approx(stock[task]["AP"], abs=0.001)
