"""Wheels and environments, by uv."""

from __future__ import annotations

import os
import subprocess
import sys


def uv(*words: object) -> None:
    command = [sys.executable, "-m", "uv", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "UV_SYSTEM_CERTS": "1"})
    assert done.returncode == 0, done.stderr
