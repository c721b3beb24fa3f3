"""Whether a pass makes the same bytes in another process, where sets and hashes have another order."""

from __future__ import annotations

import json
import os
import pickle
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from convertkit.children.process import run_child
from convertkit.errors import ProcessError
from convertkit.passes.base import Pass
from convertkit.passes.stages import run_stage
from convertkit.passes.state import GraphState
from convertkit.passes.testing.corpus import Sample

SEEDS = ("1", "2")
TIME_LIMIT = 600.0


def processes(step: Pass, samples: Sequence[Sample]) -> tuple[bool, str]:
    """Whether this could be tried, and what was wrong with the bytes, or in the way."""
    with tempfile.TemporaryDirectory() as room:
        job = Path(room) / "job"
        try:
            data = pickle.dumps((step, [sample.model for sample in samples]))
            job.write_bytes(pickle.dumps((sys.path, data)))
            first, second = (_digests(job, seed) for seed in SEEDS)
        except (pickle.PicklingError, AttributeError, ProcessError) as error:
            return False, f"another process cannot import {type(step).__qualname__} ({_line(error)})"
    wrong = [sample.name for sample, a, b in zip(samples, first, second, strict=True) if a != b]
    return True, f"on {wrong[0]}: other bytes with another PYTHONHASHSEED" if wrong else ""


def _digests(job: Path, seed: str) -> list[str]:
    answer = job.with_suffix(f".{seed}")
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-m", __name__, str(job), str(answer)]
    run_child(command, env=environment, timeout=TIME_LIMIT, name="the pass in another process")
    found: list[str] = json.loads(answer.read_text())
    return found


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]


def main(job: Path, answer: Path) -> None:
    """In the other process: the digests of what the pass leaves."""
    path, data = pickle.loads(job.read_bytes())
    sys.path[:] = path
    step, models = pickle.loads(data)
    left = [run_stage(GraphState(model), step).after for model in models]
    answer.write_text(json.dumps([model.digest() if model else "" for model in left]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
