"""The export worker in its own environment, asked through the command line: real torch, mmcv-full and mmdet."""

from __future__ import annotations

import pickle
from collections import Counter
from pathlib import Path

import onnx
import pytest

from tests.conftest import MASKRCNN, Cli

pytestmark = [pytest.mark.slow, pytest.mark.export]


@pytest.fixture
def words(tmp_path: Path, export_python: Path) -> list[str]:
    """A variant of mini's architecture at a small size, without a stock graph of its own."""
    variant = tmp_path / "small.yaml"
    variant.write_text(f"size: [96, 128]\nconfig: {{file: {MASKRCNN}/mini/config.json}}\n")
    return [str(MASKRCNN), "--variant", str(variant), "--python", str(export_python)]


def structure(path: str) -> Counter[str]:
    """Operators without Identity: the exporter lets equal weights share one initializer through them."""
    return Counter(node.op_type for node in onnx.load(path).graph.node if node.op_type != "Identity")


def test_the_stock_graph_is_the_frameworks_own_and_always_the_same_bytes(
    cli: Cli, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = cli("export", *words, "--weights", "random:0", "-o", "first.onnx")
    monkeypatch.setenv("CONVERTKIT_HOME", str(tmp_path / "another home"))
    second = cli("export", *words, "--weights", "random:0", "-o", "second.onnx")

    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert Path("first.onnx").read_bytes() == Path("second.onnx").read_bytes()
    operators = structure("first.onnx")
    assert (operators["RoiAlign"], operators["NonMaxSuppression"]) == (8, 2)
    assert operators.total() > 2000
    assert structure(str(MASKRCNN / "mini" / "mini.onnx")) == operators  # the same at another size


def test_another_seed_gives_other_weights(cli: Cli, words: list[str]) -> None:
    digests = {
        cli("export", *words, "--weights", f"random:{seed}", "-o", f"{seed}.onnx", "--json").json["digest"]
        for seed in (0, 1)
    }

    assert len(digests) == 2


class Payload:
    """Unpickling it writes a file."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return (open, (str(self.victim), "w"))


def test_a_checkpoint_that_wants_to_run_code_is_refused(cli: Cli, words: list[str], tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    (tmp_path / "evil.pth").write_bytes(pickle.dumps({"state_dict": Payload(victim)}, protocol=2))

    done = cli("export", *words, "--weights", "evil.pth", "-o", "out.onnx")

    assert done.code == 2
    line = done.err.splitlines()[-1]
    assert "evil.pth" in line
    assert "Traceback" not in done.err
    assert not victim.exists()
    assert not Path("out.onnx").exists()


def test_a_checkpoint_of_another_model_names_what_differs(cli: Cli, words: list[str], tmp_path: Path) -> None:
    wider = tmp_path / "small.yaml"
    wider.write_text(
        "size: [96, 128]\nconfig: {base: _base_/models/mask_rcnn_r50_fpn.py,"
        " overrides: {model: {backbone: {init_cfg: null}}}}\n"
    )

    done = cli("export", *words, "--weights", MASKRCNN / "mini" / "mini.pth", "-o", "out.onnx")

    assert done.code == 2
    assert "shapes differ" in done.err.splitlines()[-1]


def test_a_config_outside_the_framework_is_refused(cli: Cli, words: list[str], tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text("size: [96, 128]\nconfig: {base: ../../evil.py}\n")

    done = cli("export", *words, "--weights", "random:0", "-o", "out.onnx")

    assert done.code == 2
    assert "evil.py" in done.err.splitlines()[-1]
