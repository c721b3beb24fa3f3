"""What this machine has, what is missing, and how to get it: what can be said without building anything."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from convertkit.api.commands.pages import Block, Shown, Table
from convertkit.api.commands.places import Place
from convertkit.children.child import SUPERVISES
from convertkit.children.process import usable_processors
from convertkit.conversion.events import Report, Said, silent
from convertkit.errors import ConvertkitError, PluginError, UsageError
from convertkit.exporting.interpreter import VARIABLE
from convertkit.exporting.inventory import list_environments
from convertkit.exporting.toolchain import compiler
from convertkit.plugins.diagnosis import Diagnosis
from convertkit.reports.versions import Versions, versions
from convertkit.storage.files import home

ENVIRONMENT_GIGABYTES = 6
"""Disk an export environment takes while it is built (torch, sources and objects of mmcv-full)."""


class Examined(Shown, tuple[Diagnosis, ...]):
    """Everything that was looked at."""

    def page(self) -> Iterator[Block]:
        yield Table(["", "what", "found", "advice"], [[f.state, f.what, f.found, f.advice] for f in self])

    def require(self) -> None:
        """Raises ConvertkitError where anything is amiss."""
        if missing := next((finding for finding in self if finding.state == "missing"), None):
            error = ConvertkitError(f"{missing.what}: {missing.found}", hint=missing.advice)
            error.exit_code = 1
            raise error


def doctor(*, bundle: Path | None = None, plugin: Sequence[Place] = (), report: Report = silent) -> Examined:
    """Looks at this machine.

    Args:
        bundle: a ``.zip`` in which it is packed, with versions, settings and the texts of the last failures.
        plugin: plugins in single files, which look too.

    Raises:
        PluginError: a plugin cannot be loaded. UsageError: the bundle is no zip file.
    """
    found = Examined(examine(map(Path, plugin)))
    if bundle is not None:
        _pack(bundle, found, report)
    return found


def examine(files: Iterable[Path] = ()) -> list[Diagnosis]:
    """Everything the doctor looks at, in the order of a build; what plugins look at comes last.

    Args:
        files: plugins in single files.

    Raises:
        PluginError: one of them cannot be loaded.
    """
    return [*_core(), *_cache(), *_export(), *_plugins(files)]


def installed() -> Versions:
    """Which versions are at work here."""
    return versions()


def _pack(path: Path, findings: Sequence[Diagnosis], report: Report) -> None:
    from convertkit.reports.packing import pack

    if path.suffix.lower() != ".zip":
        raise UsageError(f"--bundle {path}: a zip file is written", hint=f"say {path.name}.zip")
    packed = pack(path, findings)
    report(Said(f"wrote {path} ({len(packed.files)} files); look through it before you send it"))
    for name, why in packed.left_out.items():
        report(Said(f"left out: {name}: {why}"))


def _plugins(files: Iterable[Path]) -> list[Diagnosis]:
    from convertkit.plugins.loading import open_plugins

    try:
        plugins = open_plugins()
    except PluginError as error:
        advice = error.hint or "reinstall or remove the plugin"
        return [Diagnosis("missing", "plugins", error.message, advice)]
    for file in files:
        plugins.load_file(file)
    return plugins.examine()


def _core() -> list[Diagnosis]:
    here = versions()
    tools = ", ".join(f"{name} {number}" for name, number in here.tools.items() if number != "-")
    unsupervised = Diagnosis(
        "note",
        "child processes",
        "plain ones: the guard, the supervisor and the limits of memory need Linux",
        "take files of strangers on Linux only; here a time limit ends a child, and not all that this has started",
    )
    return [
        Diagnosis("ok", "convertkit", here.convertkit),
        Diagnosis("ok", "Python", f"{here.python} at {sys.executable}"),
        Diagnosis("ok", "tools", tools),
        Diagnosis("ok", "processors", f"{usable_processors()} of {os.cpu_count()} usable"),
        *([] if SUPERVISES else [unsupervised]),
    ]


def _cache() -> list[Diagnosis]:
    directory = home()
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    free = shutil.disk_usage(existing).free / 1e9
    if not os.access(existing, os.W_OK):
        advice = "set CONVERTKIT_HOME to a directory you may write to"
        return [Diagnosis("missing", "cache", f"{directory} cannot be written", advice)]
    state: Literal["ok", "note"] = "ok" if free > ENVIRONMENT_GIGABYTES else "note"
    advice = (
        ""
        if state == "ok"
        else f"an export environment needs about {ENVIRONMENT_GIGABYTES} GB while it is built"
    )
    return [Diagnosis(state, "cache", f"{directory}, {free:.0f} GB free", advice)]


def _export() -> list[Diagnosis]:
    findings = []
    if named := os.environ.get(VARIABLE):
        findings.append(
            Diagnosis("note", "export interpreter", f"{named} ({VARIABLE})", "used for every export")
        )
    environments = list_environments()
    for status in environments:
        complete = status.phase == "complete"
        advice = "" if complete else "convertkit env build MODEL finishes it"
        findings.append(
            Diagnosis(
                "ok" if complete else "note", "export environment", f"{status.name}: {status.phase}", advice
            )
        )
    if not environments and not named:
        advice = "only needed to export a checkpoint: convertkit env build MODEL (about 15 minutes, once)"
        findings.append(Diagnosis("note", "export environment", "none", advice))
    if (found := compiler()) is None:
        findings.append(
            Diagnosis("missing", "C++ compiler", "none", "on Debian: apt install g++ python3-dev")
        )
    else:
        findings.append(Diagnosis("ok", "C++ compiler", found))
    return findings
