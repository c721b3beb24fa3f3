"""Interpreters that are not ours: what they have, and the ones a user names instead of a managed environment."""

from __future__ import annotations

import functools
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from convertkit.children.process import run_child
from convertkit.errors import ProcessError, UnavailableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

VARIABLE = "CONVERTKIT_EXPORT_PYTHON"
"""Environment variable that names an interpreter to use instead of a managed environment."""

PROBE_SECONDS = 600.0
_LEAKING = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")


class Probed(msgspec.Struct, frozen=True):
    """What an interpreter has.

    ``versions`` are the installed ones of the distributions asked for, ``missing`` those not installed and modules
    not found, ``problems`` maps what is there but cannot be imported to the reason. ``include`` is where
    its C headers should be.
    """

    version: str
    implementation: str
    include: str
    versions: dict[str, str]
    missing: list[str]
    problems: dict[str, str]


def probe(
    python: Path, *, distributions: Sequence[str] = (), modules: Sequence[str] = (), log: Path | None = None
) -> Probed:
    """Ask an interpreter which distributions and modules it can import.

    Raises:
        UsageError: it cannot be run, or is no Python of version 3.7 or later.
    """
    job = msgspec.json.encode({"distributions": list(distributions), "modules": list(modules)}).decode()
    script = Path(__file__).with_name("probe.py")
    try:
        done = run_child(
            [python, script, job],
            env=child_variables(python),
            timeout=PROBE_SECONDS,
            log=log,
            name=str(python),
        )
        return msgspec.json.decode(done.stdout.strip().rpartition("\n")[2], type=Probed)
    except (ProcessError, msgspec.DecodeError) as error:
        raise UsageError(
            f"{python}: not a usable Python interpreter: {error}", hint="name one of version 3.7 or later"
        ) from error


@functools.lru_cache(maxsize=8)
def installed(python: Path, distributions: tuple[str, ...]) -> dict[str, str]:
    """Versions by metadata alone: importing torch to learn its version would take seconds on every build."""
    code = (
        "import importlib, json, sys\n"
        "m = importlib.import_module('importlib' + '_.'[sys.version_info >= (3, 8)] + 'metadata')\n"
        "have = {d.metadata['Name'].lower(): d.version for d in m.distributions()}\n"
        "print(json.dumps({n: have.get(n.lower(), '-') for n in sys.argv[1:]}))"
    )
    done = run_child([python, "-I", "-c", code, *distributions], timeout=60.0)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def child_variables(python: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return our environment variables made fit for another interpreter, with ``extra`` on top.

    What would lead it to our modules is dropped; its own directory comes first on PATH, so that it finds its own
    tools (ninja).
    """
    variables = {name: value for name, value in os.environ.items() if name not in _LEAKING}
    variables["PATH"] = os.pathsep.join([str(python.parent), variables.get("PATH", os.defpath)])
    return {**variables, **(extra or {})}


@dataclass(frozen=True)
class ExternalPython:
    """An interpreter the user names: it is probed, never changed.

    Args:
        path: an interpreter, a virtual environment's directory, or a command on PATH.
        distributions: what must be installed in it, by distribution name.
        modules: what else must be importable, by module name.
    """

    path: str | Path
    distributions: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()

    @property
    def python(self) -> Path:
        """The interpreter's path; links are kept, as a virtual environment is one.

        Raises:
            UsageError: there is no such file.
        """
        path = Path(self.path).expanduser()
        if "/" in str(self.path):
            path = path.absolute()  # a bare name is looked up on PATH first
        found = shutil.which(str(path)) or shutil.which(str(path.absolute() / "bin" / "python"))
        if found is None:
            raise UsageError(f"{self.path}: no such interpreter", hint="name the path of a python executable")
        return Path(found).absolute()

    def probe(self) -> Probed:
        """Ask the interpreter what it has.

        Raises:
            UsageError: it is no usable interpreter.
        """
        return probe(self.python, distributions=self.distributions, modules=self.modules)

    def ensure(
        self, on_progress: Callable[..., None] | None = None, on_wait: Callable[[str], None] | None = None
    ) -> Path:
        """Return the interpreter after checking that it has everything; nothing is installed.

        Raises:
            UsageError: it is no usable interpreter.
            UnavailableError: something is missing or cannot be imported; the message lists all of it.
        """
        found = self.probe()
        troubles = [f"{name} (not installed)" for name in found.missing]
        troubles += [f"{name} ({reason})" for name, reason in found.problems.items()]
        if troubles:
            raise UnavailableError(
                f"{self.python} (Python {found.version}) cannot export: {', '.join(troubles)}",
                hint=f"install what is missing, or unset {VARIABLE} to let convertkit build an environment",
            )
        return self.python
