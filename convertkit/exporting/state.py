"""The record of an environment's build: what it is made of and which steps are done."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from convertkit.storage.files import FileLock, atomic_write
from convertkit.storage.reading import own_file

FORMAT = 1

Phase = Literal["absent", "partial", "building", "complete"]


class StepRecord(msgspec.Struct, frozen=True):
    """A finished step: a requirement, or what convertkit does around them; its duration in seconds."""

    what: str
    seconds: float


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The content of ``state.json``: what decides the environment, and how far it is."""

    format: int
    model: str
    key: str
    python: str
    requirements: tuple[str, ...]
    variables: dict[str, str]
    total: int
    done: tuple[StepRecord, ...] = ()
    complete: bool = False
    versions: dict[str, str] = {}

    def finished(self, what: str) -> bool:
        """Whether the step called ``what`` is done."""
        return any(step.what == what for step in self.done)


class Status(msgspec.Struct, frozen=True):
    """How an environment stands: ``done`` of ``total`` steps; ``detail`` says who builds it now."""

    name: str
    directory: Path
    phase: Phase
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    versions: dict[str, str] = {}
    detail: str = ""

    @property
    def python(self) -> Path:
        """The environment's interpreter, usable when ``phase`` is ``complete``."""
        return interpreter_of(self.directory)


def interpreter_of(directory: Path) -> Path:
    """Return where the interpreter of the environment in ``directory`` is or will be."""
    return directory / "venv" / "bin" / "python"


def lock_of(directory: Path) -> Path:
    """Return the lock file of the environment in ``directory``; it stands beside it."""
    return directory.with_name(f"{directory.name}.lock")


def load_state(directory: Path) -> State | None:
    """Read ``state.json``; None where there is none, or none that can be understood."""
    try:
        state = msgspec.json.decode(own_file(directory / "state.json") or b"", type=State)
    except (UnicodeDecodeError, msgspec.DecodeError):
        return None
    return state if state.format == FORMAT else None


def save_state(directory: Path, state: State) -> None:
    """Write ``state.json`` atomically."""
    atomic_write(directory / "state.json", msgspec.json.format(msgspec.json.encode(state), indent=2))


def status_of(directory: Path) -> Status:
    """Look at the environment in ``directory``, which need not exist."""
    state = load_state(directory)
    holder = FileLock.holder(lock_of(directory))
    phase: Phase = "partial" if directory.is_dir() else "absent"
    if holder is not None:
        phase = "building"
    elif state is not None and state.complete and interpreter_of(directory).exists():
        phase = "complete"
    if state is None:
        return Status(directory.name, directory, phase, detail=holder or "")
    return Status(
        directory.name,
        directory,
        phase,
        done=len(state.done),
        total=state.total,
        seconds=sum(step.seconds for step in state.done),
        versions=state.versions,
        detail=holder or "",
    )
