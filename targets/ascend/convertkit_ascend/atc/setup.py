"""The lines of shell that find ATC on the machine they run on, whichever way they got there."""

from __future__ import annotations

from pathlib import Path

from convertkit.api import system, targets

INSTALLATIONS = (
    "/usr/local/Ascend/ascend-toolkit",
    "/usr/local/Ascend/cann",
    "$HOME/Ascend/ascend-toolkit",
    "$HOME/Ascend/cann",
)
"""Where set_env.sh is looked for (ascend-facts: cann-host), after ASCEND_TOOLKIT_HOME and ASCEND_HOME_PATH."""

NO_ATC = "no atc here"
INSTALL = "install CANN, or source its set_env.sh"

_PLACES = " ".join(f'"{place}"' for place in INSTALLATIONS)

FIND_ATC = f"""\
if ! command -v atc >/dev/null 2>&1; then
    for place in "${{ASCEND_TOOLKIT_HOME:-}}" "${{ASCEND_HOME_PATH:-}}" {_PLACES}; do
        if [ -n "$place" ] && [ -f "$place/set_env.sh" ]; then . "$place/set_env.sh"; break; fi
    done
fi
if ! command -v atc >/dev/null 2>&1; then
    echo "{NO_ATC}: {INSTALL}" >&2
    exit 127
fi
devlib="${{ASCEND_TOOLKIT_HOME:-${{ASCEND_HOME_PATH:-}}}}/$(uname -m)-linux/devlib"
if [ ! -e /dev/davinci_manager ] && [ -d "$devlib" ]; then
    LD_LIBRARY_PATH="${{LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}}$devlib"
    export LD_LIBRARY_PATH
fi
"""
"""POSIX sh. A host without a device needs the stubs in devlib (ascend-facts: cann-host)."""

RUN_ATC = FIND_ATC + 'exec atc "$@"\n'
"""As :data:`FIND_ATC`, then ATC with the script's arguments in place of the shell."""


def is_file(path: Path) -> bool:
    """Whether a file is there for us: not in a place that we may not look into, where Path.is_file would raise."""
    try:
        return path.is_file()
    except OSError:
        return False


def text_of(path: Path) -> str:
    """The text of a file of an installation; empty where it cannot be read: it stops nobody."""
    try:
        return system.read_file(path).decode(errors="replace")
    except targets.UsageError:
        return ""
