"""A build may be killed at any moment: what it had finished is kept, and the rerun ends with the same bytes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from convertkit.storage.files import TEMPORARY

MODEL = Path(__file__).parents[2] / "models" / "maskrcnn"
KILLS = 20


def start(home: Path, output: Path) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "convertkit",
        "build",
        str(MODEL),
        "--variant",
        "mini",
        "-o",
        str(output),
    ]
    environment = {**os.environ, "CONVERTKIT_HOME": str(home), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def descendants_of_init_with(home: Path) -> list[str]:
    """Command lines of processes that still work for this home."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(home) in (process / "environ").read_bytes().decode(errors="replace"):
                found.append((process / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return found


@pytest.mark.slow
def test_a_build_killed_at_random_moments_ends_with_the_same_bytes(tmp_path: Path) -> None:
    begin = time.monotonic()
    assert start(tmp_path / "home", tmp_path / "expected").wait() == 0
    duration = time.monotonic() - begin
    expected = contents(tmp_path / "expected")
    rng = random.Random(20)
    interrupted, reach = 0, duration

    for number in range(KILLS):
        # Every fifth round begins from nothing, the others from whatever the killed builds have left.
        home, output = tmp_path / f"home{number // 5}", tmp_path / f"out{number // 5}"
        reach = duration if number % 5 == 0 else reach
        build = start(home, output)
        time.sleep(rng.uniform(0, reach))
        ended = build.poll() is not None
        interrupted += not ended
        reach = reach / 2 if ended else reach  # what is there already makes the next one shorter
        build.send_signal(signal.SIGKILL)
        build.wait()

        if number % 5 == 4:
            assert start(home, output).wait() == 0
            assert contents(output) == expected
            assert not [path for path in output.iterdir() if TEMPORARY in path.name]

    assert interrupted >= KILLS // 4
    assert descendants_of_init_with(tmp_path) == []
