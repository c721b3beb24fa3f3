"""What a step may have is counted from what its process holds already."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
from convertkit.children.limits import Limits
kept = bytearray(1 << 28)
Limits(1, 1 << 27).confine()
more = bytearray({size})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what a process holds")
@pytest.mark.parametrize(("size", "refused"), [(1 << 26, False), (1 << 30, True)])
def test_outputs_of_the_step_before_take_nothing_from_the_next(size: int, refused: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(size=size)], capture_output=True, text=True, check=False
    )

    assert ("MemoryError" in done.stderr) == refused == bool(done.returncode), done.stderr
