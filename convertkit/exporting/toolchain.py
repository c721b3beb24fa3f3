"""What compiling an extension needs of this machine, looked at before the minutes it takes."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from convertkit.children.process import usable_processors

BYTES_PER_JOB = 2_000_000_000
"""Memory one compiler process of a large C++ extension may take."""

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def missing_tools(include: Path) -> list[str]:
    """Say what a C++ extension cannot be compiled without; ``include`` is where the Python headers should be."""
    missing = []
    found = compiler()
    if found is None:
        missing.append("a C++ compiler")
    elif not _works(found):
        missing.append(f"a C++ compiler that works ({found} does not)")
    if not (include / "Python.h").is_file():
        missing.append("the Python headers")
    return missing


def compiler() -> str | None:
    """Return the path of the C++ compiler: the one ``CXX`` names, else the first known one on PATH."""
    chosen = shlex.split(os.environ.get("CXX", ""))
    for name in chosen[:1] or ("c++", "g++", "clang++"):
        if found := shutil.which(name):
            return found
    return None


def _works(found: str) -> bool:
    """Whether it gets through an empty file: a driver without its ``cc1plus`` (gcc without g++) does not."""
    command = [found, "-x", "c++", "-fsyntax-only", os.devnull]
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0


def default_jobs() -> int:
    """Return how many compilers may run at once: one per usable core, but never more than memory allows."""
    cores = usable_processors()
    return max(1, min(cores, memory_bytes() // BYTES_PER_JOB))


def memory_bytes() -> int:
    """Return the memory this process may use, in bytes: the machine's, or the container's limit if lower."""
    total = sys.maxsize
    if sys.platform != "win32":  # where no environment is built
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in map(Path, _CGROUP_LIMITS):
        text = path.read_text().strip() if path.is_file() else ""
        if text.isdigit():
            total = min(total, int(text))
    return total
