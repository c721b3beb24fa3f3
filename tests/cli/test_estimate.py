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
    assert "node by node, nothing fused, every tensor through memory" in done.out
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


def test_bytes_are_copied_where_the_target_normalises(cli: Cli, tiny: Path) -> None:
    floating = cli("estimate", tiny, "-t", "ascend310p3", "--json").json["estimate"]["input_bytes"]
    yaml = tiny / "model.yaml"
    yaml.write_text(yaml.read_text().replace("std: [1, 1, 1]", "std: [1, 1, 1], normalize: target"))

    pixels = cli("estimate", tiny, "-t", "ascend310p3", "--json").json["estimate"]["input_bytes"]

    assert (floating, pixels) == (4 * 3 * 8 * 8, 3 * 8 * 8)


def test_a_target_without_figures_says_so_before_it_builds(cli: Cli, tiny: Path) -> None:
    done = cli("estimate", tiny, "-t", "cpu")

    assert done.code == 3
    assert done.err == "error: target cpu has no figures of its machine to estimate with\n"


def test_options_of_a_package_have_no_meaning_for_a_file(cli: Cli, graph: Path) -> None:
    done = cli("estimate", graph, "-t", "ascend310p3", "--weights", "random:0")

    assert done.code == 2
    assert "--weights has no meaning for an ONNX file" in done.err
