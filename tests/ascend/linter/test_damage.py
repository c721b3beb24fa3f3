"""No damage to a file gives anything but findings or one line."""

from __future__ import annotations

import random
from pathlib import Path

import onnx
import pytest
from convertkit_ascend.linter.examination import examine

from convertkit.errors import ConvertkitError
from tests.ascend.linter.cases import CASES
from tests.ascend.linter.damage import spoil


@pytest.mark.parametrize("seed", range(6))
def test_models_with_wrong_fields(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    models = [case.twin() for case in CASES]
    for _ in range(60):
        model = onnx.ModelProto()
        model.CopyFrom(rng.choice(models))
        spoil(model, rng, rng.choice([1, 2, 3, 5]))
        (tmp_path / "m.onnx").write_bytes(model.SerializeToString())

        _examine(tmp_path / "m.onnx")


@pytest.mark.parametrize("seed", range(3))
def test_files_with_wrong_bytes(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    files = [case.twin().SerializeToString() for case in CASES]
    for _ in range(100):
        data = bytearray(rng.choice(files))
        for _ in range(rng.choice([1, 1, 2, 5])):
            data[rng.randrange(len(data))] = rng.randrange(256)
        (tmp_path / "m.onnx").write_bytes(data[: rng.choice([len(data), rng.randrange(len(data))])])

        _examine(tmp_path / "m.onnx")


def _examine(path: Path) -> None:
    try:
        found = examine(path).findings
    except ConvertkitError as error:
        assert "\n" not in str(error)
    else:
        assert all(str(item).isprintable() for item in found)
