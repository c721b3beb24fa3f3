"""``verify`` on the chip: the same command as everywhere, the stand-in of aclruntime underneath."""

from __future__ import annotations

import sys
from pathlib import Path

import onnx
import pytest
from convertkit_ascend.target import Ascend310P3

import convertkit
from tests.ascend.runtimes import stand_in_aclruntime as stand_in
from tests.conftest import MASKRCNN
from tests.workflow.conftest import detector_graph


@pytest.fixture
def variant(tmp_path, monkeypatch):
    """A Mask R-CNN whose stock graph is small, on a target whose compiler copies the graph."""
    onnx.save(detector_graph(), tmp_path / "stock.onnx")
    (tmp_path / "mine.yaml").write_text("size: [320, 320]\nconfig: {base: none}\nstock: stock.onnx\n")
    monkeypatch.setattr(Ascend310P3, "pipeline", ())
    monkeypatch.setattr(
        Ascend310P3, "compile", lambda self, model, place: convertkit.save(model, place / "model.om")
    )
    return ["--variant", "mine.yaml", "--target", "ascend310p3", "--results", "found"]


@pytest.mark.parametrize("install", [stand_in.install_aclruntime, stand_in.install_ais_bench])
def test_the_chip_gives_what_the_stock_graph_gives(cli, variant, photos, monkeypatch, install):
    monkeypatch.setitem(sys.modules, "aclruntime", None)
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
    assert not list(Path("found").glob("*"))
