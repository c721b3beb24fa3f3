"""The managed export environment: an isolated interpreter with the framework in it, built once.

    environment = Environment.of("maskrcnn", spec.export.environment, package_directory)
    python = environment.ensure(on_progress=show)

One environment per content: requirements, variables, Python version and platform decide its name. It lives in
``<home>/envs/<model>-<key>/`` as ``venv/``, ``state.json`` and ``build.log``. A build that is killed goes on after
its last finished step, and two at once wait for each other.
"""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import re
import shutil
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from convertkit.errors import UnavailableError, UsageError
from convertkit.exporting.build import Builder, Progress, step_names
from convertkit.exporting.interpreter import VARIABLE, ExternalPython, probe
from convertkit.exporting.inventory import environments_directory
from convertkit.exporting.requirements import Requirements, read_requirements
from convertkit.exporting.state import FORMAT, State, interpreter_of, load_state, lock_of
from convertkit.storage.files import FileLock, canonical_json, sha256_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from convertkit.models.spec import EnvironmentSpec


@dataclass(frozen=True)
class Environment:
    """A managed environment; making this object touches nothing.

    Args:
        name: the model package's name.
        requirements: what pip installs.
        variables: environment variables for pip (``MMCV_WITH_OPS=1``); they override the user's.
        base_python: the interpreter it is made from, by default the one we run in.
        modules: what the worker imports; checked in an interpreter the user names. When empty, the requirements
            themselves must be installed there.
        pythons: the versions it can be made from; any when empty.
    """

    name: str
    requirements: Requirements
    variables: Mapping[str, str] = field(default_factory=dict)
    base_python: Path = Path(sys.executable)
    modules: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, name: str, spec: EnvironmentSpec, package: Path, *, base_python: Path | None = None
    ) -> Environment:
        """The environment a model package asks for; ``package`` is the directory of its ``model.yaml``.

        Raises:
            SpecError: the requirements file is missing or cannot be understood.
        """
        requirements = read_requirements(package / spec.requirements)
        base = base_python or _suitable(spec.python)
        return cls(name, requirements, dict(spec.variables), base, spec.modules, spec.python)

    @functools.cached_property
    def key(self) -> str:
        """The sha256 of everything that decides the content, 64 hex digits."""
        parts = [
            FORMAT,
            self.requirements.lines,
            dict(self.variables),
            _base(self.base_python)[0],
            sys.platform,
            platform.machine(),
        ]
        return sha256_bytes(canonical_json(parts))

    @property
    def directory(self) -> Path:
        """Where it is, or will be."""
        return environments_directory() / f"{self.name}-{self.key[:12]}"

    @property
    def python(self) -> Path:
        """Its interpreter; :meth:`ensure` makes it exist."""
        return interpreter_of(self.directory)

    def ensure(
        self,
        on_progress: Callable[[Progress], None] | None = None,
        on_wait: Callable[[str], None] | None = None,
    ) -> Path:
        """Return its interpreter, after building what is missing; at once where it is complete.

        Args:
            on_progress: called at the start of every step and with each line that says what it does.
            on_wait: called once with a phrase when another process is building it.

        Raises:
            ProcessError: a step failed; the message has its cause and the log's path.
            UnavailableError: it cannot be made from this Python, no package index answers, or a tool for compiling
                is missing.
        """
        if self.ready:
            return self.python
        with FileLock(lock_of(self.directory), on_wait=on_wait):
            if not self.ready:
                self._build(on_progress)
        return self.python

    @property
    def ready(self) -> bool:
        """Whether nothing of it is missing."""
        state = self._state()
        return state is not None and state.complete and self.python.exists()

    def _state(self) -> State | None:
        state = load_state(self.directory)
        return state if state is not None and state.key == self.key else None

    def _build(self, on_progress: Callable[[Progress], None] | None) -> None:
        if sys.platform == "win32":
            raise UnavailableError(
                f"the export environment of {self.name} cannot be built on Windows",
                hint=f"name an interpreter that has everything with {VARIABLE}, or export on Linux",
            )
        version, include = _base(self.base_python)
        if self.pythons and version.partition("-")[2] not in self.pythons:
            wanted = " or ".join(self.pythons)
            raise UnavailableError(
                f"the export environment of {self.name} needs Python {wanted}, and {self.base_python} is {version}",
                hint=f"install it (pyenv install {self.pythons[-1]}), or name one that has everything with --python",
            )
        fresh = State(
            format=FORMAT,
            model=self.name,
            key=self.key,
            python=version,
            requirements=self.requirements.lines,
            variables=dict(self.variables),
            total=len(step_names(self.requirements)),
        )
        builder = Builder(
            self.directory,
            self.requirements,
            self.variables,
            self.base_python,
            include,
            self._state() or fresh,
            on_progress,
        )
        builder.run()


def choose(environment: Environment, named: str | Path | None = None) -> Environment | ExternalPython:
    """Return the interpreter to export with: the one ``named``, else ``CONVERTKIT_EXPORT_PYTHON``, else ours.

    Both have ``python`` and ``ensure()``.
    """
    named = named or os.environ.get(VARIABLE)
    if named is None or named == "":
        return environment
    if environment.modules:
        return ExternalPython(named, modules=environment.modules)
    return ExternalPython(named, environment.requirements.at_run_time)


def _suitable(versions: tuple[str, ...]) -> Path:
    """The interpreter we run in where its version will do, else one on PATH or of pyenv whose does, else ours."""
    ours = Path(sys.executable)
    names = [] if not versions or _base(ours)[0].partition("-")[2] in versions else reversed(versions)
    for found in (place for version in names for place in _places(version)):
        with contextlib.suppress(UsageError):  # a shim of pyenv may stand for no interpreter
            _base(found)
            return found
    return ours


def _places(version: str) -> Iterator[Path]:
    """Where an interpreter of this version may be: on PATH, then among those of pyenv, the newest first."""
    on_path = shutil.which(f"python{version}")
    if on_path is not None:
        yield Path(on_path)
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = root.glob(f"versions/{version}.*/bin/python{version}")
    yield from sorted(
        found, key=lambda place: [int(part) for part in re.findall(r"\d+", place.parts[-3])], reverse=True
    )


@functools.cache
def _base(python: Path) -> tuple[str, Path]:
    """Return what decides binary compatibility ("cpython-3.11") and where the headers of ``python`` should be.

    Raises:
        UsageError: it is no usable interpreter.
    """
    if python == Path(sys.executable):
        version, implementation = platform.python_version(), sys.implementation.name
        include = sysconfig.get_path("include")
    else:
        found = probe(python)
        version, implementation, include = found.version, found.implementation, found.include
    return f"{implementation}-{version.rpartition('.')[0]}", Path(include)
