"""``verify`` on the chip: the same command as everywhere, the stand-in of aclruntime underneath."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from convertkit_ascend.target import Ascend

from convertkit.api.graphs import save
from tests.ascend.runtimes import stand_in_aclruntime as stand_in
from tests.conftest import MASKRCNN
from tests.offline.conftest import detector_graph

pytestmark = pytest.mark.slow


def with_wide_labels(model):
    """The graph with labels of int64, as model.yaml promises and the framework exports them."""
    output = next(value for value in model.graph.output if value.name == "labels")
    writer = next(node for node in model.graph.node if "labels" in node.output)
    writer.output[list(writer.output).index("labels")] = "narrow"
    model.graph.node.append(onnx.helper.make_node("Cast", ["narrow"], ["labels"], to=onnx.TensorProto.INT64))
    output.type.tensor_type.elem_type = onnx.TensorProto.INT64
    return model


@pytest.fixture
def variant(tmp_path, monkeypatch):
    """A Mask R-CNN whose stock graph is small, on a target whose compiler copies the graph."""
    onnx.save(with_wide_labels(detector_graph()), tmp_path / "stock.onnx")
    (tmp_path / "mine.yaml").write_text("size: [320, 320]\nconfig: {base: none}\nstock: stock.onnx\n")
    monkeypatch.setattr(Ascend, "passes", lambda self, context: ())
    monkeypatch.setattr(
        Ascend, "compile", lambda self, model, place, context: save(model, place / "model.om")
    )
    return ["--variant", "mine.yaml", "--target", "ascend310p3", "--results", "found"]


@pytest.mark.parametrize("install", [stand_in.install_aclruntime, stand_in.install_ais_bench])
def test_the_chip_gives_what_the_stock_graph_gives(cli, variant, photos, monkeypatch, install):
    install(monkeypatch)
    onnxruntime = cli("verify", MASKRCNN, *variant, *photos, "--runtime", "stock")

    chip = cli("verify", MASKRCNN, *variant, *photos, "--runtime", "target")

    assert (onnxruntime.code, chip.code) == (0, 0), chip.err
    assert Path("found/target.jsonl").read_bytes() == Path("found/stock.jsonl").read_bytes()
    assert Path("found/target.jsonl").read_bytes().count(b"\n") == 16


def test_a_chip_that_fails_ends_the_verification_with_one_line(cli, variant, photos, monkeypatch):
    stand_in.install_aclruntime(monkeypatch, "broken")

    done = cli("verify", MASKRCNN, *variant, *photos, "--runtime", "target")

    assert done.code == 4
    assert "the runtime of the chip failed: [507011]" in done.err.splitlines()[-1]
    assert [path.name for path in Path("found").iterdir()] == [".journals"]  # what the next run goes on with


def test_results_that_were_made_elsewhere_are_verified_too(cli, variant, photos, ais_bench):
    assert cli("build", MASKRCNN, *variant[:4], "-o", "artifact").code == 0
    assert cli("preprocess", MASKRCNN, *variant[:2], *photos, "-o", "pre").code == 0
    ais_bench("--model", "artifact/model.om", "--input", "pre", "--output", "out", "--output_dirname", "run")
    files = ["--inputs", "pre", "--outputs", "out/run"]

    both = cli(
        "verify", MASKRCNN, *variant, *photos, "-o", "artifact", "-r", "stock", "-r", "offline", *files
    )

    assert both.code == 0, both.err
    assert Path("found/offline.jsonl").read_bytes() == Path("found/stock.jsonl").read_bytes()


def test_offline_without_its_directories_says_which_options_to_give(cli, variant, photos):
    done = cli("verify", MASKRCNN, *variant, *photos, "-r", "offline")

    assert done.code == 2
    assert "give --inputs and --outputs" in done.err


def test_a_precision_that_is_not_emulated_is_left_out_of_the_ladder_but_not_of_a_request(
    cli, variant, photos
):
    words = ["verify", MASKRCNN, *variant[:4], *photos, "--json", "-O", "precision_mode=allow_mix_precision"]

    ladder = cli(*words, "--ladder")
    asked = cli(*words, "--runtime", "device-numerics")

    assert [rung["name"] for rung in ladder.json["rungs"]] == ["stock", "twin"]
    said = "device numerics do not emulate precision allow_mix_precision"
    assert f"note: rung device-numerics is left out: {said}" in ladder.err
    assert (asked.code, asked.err.splitlines()[-1].startswith(f"error: {said} (name the effects")) == (
        3,
        True,
    )
