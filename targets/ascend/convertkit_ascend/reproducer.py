"""What is left of a compilation or a run that failed: everything to repeat it, nothing that is secret."""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from convertkit.api import system

KEPT = 5
"""Reproducers of a kind that stay in a directory; older ones go when a new one comes."""

_TELLING = re.compile(
    r"(ASCEND|TE|DUMP|NPU|GE|TBE|OPP)_\w+|(PATH|PYTHONPATH|PYTHONHOME|LD_LIBRARY_PATH|LD_PRELOAD|LANG|LC_ALL|TMPDIR)"
    r"|MAX_COMPILE_CORE_NUMBER|OMP_NUM_THREADS"
)
_SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|KEY", re.IGNORECASE)


def telling_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that CANN and its helpers look at; anything that may be a secret is left out."""
    return {
        name: value
        for name, value in sorted(environment.items())
        if _TELLING.fullmatch(name) and not _SECRET.search(name)
    }


def script(argv: Iterable[str], settings: Mapping[str, str], *, before: str) -> str:
    """A POSIX shell script that runs the command in the directory it lies in.

    Args:
        settings: environment variables to set.
        before: lines of shell to run first.
    """
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(settings.items()))
    command = " \\\n    ".join(shlex.quote(word) for word in argv)
    return f'#!/bin/sh\ncd "$(dirname "$0")" || exit 1\n{exports}{before}exec {command}\n'


def leave(
    directory: Path,
    name: str,
    *,
    kind: str,
    work: Path,
    script: str,
    settings: Mapping[str, str],
    texts: Mapping[str, str],
) -> Path:
    """Make a reproducer under ``directory``; return its path.

    Args:
        name: of what failed. kind: what it failed in, ``atc`` or ``acl``.
        work: its files (not its directories) are copied.
        script: of :func:`script`; becomes ``command.sh``.
        settings: environment variables that were set on top of ours.
        texts: further files, such as the log and the explanation, by name.
    """
    directory.mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    path = directory / f"{kind}-{name}-{stamp}-{secrets.token_hex(2)}"
    with system.atomic_directory(path) as filling:
        for file in sorted(work.iterdir()):
            if file.is_file():
                shutil.copyfile(file, filling / file.name)
        (filling / "command.sh").write_text(script, encoding="utf-8")
        (filling / "command.sh").chmod(0o755)
        environment = telling_environment({**os.environ, **settings})
        (filling / "environment.json").write_text(json.dumps(environment, indent=1) + "\n")
        for file_name, text in texts.items():
            (filling / file_name).write_text(text, encoding="utf-8")
    _prune(directory, kind)
    return path


def _prune(directory: Path, kind: str) -> None:
    known = sorted(directory.glob(f"{kind}-*-*-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in known[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
