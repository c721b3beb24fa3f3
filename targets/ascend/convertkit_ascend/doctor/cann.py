"""Where CANN is installed, and in which version.

The toolkit leaves ``<root>/<arch>-linux/ascend_toolkit_install.info`` (``version=8.1.RC1``), older ones
``<root>/version.cfg`` or ``<root>/<part>/version.info``. From 8.5 on the operators of a chip are a package of their
own, without which nothing compiles (ascend-facts: cann-releases); it leaves ``ascend_ops_install.info`` there.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from convertkit.api import targets
from convertkit_ascend.atc.setup import INSTALLATIONS, is_file, text_of

_OPS_APART = (8, 5)
"""The first release whose operators are a package of their own."""

_INFO = re.compile(r"^version\s*=\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_CFG = re.compile(r"^\w*(?:toolkit|compiler)_installed_version=\[[^:\]]*:([^\]]+)\]", re.MULTILINE)


@dataclass(frozen=True)
class Installation:
    """One CANN; ``version`` and ``ops`` (of the package of operators) are empty where no file says."""

    root: Path
    version: str
    ops: str

    @property
    def release(self) -> tuple[int, ...]:
        """``(8, 1)`` for 8.1.RC1; empty where the version is unknown."""
        found = re.match(r"(\d+)\.(\d+)", self.version)
        return (int(found[1]), int(found[2])) if found else ()


def find_installation() -> Installation | None:
    """The installation that would be used: that of the environment, else that in the usual places."""
    for root in _roots():
        if is_file(root / "set_env.sh") or is_file(root.parent / "set_env.sh") or _info(root, "toolkit"):
            return Installation(root, version_of(root), _version(_info(root, "ops")))
    return None


def version_of(root: Path) -> str:
    """The version of the toolkit at ``root``; empty where no file says."""
    if version := _version(_info(root, "toolkit")):
        return version
    for file in (root / "version.cfg", root / "latest" / "version.cfg"):
        if found := _CFG.search(text_of(file)):
            return found[1]
    parts = sorted([*root.glob("*/version.info"), *root.glob("latest/*/version.info")])
    return next((version for part in parts if (version := _version(text_of(part)))), "")


def examine(installation: Installation | None) -> list[targets.Diagnosis]:
    """The compiler and its operators."""
    on_path = shutil.which("atc")
    if installation is None:
        if on_path:
            advice = "its version is not known; source the set_env.sh of its CANN"
            return [targets.Diagnosis("note", "CANN", f"atc at {on_path}, no installation", advice)]
        advice = "only needed to compile for Ascend here: install the CANN toolkit, which needs no chip"
        return [targets.Diagnosis("note", "CANN", "none", advice)]
    found = f"{installation.version or 'of unknown version'} at {installation.root}"
    if on_path is None:
        advice = "convertkit finds atc there by itself; for a shell: . set_env.sh"
        return [
            targets.Diagnosis("ok", "CANN", f"{found}, atc not on PATH", advice),
            *_operators(installation),
        ]
    return [targets.Diagnosis("ok", "CANN", found), *_operators(installation)]


def _operators(installation: Installation) -> list[targets.Diagnosis]:
    if installation.ops and installation.ops != installation.version:
        found = f"{installation.ops}, the toolkit is {installation.version}"
        advice = "install both of one release: a mixture fails with E19999"
        return [targets.Diagnosis("missing", "CANN operators", found, advice)]
    if installation.ops:
        return [targets.Diagnosis("ok", "CANN operators", installation.ops)]
    if installation.release >= _OPS_APART:
        advice = f"install Ascend-cann-<chip>-ops {installation.version}, such as 310p: without it nothing compiles"
        return [targets.Diagnosis("missing", "CANN operators", "no package of operators", advice)]
    return []


def _roots() -> Iterable[Path]:
    named = (os.environ.get("ASCEND_TOOLKIT_HOME"), os.environ.get("ASCEND_HOME_PATH"))
    for place in (*named, *INSTALLATIONS):
        if place:
            yield Path(os.path.expandvars(place))


def _info(root: Path, package: str) -> str:
    """The file a package leaves; ``latest`` is a link to the release in use, older installations have it."""
    name = f"{platform.machine()}-linux/ascend_{package}_install.info"
    return text_of(root / name) or text_of(root / "latest" / name)


def _version(text: str) -> str:
    found = _INFO.search(text)
    return found[1] if found else ""
