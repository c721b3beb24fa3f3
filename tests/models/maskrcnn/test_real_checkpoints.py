"""The same kinds of checkpoints as torch and mmengine themselves write them, and what torch says of ours."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import MASKRCNN, Cli

pytestmark = [pytest.mark.slow, pytest.mark.export]

SAVE = """
import argparse, sys
import numpy as np, torch
from torch import nn

model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 5).half())
state = model.state_dict()
second = {"ema_" + name.replace(".", "_"): value + 1 for name, value in state.items()}
meta = {"mAP": np.float64(0.3), "table": np.arange(3), "args": argparse.Namespace(a=1)}
old = {"_use_new_zipfile_serialization": False}
torch.save({"meta": meta, "state_dict": state}, "new.pth")
torch.save({"meta": meta, "state_dict": state}, "old.pth", **old)
torch.save({"state_dict": nn.DataParallel(model).state_dict()}, "parallel.pth")
torch.save({"state_dict": {**state, **second}}, "ema.pth")
torch.save(model, "model.pth")
torch.save(model, "oldmodel.pth", **old)
torch.save({name: value.to(torch.bfloat16) for name, value in state.items()}, "bfloat.pth")
torch.save({"w": torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1)[1:]}, "view.pth")
np.savez("expected.npz", **{name: value.numpy() for name, value in state.items()})
"""

SAVE_MMENGINE = """
import torch
from mmengine.logging import MessageHub
from torch import nn

hub = MessageHub.get_instance("run")
hub.update_scalar("train/loss", 0.5)
torch.save({"message_hub": hub.state_dict(), "state_dict": nn.Linear(2, 2).state_dict()}, "mmengine.pth")
print(sorted(hub.log_scalars))
"""

LOAD = """
import json, sys
import torch

states = [torch.load(path, weights_only=True)["state_dict"] for path in sys.argv[1:]]
print(json.dumps([{name: value.double().tolist() for name, value in state.items()} for state in states]))
"""


def run(python: Path, code: str, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, "-c", code, *words], capture_output=True, text=True, cwd=cwd)


@pytest.fixture(scope="module")
def saved(export_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with what torch has saved."""
    directory = tmp_path_factory.mktemp("saved")
    made = run(export_python, SAVE, cwd=directory)
    assert made.returncode == 0, made.stderr
    return directory


def test_what_torch_saves_is_read_and_written_for_torch(cli: Cli, export_python: Path, saved: Path) -> None:
    names = ["new", "old", "parallel", "ema", "model", "oldmodel", "bfloat", "view"]
    for name in names:
        done = cli("weights", MASKRCNN, saved / f"{name}.pth", "-o", f"{name}.pth")
        assert done.code == 0, done.err

    loaded = json.loads(run(export_python, LOAD, *(f"{name}.pth" for name in names)).stdout)

    assert loaded.pop()["w"] == np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1)[1:].tolist()
    expected = dict(np.load(saved / "expected.npz"))
    for name, found in zip(names, loaded, strict=False):
        assert list(found) == list(expected)
        tolerance = 2**-8 if name == "bfloat" else 0  # the digits of bfloat16
        for key, value in expected.items():
            assert np.allclose(found[key], value.astype(float), rtol=tolerance, atol=0)


def test_the_history_that_mmengine_keeps_is_skipped(cli: Cli, export_python: Path) -> None:
    made = run(export_python, SAVE_MMENGINE)
    if "No module named 'mmengine'" in made.stderr:
        pytest.skip("the export environment has no mmengine: mmdet 2 does not need it")
    assert made.returncode == 0, made.stderr

    done = cli("weights", MASKRCNN, "mmengine.pth", "--json")

    assert done.code == 0, done.err
    assert done.json["framework"] == "mmengine (mmdet 3)"
    assert "mmengine.logging.history_buffer.HistoryBuffer" in done.json["skipped"]
    assert done.json["tensors"] == 2
