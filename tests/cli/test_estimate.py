from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from tests.conftest import Cli
from tests.graphtext import parse
from tests.tiny import tiny_model


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    path = tmp_path / "in.onnx"
    onnx.save(tiny_model(), path)
    return path


def test_the_costliest_nodes_and_what_bounds_them(cli: Cli, graph: Path) -> None:
    done = cli("estimate", graph, "--target", "ascend310p3")

    assert done.code == 0
    assert "Conv" in done.out
    assert "without fusion (node by node, every tensor through memory)" in done.out
    assert "with fusion (all that the compiler is said to fuse: " in done.out
    assert (
        "an upper bound of speed by peak figures (roofline), no forecast; nothing of it was seen on hardware"
        in done.out
    )
    assert "144.2 GB/s (the compiler's platform file" in done.out
    assert "204.8 GB/s (usually quoted for the card, unverified)" in done.out


def test_as_many_nodes_as_asked_for(cli: Cli, graph: Path) -> None:
    data = cli("estimate", graph, "-t", "ascend310p3", "--json").json
    rows = data["estimate"]["rows"]

    few = cli("estimate", graph, "-t", "ascend310p3", "--top", "1")
    none = cli("estimate", graph, "-t", "ascend310p3", "--top", "0")

    assert len(rows) > 1
    assert data["estimate"]["seconds"] == pytest.approx(sum(row["seconds"] for row in rows))
    assert data["machine"]["memory"]["source"].startswith("the compiler's platform file")
    longest = max(rows, key=lambda row: row["seconds"])
    assert few.out.splitlines()[4].split()[0] == longest["name"]
    assert none.out.splitlines()[2].startswith("by operator: Conv")


def test_an_incomplete_estimate_says_so_first(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "open.onnx"
    text = "(float[4,8] x) => (int64[2,m] w, float[4,8] y) { w = NonZero(x) y = Relu(x) }"
    onnx.save(parse(text).proto, path)

    done = cli("estimate", path, "-t", "ascend310p3")

    assert done.code == 0
    assert done.out.splitlines()[1].startswith(
        "incomplete: 1 node not counted: 1 NonZero; first w: no cost is known"
    )


def test_a_package_is_built_as_far_as_its_target_graph(cli: Cli, tiny: Path, tmp_path: Path) -> None:
    done = cli("estimate", tiny, "-t", "ascend310p3", "--json")

    assert done.code == 0
    assert done.json["estimate"]["machine"] == "Ascend310P3"
    assert "legalize-ascend" in done.err
    assert not Path("build").exists()


@pytest.mark.slow
def test_bytes_are_copied_where_the_target_normalises(cli: Cli, tiny: Path) -> None:
    floating = cli("estimate", tiny, "-t", "ascend310p3", "--json").json["estimate"]["input_bytes"]
    yaml = tiny / "model.yaml"
    yaml.write_text(yaml.read_text().replace("std: [1, 1, 1]", "std: [1, 1, 1], normalize: target"))

    pixels = cli("estimate", tiny, "-t", "ascend310p3", "--json").json["estimate"]["input_bytes"]

    assert (floating, pixels) == (4 * 3 * 8 * 8, 3 * 8 * 8)


def test_a_target_without_figures_says_so_before_it_builds(cli: Cli, tiny: Path) -> None:
    done = cli("estimate", tiny, "-t", "cpu")

    assert done.code == 2
    assert done.err.startswith(
        "error: target cpu has no figures of its machine to estimate with (give --target "
    )


def test_options_of_a_package_have_no_meaning_for_a_file(cli: Cli, graph: Path) -> None:
    done = cli("estimate", graph, "-t", "ascend310p3", "--weights", "random:0")

    assert done.code == 2
    assert "--weights has no meaning for an ONNX file" in done.err


OPEN = "(float[batch, 3, h, w] x) => (float[batch, 3, h, w] y) { y = Relu (x) }"


def test_open_sizes_are_no_number(cli: Cli, tmp_path: Path) -> None:
    onnx.save(parse(OPEN).proto, tmp_path / "open.onnx")

    for words in ((), ("--json",), ("--input-shape", "x:1,3,-1,64")):
        done = cli("estimate", "open.onnx", "-t", "ascend310p3", *words)
        assert done.code == 2
        assert (list(done.json) == ["error"]) if "--json" in words else (done.out == "")
        assert "of x" in done.err
        assert "--input-shape" in done.err


def test_told_sizes_are_counted_as_if_the_graph_stated_them(cli: Cli, tmp_path: Path) -> None:
    onnx.save(parse(OPEN).proto, tmp_path / "open.onnx")
    onnx.save(parse(OPEN.replace("batch, 3, h, w", "2, 3, 32, 64")).proto, tmp_path / "stated.onnx")

    told = cli("estimate", "open.onnx", "-t", "ascend310p3", "--input-shape", "x:2,3,32,64", "--json").json
    stated = cli("estimate", "stated.onnx", "-t", "ascend310p3", "--json").json

    assert told == stated
    assert told["estimate"]["output_bytes"] == 4 * 2 * 3 * 32 * 64
    assert told["estimate"]["complete"] is True


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ("y:1,3,8,8", "the graph has no input 'y'"),
        ("x:1,3,8", "input 'x' has 4 sizes, not 3"),
        ("x:1,4,8,8", "input 'x' has size 3 on axis 1, not 4"),
        ("x", "is not NAME:SIZE"),
    ],
)
def test_a_mistake_in_the_sizes_told(cli: Cli, tmp_path: Path, told: str, line: str) -> None:
    onnx.save(parse(OPEN).proto, tmp_path / "open.onnx")

    done = cli("estimate", "open.onnx", "-t", "ascend310p3", "--input-shape", told)

    assert (done.code, done.err.count("\n"), line in done.err) == (2, 1, True)


def test_one_symbol_is_one_size(cli: Cli, tmp_path: Path) -> None:
    text = "(float[n, 4] a, float[n, 4] b) => (float[n, 4] y) { y = Add (a, b) }"
    onnx.save(parse(text).proto, tmp_path / "two.onnx")

    fine = cli("estimate", "two.onnx", "-t", "ascend310p3", "--input-shape", "a:8,4", "--json")
    wrong = cli("estimate", "two.onnx", "-t", "ascend310p3", "--input-shape", "a:8,4;b:9,4")

    assert fine.json["estimate"]["vector_operations"] == 32
    assert (wrong.code, "input 'b' has size 8 on axis 0, not 9" in wrong.err) == (2, True)


def test_of_a_part_there_are_only_bounds(cli: Cli, tmp_path: Path) -> None:
    text = "(float[4,8] x) => (int64[2,m] w, float[4,8] y) { w = NonZero(x) y = Relu(x) }"
    onnx.save(parse(text).proto, tmp_path / "part.onnx")

    done = cli("estimate", "part.onnx", "-t", "ascend310p3")
    data = cli("estimate", "part.onnx", "-t", "ascend310p3", "--json").json["estimate"]

    assert "at least 0.0 G matrix operations" in done.out
    assert "of what is counted, without fusion (node by node" in done.out
    assert "an open size out" in done.out
    assert (data["complete"], data["output_bytes"]) == (False, None)


def test_where_nothing_is_counted_there_is_no_number(cli: Cli, tmp_path: Path) -> None:
    onnx.save(parse("(float[4,8] x) => (int64[2,m] w) { w = NonZero(x) }").proto, tmp_path / "none.onnx")

    done = cli("estimate", "none.onnx", "-t", "ascend310p3", "--json")

    assert (done.code, list(done.json)) == (2, ["error"])
    assert "none of its 1 nodes can be counted; first w: no cost is known" in done.err
