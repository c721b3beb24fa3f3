"""The environment variables CANN looks at (ascend-facts: cann-variables, cann-parallel)."""

from __future__ import annotations

import os
import re
from pathlib import Path

from convertkit.api import system, targets

DIRECTORIES = (
    "ASCEND_TOOLKIT_HOME",
    "ASCEND_HOME_PATH",
    "ASCEND_OPP_PATH",
    "ASCEND_WORK_PATH",
    "ASCEND_CACHE_PATH",
)
PARALLEL = "TE_PARALLEL_COMPILER"
MOST_PARALLEL = 32
_HEAVY = {
    "DUMP_GE_GRAPH": "every compilation writes its graphs into the working directory",
    "NPU_COLLECT_PATH": "every compilation keeps its kernels",
}


def examine() -> list[targets.Diagnosis]:
    """A line for what is set wrongly or costs something, and one that lists the rest."""
    wrong = [_directory(name) for name in DIRECTORIES if name in os.environ and not _is_there(name)]
    costly = [
        targets.Diagnosis("note", name, os.environ[name], f"{why}; unset it unless you want that")
        for name, why in _HEAVY.items()
        if name in os.environ
    ]
    good = sorted(
        name for name in os.environ if name.startswith("ASCEND_") and name not in {d.what for d in wrong}
    )
    listed = [targets.Diagnosis("ok", "ASCEND_* variables", ", ".join(good))] if good else []
    return [*listed, *wrong, *costly, *_parallel()]


def _is_there(name: str) -> bool:
    if name == "ASCEND_CACHE_PATH":
        return True  # ATC makes this one
    try:
        return Path(os.environ[name]).is_dir()
    except OSError:
        return False


def _directory(name: str) -> targets.Diagnosis:
    found = f"{os.environ[name] or 'empty'}, no such directory"
    return targets.Diagnosis("missing", name, found, "unset it, or source CANN's set_env.sh again")


def _parallel() -> list[targets.Diagnosis]:
    value = os.environ.get(PARALLEL)
    if value is None:
        return []
    if not re.fullmatch("[0-9]{1,3}", value) or not 1 <= int(value) <= MOST_PARALLEL:
        advice = f"1 to {MOST_PARALLEL}; its default is 8 (ATC says E40022)"
        return [targets.Diagnosis("missing", PARALLEL, value, advice)]
    most = max(1, int(0.8 * system.usable_processors()))
    if int(value) > most:
        return [
            targets.Diagnosis("note", PARALLEL, value, f"the manual advises at most {most} on this machine")
        ]
    return [targets.Diagnosis("ok", PARALLEL, value)]
