"""The embedded model, as a new user meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from convertkit.conversion.engine import stock_graph
from convertkit.conversion.request import Asked, Origin, make_request
from convertkit.detection.compare import Tolerance, compare_detections
from convertkit.graph.session import open_session
from convertkit.plugins.loading import open_plugins
from convertkit.plugins.packages import open_package
from tests.conftest import MASKRCNN, Cli
from tests.several import matched

REPOSITORY = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.export
def test_the_checkpoint_exports_to_the_graph_that_travels_with_it(export_python: Path) -> None:
    plugins = open_plugins()
    origins: tuple[Origin, Origin] = ("stock", "checkpoint")
    requests = [
        make_request(Asked(MASKRCNN, variant="mini", origin=origin, python=export_python), plugins)
        for origin in origins
    ]
    sessions = [open_session(stock_graph(request)) for request in requests]
    package, variant = requests[0].package, requests[0].variant
    matched = 0

    for image in package.model.sample_images():
        inputs, _ = package.model.preprocess(image, variant.spec.size, package.spec.preprocess)
        travelled, exported = (session.run(inputs) for session in sessions)
        comparison = compare_detections(travelled, exported, Tolerance(box_px=1e-2, score=1e-5, mask=1e-4))
        assert comparison.ok, comparison.summary
        matched += comparison.matched

    assert matched >= 4


@pytest.mark.slow
@pytest.mark.export
@pytest.mark.parametrize("target", ["cpu", "ascend310p3"])
def test_a_run_of_four_equals_four_runs(export_python: Path, target: str) -> None:
    asked = Asked(MASKRCNN, variant="mini", target=target, origin="checkpoint", python=export_python)
    model = open_package(MASKRCNN, open_plugins()).model

    images = [turned for image in model.sample_images() for turned in (image, image[::-1].copy())]

    assert len(images) == 4
    assert matched(asked, images) >= 8


@pytest.mark.slow
def test_verify_prints_the_ladder_and_is_content(cli: Cli) -> None:
    done = cli("verify", MASKRCNN, "--variant", "mini", "--target", "cpu", "--ladder")

    assert done.code == 0, done.err
    lines = done.out.splitlines()
    for task in ("bbox", "segm"):
        start = next(number for number, line in enumerate(lines) if line.startswith(task))
        rungs = [line.split()[0] for line in lines[start + 2 : start + 5]]
        assert rungs == ["framework", "stock", "target"]
    assert [line[:4] for line in lines[-2:]] == ["ok  ", "ok  "]


def test_what_travels_is_small_and_whole() -> None:
    files = [MASKRCNN / "mini" / name for name in ("mini.pth", "mini.onnx")]

    assert sum(file.stat().st_size for file in files) < 45e6


@pytest.mark.slow
def test_a_build_of_mini_finds_detections_to_check_with(cli: Cli) -> None:
    done = cli("build", MASKRCNN, "--variant", "mini", "--json")

    assert done.code == 0, done.err
    details = [record["check"]["detail"] for record in done.json["passes"]]
    assert int(details[0].split(" detections matched")[0]) >= 4
