"""Sizes that a stock graph leaves open: the variant's size decides them, and ``--input-shape`` the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx
import pytest

from tests.conftest import Cli
from tests.tiny import tiny_model

SET = 'set-input-shape{shapes=["image:1,3,8,8"]}'


def set_open(package: Path, *axes: int, declared: str = "[1, 3, H, W]") -> None:
    """Leaves axes of the image open in the stock graph, and everything that follows from them."""
    model = tiny_model()
    dims = model.graph.input[0].type.tensor_type.shape.dim
    for axis in axes:
        dims[axis].dim_param = f"size_{axis}"
    for dim in model.graph.output[0].type.tensor_type.shape.dim:
        dim.dim_param = "n"
    onnx.save(model, package / "small.onnx")
    said = package / "model.yaml"
    said.write_text(said.read_text().replace("shape: [1, 3, H, W]", f"shape: {declared}"))


def shapes(path: Path) -> list[list[int]]:
    graph = onnx.load(path).graph
    return [
        [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in (*graph.input, *graph.output)
    ]


def stock_of(directory: Path) -> Any:
    return json.loads((directory / "manifest.json").read_text())["steps"][0]


@pytest.mark.parametrize("declared", ["[1, 3, H, W]", "[B, 3, H, W]", "[B, C, H, W]", "[]"])
def test_the_size_of_the_variant_decides_what_its_stock_graph_leaves_open(
    cli: Cli, tiny: Path, tmp_path: Path, declared: str
) -> None:
    set_open(tiny, 0, 2, 3, declared=declared)

    done = cli("build", tiny, "-o", "out")

    assert done.code == 0, done.err
    line = f"note: the stock graph leaves sizes open, variant small is for 8 x 8: {SET}"
    assert done.err.splitlines().count(line) == 1
    assert shapes(tmp_path / "out" / "model.onnx") == [[1, 3, 8, 8], [1, 400]]
    assert stock_of(tmp_path / "out")["summary"]["sized"] == SET
    assert cli("replay", "out/manifest.json", "--model", tiny).code == 0


def test_a_stock_graph_without_open_sizes_is_left_as_it_is(cli: Cli, tiny: Path, tmp_path: Path) -> None:
    done = cli("build", tiny, "-o", "out")

    assert "sizes open" not in done.err
    assert stock_of(tmp_path / "out")["summary"] == {"nodes": 6}


def test_a_second_build_has_the_same_manifest_from_the_store(cli: Cli, tiny: Path, tmp_path: Path) -> None:
    set_open(tiny, 2, 3)

    cli("build", tiny, "-o", "first")
    cli("build", tiny, "-o", "second")

    first, second = (tmp_path / name / "manifest.json" for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


def test_a_graph_that_cannot_be_of_the_variants_size_is_one_line(
    cli: Cli, tiny: Path, tmp_path: Path
) -> None:
    set_open(tiny, 2, 3)
    model = onnx.load(tiny / "small.onnx")
    table = onnx.helper.make_tensor("table", onnx.TensorProto.FLOAT, [1, 16, 9, 9], [0.0] * 16 * 81)
    model.graph.initializer.append(table)
    model.graph.node[1].CopyFrom(onnx.helper.make_node("Add", ["conv", "table"], ["relu"], name="positions"))
    onnx.save(model, tiny / "small.onnx")

    done = cli("build", tiny, "-o", "out")

    assert (done.code, (tmp_path / "out").exists()) == (2, False)
    assert done.err.splitlines()[-1].startswith(
        "error: pass set-input-shape: the graph does not work at these sizes"
    )
    assert "positions" in done.err


@pytest.mark.slow
def test_told_sizes_are_a_pass_of_the_build(cli: Cli, tiny: Path, tmp_path: Path) -> None:
    set_open(tiny, 0)

    done = cli("build", tiny, "-o", "out", "--input-shape", "image:1,3,8,8", "--json")

    steps = json.loads((tmp_path / "out" / "manifest.json").read_text())["steps"]
    assert done.code == 0, done.err
    assert steps[1]["facts"]["pass"] == SET
    assert [item["name"] for item in done.json["passes"]][:2] == ["set-input-shape", "fold-constants"]
    assert cli("replay", "out/manifest.json", "--model", tiny).code == 0
    assert cli("bisect", tiny, "--input-shape", "image:1,3,8,8").code == 0


@pytest.mark.parametrize("command", [["build"], ["bisect"], ["estimate", "-t", "ascend310p3"]])
def test_other_sizes_than_the_variants_are_refused_before_anything_runs(
    cli: Cli, tiny: Path, command: list[str]
) -> None:
    done = cli(*command, tiny, "--input-shape", "image:1,3,16,8")

    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "image:1,3,16,8 is not the image:1,3,8,8 of variant small" in done.err
