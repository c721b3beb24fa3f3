"""What is left of a failed compilation: everything to repeat it, nothing that is secret."""

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

import convertkit
from convertkit_ascend.atc.setup import FIND_ATC

KEPT = 5
"""Reproducers that stay in a directory; older ones go when a new one comes."""

_TELLING = re.compile(
    r"(ASCEND|TE|DUMP|NPU|GE|TBE|OPP)_\w+|(PATH|PYTHONPATH|PYTHONHOME|LD_LIBRARY_PATH|LD_PRELOAD|LANG|LC_ALL|TMPDIR)"
    r"|MAX_COMPILE_CORE_NUMBER|OMP_NUM_THREADS"
)
_SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|KEY", re.IGNORECASE)


def telling_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that ATC and its helpers look at; anything that may be a secret is left out."""
    return {
        name: value
        for name, value in sorted(environment.items())
        if _TELLING.fullmatch(name) and not _SECRET.search(name)
    }


def script(argv: Iterable[str], settings: Mapping[str, str]) -> str:
    """A POSIX shell script that runs the command in the directory it lies in."""
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(settings.items()))
    command = " \\\n    ".join(shlex.quote(word) for word in argv)
    return f'#!/bin/sh\ncd "$(dirname "$0")" || exit 1\n{exports}{FIND_ATC}mkdir -p out\nexec {command}\n'


def leave(
    directory: Path,
    name: str,
    *,
    work: Path,
    argv: Iterable[str],
    settings: Mapping[str, str],
    texts: Mapping[str, str],
) -> Path:
    """Make a reproducer under ``directory``; return its path.

    Args:
        work: its files (not its directories) are copied.
        texts: further files, such as the log and the explanation, by name.
    """
    directory.mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    path = directory / f"atc-{name}-{stamp}-{secrets.token_hex(2)}"
    with convertkit.atomic_directory(path) as filling:
        for file in sorted(work.iterdir()):
            if file.is_file():
                shutil.copyfile(file, filling / file.name)
        (filling / "command.sh").write_text(script(argv, settings))
        (filling / "command.sh").chmod(0o755)
        environment = telling_environment({**os.environ, **settings})
        (filling / "environment.json").write_text(json.dumps(environment, indent=1) + "\n")
        for file_name, text in texts.items():
            (filling / file_name).write_text(text)
    _prune(directory)
    return path


def _prune(directory: Path) -> None:
    known = sorted(directory.glob("atc-*-*-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in known[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
