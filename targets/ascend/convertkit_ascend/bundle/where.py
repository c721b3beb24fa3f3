"""What a compiler is called in the key of a build: another release makes another model."""

from __future__ import annotations

import os
import re
from pathlib import Path

from convertkit_ascend.atc import Compiler, Local
from convertkit_ascend.atc.setup import text_of

INFO = "*-linux/ascend_toolkit_install.info"
"""Where an installation says its version, in a line ``version=8.1.RC1`` (public issue templates of vllm-ascend ask for
this file)."""


def identity(compiler: Compiler) -> str:
    """``local, CANN 8.1.RC1``, ``docker:IMAGE``, ``ssh:HOST``; without the version where it is not to be found."""
    if not isinstance(compiler, Local):
        return compiler.where
    release = _release()
    return f"local, CANN {release}" if release else "local"


def _release() -> str:
    for variable in ("ASCEND_TOOLKIT_HOME", "ASCEND_HOME_PATH"):
        home = os.environ.get(variable)
        for file in sorted(Path(home).glob(INFO)) if home else ():
            found = re.search(r"(?m)^version=(\S+)", text_of(file))
            if found:
                return found[1]
    return ""
