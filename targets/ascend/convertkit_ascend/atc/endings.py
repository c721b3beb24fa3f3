"""How a run of ATC ended, and what that means where it said nothing itself."""

from __future__ import annotations

import signal
from pathlib import Path

from convertkit.api import system
from convertkit_ascend.atc.errors import Ending
from convertkit_ascend.atc.location import UNREACHED
from convertkit_ascend.atc.setup import INSTALL, NO_ATC

STARTED = "ATC start working now"
DEATHS = {6: "SIGABRT", 7: "SIGBUS", 9: "SIGKILL", 11: "SIGSEGV"}
"""Signals by their numbers on Linux, where ATC runs, wherever we do."""

_MEMORY = "set TE_PARALLEL_COMPILER=1 (its default is 8 processes), add swap, or give the host more memory"


def of_failure(error: system.ChildError, where: str, text: str) -> Ending:
    """The ending of a run that did not exit with 0."""
    code = error.returncode
    if code is None:
        return _without_code(error, where)
    if code - 128 in DEATHS:
        code = 128 - code  # a shell, or docker, between us and it
    if code < 0:
        return _killed(-code)
    missing = code == 127 and any(words in error.last_line for words in (NO_ATC, "not found"))
    if missing or (where.startswith("docker:") and code in (125, 126)):
        return _not_there(where, error.last_line)
    if where.startswith("ssh:") and code == UNREACHED and STARTED not in text:
        return Ending(
            f"{where} was not reached",
            error.last_line or "the connection failed",
            f"try: ssh -o BatchMode=yes {where.removeprefix('ssh:')} true",
            decisive=True,
        )
    return Ending(f"failed with exit code {code}")


def without_model(found: list[Path], expected: str) -> Ending:
    """ATC exited with 0, but there is not exactly one model."""
    if found:
        names = ", ".join(path.name for path in found)
        cause = f"it wrote several models: {names}"
        return Ending(
            "left more than one model", cause, "set host_env_os and host_env_cpu to one host", decisive=True
        )
    return Ending(
        "exited with 0 but wrote no model",
        f"{expected} does not exist; ATC run by a wrapper that hides its exit code looks like this",
        "run command.sh of the reproducer by hand; check that atc on PATH is CANN's own",
        decisive=True,
    )


def of_defect(path: Path, defect: str) -> Ending:
    """ATC exited with 0, but its model is not whole."""
    return Ending(
        f"exited with 0 but {path.name} {defect}",
        "the disk may be full, or the compiler died while it wrote",
        "free space in the output directory and compile again",
        decisive=True,
    )


def _without_code(error: system.ChildError, where: str) -> Ending:
    if error.over == "output":
        return Ending(error.reason, "its log had grown to a GiB", "see how that begins", decisive=True)
    if not error.over:
        return Ending(error.reason, f"{error.name} could not be started", f"check {where}", decisive=True)
    return Ending(
        error.reason,
        "it did not finish in time; compiling is slow on few or ARM processors, and some graphs make it hang",
        "raise the limit; on ARM bind it with numactl -C 16-31 --localalloc; set op_compiler_cache_mode: enable",
        decisive=True,
    )


def _killed(number: int) -> Ending:
    name = DEATHS.get(number) or signal.Signals(number).name
    if name == "SIGKILL":
        return Ending(
            f"was killed by {name}", "most likely the host ran out of memory", _MEMORY, decisive=True
        )
    return Ending(
        f"crashed with {name}",
        "a defect of the compiler, brought out by this graph or by this host",
        "try another release of CANN, fusion_off for the last fusion pass in the log, or TE_PARALLEL_COMPILER=1",
    )


def _not_there(where: str, line: str) -> Ending:
    advice = {
        "docker": "check the image: docker run --rm IMAGE sh -c 'command -v atc'",
        "ssh": "install CANN there, or source its set_env.sh for shells that are not interactive",
    }.get(where.partition(":")[0], INSTALL)
    cause = "it is neither on PATH nor in the usual places" if NO_ATC in line else line
    return Ending(f"atc was not found on {where}", cause or "there is no such command", advice, decisive=True)
