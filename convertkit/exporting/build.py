"""Building an export environment, step by step, each recorded as soon as it is done."""

from __future__ import annotations

import platform
import re
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from convertkit.children.child import KILLED
from convertkit.children.process import ChildError, run_child
from convertkit.errors import ProcessError, UnavailableError
from convertkit.exporting.failures import NOTHING_FITS, Cause, Watch
from convertkit.exporting.interpreter import child_variables, probe
from convertkit.exporting.requirements import Requirements
from convertkit.exporting.state import State, StepRecord, interpreter_of, save_state
from convertkit.exporting.toolchain import default_jobs, missing_tools

CREATE = "virtual environment"
TOOLS = "build tools"
VERIFY = "import everything"
STEP_SECONDS = 4 * 3600.0

_COMPILED = re.compile(r"^\[(\d+)/(\d+)\] ")
_TELLING = re.compile(
    r"^\s*(Collecting|Processing|Downloading|Using cached|Preparing|Building|Installing|Successfully|Running)\b"
)


@dataclass(frozen=True)
class Progress:
    """Where a build stands: step ``step`` (from 1) of ``steps`` is ``what``, at it for ``seconds``.

    ``line`` is the latest of pip's lines that means something to a person ("compiled 7 of 73"), empty when the
    step begins.
    """

    step: int
    steps: int
    what: str
    seconds: float = 0.0
    line: str = ""


class NothingFitsError(UnavailableError):
    """The package index was reached, and has nothing for a requirement."""


def step_names(requirements: Requirements) -> tuple[str, ...]:
    """Return the steps in order: the virtual environment, the tools, each requirement, the check."""
    tools = (TOOLS,) if requirements.tools else ()
    return (CREATE, *tools, *requirements.packages, VERIFY)


def _free(place: str | Path) -> int:
    """Free space in MB; 0 where there is no such place."""
    return shutil.disk_usage(place).free // 1_000_000 if Path(place).is_dir() else 0


def telling(line: str) -> str:
    """Return what a line of verbose pip or ninja output means to a person; empty for most of them.

    >>> telling("[7/73] c++ -MMD -c modulated_deform_conv.cpp")
    'compiled 7 of 73'
    """
    if compiled := _COMPILED.match(line):
        return f"compiled {compiled[1]} of {compiled[2]}"
    return line.strip() if _TELLING.match(line) else ""


@dataclass
class Builder:
    """One build: it goes on where ``state`` says the last one stopped.

    Args:
        directory: the environment's, made when missing.
        requirements: what to install.
        variables: set for pip, above the user's own.
        base_python: the interpreter the virtual environment is made from.
        include: where the headers of ``base_python`` should be.
        state: how far an earlier build came.
        on_progress: told about every step's start and what it does meanwhile.
    """

    directory: Path
    requirements: Requirements
    variables: Mapping[str, str]
    base_python: Path
    include: Path
    state: State
    on_progress: Callable[[Progress], None] | None = None

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return interpreter_of(self.directory)

    @property
    def log(self) -> Path:
        """What every step printed."""
        return self.directory / "build.log"

    def run(self) -> State:
        """Do the steps that are not done, in order.

        Raises:
            ProcessError: a step failed, or what it installed cannot be imported.
            UnavailableError: no package index answers, or a tool for compiling is missing.
        """
        names = step_names(self.requirements)
        early = {CREATE, TOOLS} & set(names)
        if not all(map(self.state.finished, early)) or not self.python.exists():
            # A half-made virtual environment, or one whose pip was being replaced, is made anew: it takes seconds.
            self.state = msgspec.structs.replace(self.state, done=(), complete=False)
        self._tidy()
        for number, what in enumerate(names, 1):
            if not self.state.finished(what):
                self._step(Progress(number, len(names), what))
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._record(msgspec.structs.replace(self.state, complete=True))
        return self.state

    def _step(self, progress: Progress) -> None:
        started = time.monotonic()
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"== step {progress.step} of {progress.steps}: {progress.what}\n")
        self._tell(progress)

        def on_line(line: str) -> None:
            if text := telling(line):
                now = time.monotonic() - started
                self._tell(Progress(progress.step, progress.steps, progress.what, now, text))

        if progress.what == CREATE:
            self._create(on_line)
        elif progress.what == TOOLS:
            self._pip(("--upgrade", *self.requirements.tools), on_line)
        elif progress.what == VERIFY:
            self._verify()
        else:
            self._require_tools(progress.what)
            self._pip(("--verbose", "--no-build-isolation", progress.what), on_line)
        step = StepRecord(progress.what, round(time.monotonic() - started, 1))
        self._record(msgspec.structs.replace(self.state, done=(*self.state.done, step)))

    def _create(self, on_line: Callable[[str], None]) -> None:
        venv = self.directory / "venv"
        try:
            run_child(
                [self.base_python, "-m", "venv", "--clear", venv],
                env=child_variables(self.base_python),
                timeout=STEP_SECONDS,
                log=self.log,
                on_line=on_line,
                name="python -m venv",
            )
        except ChildError as error:
            if "ensurepip" not in self.log.read_text(errors="replace"):
                raise
            raise UnavailableError(
                f"{self.base_python} cannot make virtual environments: its module ensurepip is missing",
                hint="install it, on Debian and Ubuntu with: apt-get install python3-venv",
            ) from error

    def _pip(self, arguments: tuple[str, ...], on_line: Callable[[str], None]) -> None:
        watch = Watch()

        def take(line: str) -> None:
            watch.take(line)
            on_line(line)

        command = [str(self.python), "-m", "pip", "install", "--no-input", "--progress-bar", "off"]
        try:
            run_child(
                [*command, *self.requirements.options, *arguments],
                env=self._pip_variables(),
                timeout=STEP_SECONDS,
                log=self.log,
                on_line=take,
                name=f"pip install {arguments[-1]}",
            )
        except ChildError as error:
            if error.returncode == -KILLED:
                watch.take("SIGKILL")
            if watch.cause is None:
                raise
            raise self._explained(f"pip install {arguments[-1]}", watch.cause) from error

    def _explained(self, step: str, cause: Cause) -> UnavailableError:
        room = ", ".join(
            f"{place} has {_free(place)} MB" for place in (self._pip_variables()["TMPDIR"], self.directory)
        )
        version = self.state.python.replace("cpython-", "Python ") or "a Python of unknown version"
        python = f"this environment has {version} on {platform.machine()}"
        hint = cause.hint.format(room=room, python=python, home=self.directory)
        kind = NothingFitsError if cause is NOTHING_FITS else UnavailableError
        return kind(f"{step}: {cause.what}", hint=f"{hint}; log: {self.log}")

    def _require_tools(self, requirement: str) -> None:
        """Refuse before a long compile that cannot succeed; asked of pip only where something is missing."""
        missing = missing_tools(self.include)
        if not missing:
            return
        try:
            self._pip(("--dry-run", "--no-deps", "--only-binary", ":all:", requirement), lambda _: None)
        except NothingFitsError as error:
            raise UnavailableError(
                f"{requirement} has no wheel for this machine and {' and '.join(missing)} to compile it is missing",
                hint="on Debian and Ubuntu: apt-get install g++ python3-dev",
            ) from error

    def _verify(self) -> None:
        found = probe(self.python, distributions=self.requirements.distributions, log=self.log)
        troubles = [f"{name} is not installed" for name in found.missing]
        troubles += [f"{name} cannot be imported: {reason}" for name, reason in found.problems.items()]
        if troubles:
            remedy = f"convertkit env remove {self.directory.name}, then build it again; log: {self.log}"
            raise ProcessError(f"environment {self.directory.name}: {'; '.join(troubles)}", hint=remedy)
        self.state = msgspec.structs.replace(self.state, versions=found.versions)

    def _pip_variables(self) -> dict[str, str]:
        """The user's pip configuration holds; what would lead pip out of the environment does not."""
        variables = child_variables(
            self.python, {"PIP_USER": "0", "VIRTUAL_ENV": str(self.directory / "venv")}
        )
        variables.setdefault("MAX_JOBS", str(default_jobs()))
        if "TMPDIR" not in variables:
            self._temporary.mkdir(parents=True, exist_ok=True)
            variables["TMPDIR"] = str(self._temporary)
        if variables.get("PIP_RETRIES", "").strip() == "0":
            # Without one pip says of an index that is out of reach only that it is empty.
            variables["PIP_RETRIES"] = "1"
        return {**variables, **self.variables}

    @property
    def _temporary(self) -> Path:
        return self.directory / "tmp"

    def _tidy(self) -> None:
        """Remove what a killed pip left: its temporary files, and installed packages that are not whole.

        pip writes a package's RECORD last. Without it the package may lack files, yet pip would take it for
        installed.
        """
        shutil.rmtree(self._temporary, ignore_errors=True)
        for packages in (self.directory / "venv" / "lib").glob("python*/site-packages"):
            broken = [path for path in packages.glob("*.dist-info") if not (path / "RECORD").is_file()]
            for path in [*broken, *packages.glob("~*")]:
                shutil.rmtree(path, ignore_errors=True)

    def _record(self, state: State) -> None:
        self.state = state
        save_state(self.directory, state)

    def _tell(self, progress: Progress) -> None:
        if self.on_progress is not None:
            self.on_progress(progress)
