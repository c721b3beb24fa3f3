"""``verify`` with gates: the interval decides, and says how many photos would."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from convertkit.errors import GraphError
from convertkit.rungs import subjects
from tests.cli.test_verify_datasets import Verify
from tests.conftest import Cli
from tests.finder import dataset, write_finder, write_photos


def gated(cli: Cli, tmp_path: Path, gate: str) -> Verify:
    """Of the finder, with a gate in its accuracy spec."""
    model = write_finder(tmp_path / "finder")
    file = model / "model.yaml"
    file.write_text(
        file.read_text().replace("segm: {AP: 1.0}, images: 2}", f"segm: {{AP: 1.0}}, images: 2, {gate}}}")
    )
    photos = write_photos(tmp_path / "photos")
    for number in range(3, 101):
        shutil.copy(photos / "1.png", photos / f"{number}.png")
    return Verify(cli, model, photos)


def moved(photos: int) -> dict[str, Any]:
    """Of half of the photos the objects are not where the finder finds them."""
    data = dataset(photos=photos)
    for item in data["annotations"]:
        if item["image_id"] % 2:
            item["bbox"] = [20, 0, 4, 4]
    return data


def test_every_ap_has_an_interval(cli: Cli, tmp_path: Path) -> None:
    done = gated(cli, tmp_path, "floor: {bbox: {AP: 0.9}}")(dataset(), "--json")

    ap = done.json["rungs"][0]["intervals"]["bbox"]["AP"]
    assert done.code == 0
    assert ap == {"value": 1.0, "error": 0.0, "low": 1.0, "high": 1.0}


def test_a_floor_that_the_interval_is_below_is_missed(cli: Cli, tmp_path: Path) -> None:
    done = gated(cli, tmp_path, "floor: {bbox: {AP: 1.1}}")(dataset())

    line = "bbox AP 1.0000 +- 0.0000, spec demands 1.1: fail"
    assert (done.code, f"BAD  {line}" in done.out) == (1, True)
    assert line in done.err


def test_where_the_photos_do_not_decide_more_are_asked_for(cli: Cli, tmp_path: Path) -> None:
    done = gated(cli, tmp_path, "floor: {bbox: {AP: 0.5}}")(moved(4), "--tasks", "bbox")

    assert done.code == 5
    assert "spec demands 0.5: undecided, about " in done.err
    assert " photos settle this (measure more photos)" in done.err


def test_published_figures_are_shown_and_not_judged(cli: Cli, tmp_path: Path) -> None:
    done = gated(cli, tmp_path, "references: {a paper: {bbox: {AP: 1.5}}}")(dataset())

    assert (done.code, "note: reference a paper: bbox AP 1.5000" in done.out) == (0, True)


def test_a_drop_against_what_was_not_measured_is_said(cli: Cli, tmp_path: Path) -> None:
    done = gated(cli, tmp_path, "drop: {framework: {bbox: {AP: 0.01}}}")(dataset())

    assert done.code == 0
    assert "not judged: bbox AP drop against framework: rung framework was not measured" in done.out


@pytest.mark.parametrize("gate", ["floor: {bbox: {AP: 0.9}}", "drop: {stock: {bbox: {AP: 0.01}}}"])
def test_half_of_the_photos_are_enough_where_nothing_varies(cli: Cli, tmp_path: Path, gate: str) -> None:
    verify = gated(cli, tmp_path, gate)
    words = () if "floor" in gate else ("--runtime", "target")

    done = verify(dataset(photos=100), "--until-decided", "--json", *words)

    assert (done.code, done.json["images"]) == (0, 50), done.err
    assert [gate["outcome"] for gate in done.json["verdict"]["gates"]] == ["pass"]


def test_undecided_photos_are_followed_by_the_rest(cli: Cli, tmp_path: Path) -> None:
    verify = gated(cli, tmp_path, "floor: {bbox: {AP: 0.25}}")
    words = ("--json", "--tasks", "bbox")

    found, whole = verify(moved(100), "--until-decided", *words).json, verify(moved(100), *words).json

    assert found["images"] == whole["images"] == 100
    assert found["rungs"][0]["scores"] == whole["rungs"][0]["scores"]


def test_without_a_gate_there_is_nothing_to_wait_for(cli: Cli, tmp_path: Path) -> None:
    done = gated(cli, tmp_path, "drop: {framework: {bbox: {AP: 0.01}}}")(dataset(), "--until-decided")

    assert done.code == 2
    assert "variant small has no gate that --until-decided could decide (measure rung framework)" in done.err


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rung after the only pass cannot be run."""
    makes = subjects.graph_after

    def made(request: Any, passes: int, **words: Any) -> Any:
        if passes:
            raise GraphError("onnxruntime cannot run the graph: All 'rois' values must be finite")
        return makes(request, passes, **words)

    monkeypatch.setattr(subjects, "graph_after", made)


@pytest.mark.usefixtures("breaks")
def test_a_rung_that_breaks_is_a_result_and_the_ladder_goes_on(cli: Cli, tmp_path: Path) -> None:
    verify = gated(cli, tmp_path, "drop: {stock: {bbox: {AP: 0.01}}}")

    done = verify(dataset(), "-r", "after:set-opset-window", "-r", "target", "--json")

    assert done.code == 0, done.err
    assert [rung["name"] for rung in done.json["rungs"]] == ["stock", "after:set-opset-window", "target"]
    assert ["finite" in rung["failure"] for rung in done.json["rungs"]] == [False, True, False]


@pytest.mark.usefixtures("breaks")
def test_the_lowest_rung_that_breaks_is_below_any_spec(cli: Cli, tmp_path: Path) -> None:
    verify = gated(cli, tmp_path, "drop: {stock: {bbox: {AP: 0.01}}}")

    done = verify(dataset(), "-r", "after:set-opset-window")

    assert done.code == 1
    assert "rung after:set-opset-window failed: onnxruntime cannot run the graph" in done.err
    assert "not judged: bbox AP drop against stock: rung after:set-opset-window was not measured" in done.out
