"""Where the compiler is: on this machine, in a container, or on another host.

All three run the same command with the same relative paths in a directory that holds the model; what ATC leaves in its
subdirectory ``out`` is there afterwards. However a run ends, nothing of it goes on running.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from convertkit.api import errors, system, targets
from convertkit_ascend.atc.setup import FIND_ATC, INSTALLATIONS, RUN_ATC, is_file

KINDS = ("auto", "local", "docker:IMAGE", "ssh:HOST", "none")
OUT = "out"
"""Subdirectory of the working directory for what ATC leaves."""

UNREACHED = 255
"""The exit code of ssh for what is its own failure."""

CHORE_SECONDS = 600.0
"""Limit of copying and cleaning up, each."""


@dataclass(frozen=True)
class Job:
    """One run of ATC.

    Attributes:
        work: directory with the model and its files, and an empty subdirectory ``out``.
        arguments: of ATC; paths relative to ``work``.
        settings: environment variables to set.
        timeout: seconds; None for no limit.
        log: file that receives what is printed.
        on_line, on_tick: as :func:`convertkit.run_child` has them.
    """

    work: Path
    arguments: tuple[str, ...]
    settings: Mapping[str, str]
    timeout: float | None
    log: Path
    on_line: Callable[[str], None] | None = None
    on_tick: Callable[[float], None] | None = None


class Compiler(Protocol):
    """Something that runs ATC.

    Attributes:
        where: it runs, in a few words.
        logs_here: whether what it logs of itself lies in our home directory.
    """

    logs_here: ClassVar[bool]

    @property
    def where(self) -> str: ...

    def run(self, job: Job) -> None:
        """Run ATC to its end.

        Raises:
            ChildError: it, or what was to bring it there, failed.
        """
        ...


@dataclass(frozen=True)
class Local:
    """ATC on this machine, on PATH or in an installation whose set_env.sh is in its usual place."""

    logs_here: ClassVar[bool] = True

    @property
    def where(self) -> str:
        return "this machine"

    def run(self, job: Job) -> None:
        _run(
            ["sh", "-c", RUN_ATC, "atc", *job.arguments],
            job,
            env={**os.environ, **job.settings},
            cwd=job.work,
        )


@dataclass(frozen=True)
class Docker:
    """ATC in a container, which sees nothing but the working directory and has no network."""

    logs_here: ClassVar[bool] = False

    image: str

    @property
    def where(self) -> str:
        return f"docker:{self.image}"

    def run(self, job: Job) -> None:
        name = f"convertkit-atc-{secrets.token_hex(6)}"
        settings = [word for item in job.settings.items() for word in ("--env", "=".join(item))]
        # Whoever kills us outright kills the client only; the container then still ends by its own limit.
        limit = ["timeout", "-s", "KILL", f"{job.timeout + 60:.0f}"] if job.timeout is not None else []
        argv = ["docker", "run", "--rm", "--init", f"--name={name}", "--network=none"]
        if sys.platform != "win32":  # there the files of a container are the user's
            argv += [f"--user={os.getuid()}:{os.getgid()}"]
        argv += ["--env", "HOME=/tmp", *settings]
        argv += ["--volume", f"{job.work.absolute()}:/work", "--workdir=/work", self.image]
        argv += [*limit, "sh", "-c", RUN_ATC, "atc", *job.arguments]
        try:
            _run(argv, job)
        except BaseException:
            _quietly(["docker", "rm", "--force", name])
            raise


@dataclass(frozen=True)
class Ssh:
    """ATC on another host, reached without questions: keys and host key must be in place."""

    logs_here: ClassVar[bool] = False

    host: str

    @property
    def where(self) -> str:
        return f"ssh:{self.host}"

    def run(self, job: Job) -> None:
        ssh = ["ssh", "-o", "BatchMode=yes", self.host]
        made = system.run_child([*ssh, "mktemp -d /tmp/convertkit-atc.XXXXXX"], timeout=CHORE_SECONDS)
        there = _made(made.stdout, self.where)
        quoted = shlex.quote(there)
        try:
            (job.work / "run.sh").write_text(_remote_script(job))
            self._copy(f"{job.work}/.", f"{self.host}:{there}")
            _run([*ssh, f"cd {quoted} && exec sh run.sh"], job)
            self._copy(f"{self.host}:{there}/{OUT}", str(job.work))
        finally:
            # The group's leader wrote its number down; whoever of the group is left goes with it.
            end = f"cd {quoted} && if [ -s pid ]; then kill -KILL -- -$(cat pid); fi; rm -rf {quoted}"
            _quietly([*ssh, end])

    def _copy(self, source: str, target: str) -> None:
        system.run_child(["scp", "-q", "-r", "-o", "BatchMode=yes", source, target], timeout=CHORE_SECONDS)


def open_compiler(text: str) -> Compiler | None:
    """The compiler that ``text`` names; None for ``none``, and for ``auto`` where this machine has none.

    Raises:
        UsageError: ``text`` is none of :data:`KINDS`.
        UnavailableError: this machine has no ATC, docker or ssh.
    """
    kind, _, rest = text.partition(":")
    if text == "none" or (text == "auto" and not has_local()):
        return None
    if text in ("auto", "local"):
        if not has_local():
            hint = "install CANN and source its set_env.sh, or use docker:IMAGE, ssh:HOST or none"
            raise targets.UnavailableError("there is no atc on this machine", hint=hint)
        return Local()
    if kind not in ("docker", "ssh") or not rest or rest.startswith("-"):
        raise targets.UsageError(f"compiler {text!r} is unknown", hint=errors.suggestion(text, KINDS))
    if shutil.which(kind) is None:
        raise targets.UnavailableError(f"compiler {text}: there is no {kind} on this machine")
    return Docker(rest) if kind == "docker" else Ssh(rest)


def has_local() -> bool:
    """Whether :class:`Local` would find ATC."""
    named = (os.environ.get("ASCEND_TOOLKIT_HOME", ""), os.environ.get("ASCEND_HOME_PATH", ""))
    places = [Path(os.path.expandvars(place)) for place in (*named, *INSTALLATIONS) if place]
    return shutil.which("atc") is not None or any(is_file(place / "set_env.sh") for place in places)


def _run(argv: list[str], job: Job, *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
    system.run_child(
        argv,
        env=env,
        cwd=cwd,
        timeout=job.timeout,
        log=job.log,
        on_line=job.on_line,
        on_tick=job.on_tick,
        name="atc",
    )


def _made(said: str, where: str) -> str:
    """The directory that mktemp names, whatever the login scripts of the host print around it. It is removed later."""
    found = re.findall(r"(?m)^/tmp/convertkit-atc\.\w{6}$", said)
    if not found:
        line = f"mktemp named no directory there, but {said.strip()[-100:]!r}"
        raise system.ChildError("ssh", "failed", last_line=line, returncode=UNREACHED)
    return str(found[-1])


def _quietly(argv: list[str]) -> None:
    """Clean up; what cannot be cleaned up must not hide why we are here."""
    with contextlib.suppress(errors.ProcessError):
        system.run_child(argv, timeout=CHORE_SECONDS)


def _remote_script(job: Job) -> str:
    """Runs ATC as the leader of a group of its own, which can be ended by its number when the connection is gone."""
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in job.settings.items())
    limit = f"timeout -s KILL {job.timeout + 60:.0f} " if job.timeout is not None else ""
    words = " ".join(shlex.quote(word) for word in job.arguments)
    return (
        f"{exports}{FIND_ATC}"
        f"setsid sh -c 'echo $$ >pid; exec \"$@\"' sh {limit}atc {words} &\n"
        "wait $!\n"
        "code=$?\n"
        f"rm -f pid\n[ ! -f fusion_result.json ] || mv fusion_result.json {OUT}\n"
        "exit $code\n"
    )
