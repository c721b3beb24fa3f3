"""Hints lead: where something cannot be done, the line says what can."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import helper

from convertkit.errors import suggestion
from tests.conftest import Cli
from tests.tiny import tiny_model


def test_a_target_without_figures_names_those_that_have_them(cli: Cli, tiny: Path, tmp_path: Path) -> None:
    onnx.save(tiny_model(), tmp_path / "in.onnx")

    for subject in (tiny, "in.onnx"):
        done = cli("estimate", subject)

        assert done.code == 2
        assert "target cpu has no figures of its machine to estimate with (give --target one of " in done.err
        assert "ascend310p3" in done.err


def test_a_name_that_several_begin_with_means_any_of_them(cli: Cli) -> None:
    done = cli("show", "target", "ascend310p")

    said = "did you mean 'ascend310p1', 'ascend310p3', 'ascend310p5' or 'ascend310p7'?"
    assert said in done.err


def test_a_name_that_one_begins_with_or_too_many_do_means_the_nearest() -> None:
    assert suggestion("simp", ["simplify", "rename"]).startswith("did you mean 'simplify'?")
    many = [f"pass-{letter}" for letter in "abcdef"]
    assert suggestion("pass-", many[:5]).startswith("did you mean 'pass-a', 'pass-b', 'pass-c', 'pass-d' or")
    assert " or " not in suggestion("pass-", many)


@pytest.mark.slow
def test_replay_takes_the_directory_of_an_artifact(cli: Cli, tiny: Path) -> None:
    cli("build", tiny, "-o", "made")

    done = cli("replay", "made")

    assert done.code == 0
    assert done.out == cli("replay", "made/manifest.json").out


def test_replay_of_a_directory_that_is_no_artifact_names_what_is_missing(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert cli("replay", "empty").err == "error: empty/manifest.json: no such file\n"


@pytest.mark.slow
def test_an_input_without_a_shape_is_told_by_an_option(cli: Cli, tmp_path: Path) -> None:
    x, y = (helper.make_tensor_value_info(name, 1, None) for name in "xy")
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"], name="r")], "g", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    onnx.save(model, tmp_path / "x.onnx")

    told = cli("lint", "x.onnx", "--target", "ascend310p3", "--json").json["findings"][0]["fix"]

    assert told == "say its sizes: --input-shape x:SIZES"
    assert cli("lint", "x.onnx", "--target", "ascend310p3", "--input-shape", "x:1,3").code == 0
