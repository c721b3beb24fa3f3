"""``convertkit ranges``: how large tensors get on photos, and what fp16 would leave of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import convertkit
from tests.conftest import Cli, Outcome
from tests.finder import dataset, write_finder, write_photos

Ranges = Callable[..., Outcome]


@pytest.fixture
def ranges(cli: Cli, tmp_path: Path) -> Ranges:
    """Of the finder, 70,000 times the mean of a photo planted into it, on two photos."""
    model = write_finder(tmp_path / "finder", spread=0.0)
    graph = onnx.load(model / "small.onnx")
    none = next(item for item in graph.graph.initializer if item.name == "none")
    none.CopyFrom(numpy_helper.from_array(np.float32(1000.0), "none"))
    graph.graph.node[1].name = "/neck/fuse/Mul"
    onnx.save(graph, model / "small.onnx")
    (tmp_path / "instances.json").write_text(json.dumps(dataset()))
    photos = write_photos(tmp_path / "photos")
    words = ("--annotations", tmp_path / "instances.json", "--images", photos)
    return lambda *more: cli("ranges", model, *words, *more)


@pytest.mark.slow
def test_the_table_has_the_worst_first(ranges: Ranges) -> None:
    done = ranges("--top", 2)

    assert done.code == 0, done.err
    lines = done.out.splitlines()
    title = "finder small on cpu, rung target graph in fp32, 2 photos: 2 of 8 tensors beyond fp16"
    assert lines[0] == title
    assert [line.split()[0] for line in lines[4:6]] == ["dets", "nothing"]
    assert "module neck.fuse" in lines[5]


@pytest.mark.slow
def test_json_is_the_record_and_comes_from_the_store(ranges: Ranges) -> None:
    first = ranges("--json", "-n", 1)
    again = ranges("--json", "-n", 1)

    worst = first.json["ranges"]["tensors"][0]
    assert first.json == again.json
    assert "1/1 images" in first.err and "images" not in again.err
    assert (first.json["ranges"]["photos"], first.json["rung"]) == (1, "target graph")
    assert worst["overflow"] == 0 and worst["largest"] < 65504  # the darker photo alone


@pytest.mark.slow
def test_a_rung_without_a_graph_of_its_own_is_refused(ranges: Ranges) -> None:
    for rung in ("framework", "target", "nonsense"):
        done = ranges("--rung", rung)

        assert done.code == 2 and done.err.count("\n") == 1
    bare = ranges("--rung", "set-opset-window").err
    assert "did you mean 'after:set-opset-window'? give stock or after:PASS" in bare
    assert ranges("--rung", "stock", "--json").json["rung"] == "stock"


def test_the_function_is_on_the_door() -> None:
    assert "ranges" in dir(convertkit)
