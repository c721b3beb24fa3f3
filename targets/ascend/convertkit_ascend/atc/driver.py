"""Run ATC on a model: a whole ``.om`` under its name, or nothing there and a reproducer elsewhere."""

from __future__ import annotations

import codecs
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from convertkit.api import errors, system, targets
from convertkit_ascend import reproducer
from convertkit_ascend.atc import endings, kept, outcome
from convertkit_ascend.atc.command import command, config_files, display
from convertkit_ascend.atc.errors import Ending, Explanation, explain, find, render
from convertkit_ascend.atc.location import OUT, Compiler, Job
from convertkit_ascend.atc.options import AtcOptions
from convertkit_ascend.atc.phases import Status, phase_of
from convertkit_ascend.atc.setup import FIND_ATC

TIMEOUT = 6 * 3600.0
"""Seconds. No compile time of Mask R-CNN is published, only complaints of hours (ascend-facts: atc-duration)."""

SETTINGS = {"ASCEND_SLOG_PRINT_TO_STDOUT": "1"}
"""Without it the log of an error goes to a file in the home directory (ascend-facts: atc-logs)."""

_SAFE = re.compile(r"[A-Za-z0-9_.\-]+")
_COLOUR = re.compile(rb"\x1b\[[\d;?]*[A-Za-z]")
PLOG_BYTES, LOG_BYTES = 4 << 20, 64 << 20
"""What is read of one log file in the home directory, from its end."""


@dataclass(frozen=True)
class Compiled:
    """A finished compilation: the model, how it was made, and what ATC warned of.

    ``kept`` is what became of the nodes that were to stay in fp32, ``unknown`` why that could not be looked up.
    """

    path: Path
    seconds: float
    command: tuple[str, ...]
    where: str
    warnings: tuple[str, ...]
    log: str
    kept: tuple[kept.Kept, ...] = ()
    unknown: str = ""


class AtcError(errors.ProcessError):
    """ATC failed. ``details`` is the one screen to show, ``reproducer`` the directory to repeat it
    from (None where the disk took none).
    """

    def __init__(self, explanation: Explanation, directory: Path | None, screen: str) -> None:
        super().__init__(f"atc: {explanation.line}", hint=explanation.fix)
        self.explanation, self.reproducer, self.details = explanation, directory, screen


@dataclass
class _Run:
    """One run while it lasts."""

    on_status: Callable[[Status], None] | None
    phase: str = "starting"
    line: str = ""
    started: float = field(default_factory=time.monotonic)

    def on_line(self, line: str) -> None:
        self.line = line.strip() or self.line
        phase = phase_of(line)
        if phase is not None and phase != self.phase:
            self.phase = phase
            self.on_tick(self.seconds)

    def on_tick(self, seconds: float) -> None:
        if self.on_status is not None:
            self.on_status(Status(self.phase, seconds, self.line))

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started


def compile_with_atc(
    model: Path,
    options: AtcOptions,
    destination: Path,
    *,
    compiler: Compiler,
    beside: Sequence[Path] = (),
    settings: Mapping[str, str] | None = None,
    timeout: float | None = TIMEOUT,
    origins: Mapping[str, str] | None = None,
    on_status: Callable[[Status], None] | None = None,
    failures: Path | None = None,
) -> Compiled:
    """Compile an ONNX file.

    Args:
        model: the ONNX file. ``beside``: further files it refers to (external data), looked for in the same directory.
        destination: the ``.om`` to make, replaced in one step. With ``external_weight`` the directory ``weight``
            comes to stand beside it.
        compiler: where ATC is, from :func:`convertkit_ascend.atc.location.open_compiler`.
        settings: environment variables for ATC, over those of :data:`SETTINGS`.
        timeout: seconds; None for no limit.
        origins: node name -> where it came from, for the explanation of an error.
        on_status: told of every phase, and once a second.
        failures: directory for reproducers; ``failures`` in convertkit's home when None.

    Raises:
        AtcError: ATC failed, was killed, ran too long, or left no whole model. A reproducer is left.
        UsageError: there is no such model, or the destination is not named ``.om``.
    """
    if not model.is_file():
        raise targets.UsageError(f"{model}: no such file")
    if destination.suffix != ".om":
        raise targets.UsageError(f"{destination}: an offline model is named .om")
    settings = {**SETTINGS, **(settings or {})}
    with system.scratch_directory(destination) as work:
        stem = destination.stem if _SAFE.fullmatch(destination.stem) else "model"
        name = model.name if _SAFE.fullmatch(model.name) else "model.onnx"
        _fill(work, {name: model, **{file.name: file for file in beside}}, config_files(options))
        argv = command(options, name, f"{OUT}/{stem}")
        log = work / "log.txt"
        run = _Run(on_status)
        since = time.time()
        job = Job(work, tuple(argv[1:]), settings, timeout, log, run.on_line, run.on_tick)
        ending = _outcome(compiler, job, stem)
        text = _end(log, LOG_BYTES)
        if isinstance(ending, Ending):
            logs = {"plog.txt": plogs(since)} if compiler.logs_here else {}
            raise _failed(
                ending, text, logs, argv, job, stem, origins, failures or system.home() / "failures"
            )
        found, unknown = _kept(kept.names_of(options.keep_dtype), ending, compiler, job)
        _publish(ending, destination)
        warnings = tuple(f"{error.code} {error.text}" for error in find(text) if error.code.startswith("W"))
        return Compiled(destination, run.seconds, tuple(argv), compiler.where, warnings, text, found, unknown)


def plogs(since: float) -> str:
    """What ATC logged under $HOME after ``since`` (seconds of the epoch), newest last (ascend-facts: atc-logs)."""
    root = Path.home() / "ascend" / "log"
    known = ((path, _changed(path)) for path in root.glob("*/plog/plog-*.log"))
    fresh = sorted((changed, path) for path, changed in known if changed >= since)
    return "".join(_end(path, PLOG_BYTES) for _, path in fresh)


def _fill(work: Path, files: Mapping[str, Path], texts: Mapping[str, str]) -> None:
    (work / OUT).mkdir()
    for name, source in files.items():
        try:
            os.link(source.resolve(), work / name)  # not a symbolic link: ATC refuses those (E13026)
        except OSError:
            shutil.copyfile(source, work / name)
    for name, text in texts.items():
        (work / name).write_text(text, encoding="utf-8")


def _outcome(compiler: Compiler, job: Job, stem: str) -> Path | Ending:
    """The whole model, or how the run ended instead."""
    try:
        compiler.run(job)
    except system.ChildError as error:
        return endings.of_failure(error, compiler.where, _end(job.log, LOG_BYTES))
    found = outcome.find_om(job.work / OUT, stem)
    if len(found) != 1:
        return endings.without_model(found, f"{stem}.om")
    defect = outcome.defect(found[0])
    return endings.of_defect(found[0], defect) if defect else found[0]


def _kept(
    nodes: Sequence[str], model: Path, compiler: Compiler, job: Job
) -> tuple[tuple[kept.Kept, ...], str]:
    """What became of nodes that were to be kept, or why that is not known: the model is whole either way."""
    if not nodes:
        return (), ""
    said = f"--mode=1 --om={OUT}/{model.name} --json={OUT}/{kept.GRAPH}"
    log = job.work / "graph.txt"
    try:
        compiler.run(Job(job.work, tuple(said.split()), job.settings, job.timeout, log))
        places = (job.work / OUT / kept.FUSIONS, job.work / kept.FUSIONS)
        fusions = next((place for place in places if place.is_file()), places[0])
        return kept.look_up(nodes, job.work / OUT / kept.GRAPH, fusions), ""
    except (system.ChildError, targets.UsageError) as error:
        return (), f"atc {said} failed: {error.message}"


def _publish(model: Path, destination: Path) -> None:
    """Move the model, and what it needs, to where it belongs; the model last, so that it is there only when all is."""
    weights = model.parent / "weight"
    if weights.is_dir():
        shutil.rmtree(destination.parent / "weight", ignore_errors=True)
        weights.rename(destination.parent / "weight")
    with model.open("r+b") as stream:
        os.fsync(stream.fileno())
    model.replace(destination)


def _failed(
    ending: Ending,
    text: str,
    logs: Mapping[str, str],
    argv: Sequence[str],
    job: Job,
    name: str,
    origins: Mapping[str, str] | None,
    failures: Path,
) -> AtcError:
    explanation = explain("\n".join([text, *logs.values()]), ending, origins)
    texts = {"log.txt": text, **{name: log for name, log in logs.items() if log}}
    shown = f"{render(explanation)}\n\n{display(argv)}\n"
    try:
        directory = reproducer.leave(
            failures,
            name,
            kind="atc",
            work=job.work,
            script=reproducer.script(argv, job.settings, before=f"{FIND_ATC}mkdir -p {OUT}\n"),
            settings=job.settings,
            texts={**texts, "explanation.txt": shown},
        )
    except (OSError, errors.ConvertkitError) as error:  # a full disk must not hide why we are here
        return AtcError(explanation, None, render(explanation, {"repeat": f"no reproducer: {error}"}))
    screen = render(explanation, {"repeat": str(directory / "command.sh"), "log": str(directory / "log.txt")})
    return AtcError(explanation, directory, screen)


def _text(content: bytes) -> str:
    """The words of a log, without colours: in UTF-8, or a line in GBK, in which Chinese hosts still speak."""
    lines = _COLOUR.sub(b"", content).removeprefix(codecs.BOM_UTF8).split(b"\n")
    return "\n".join(map(_decoded, lines))


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("gb18030", errors="replace")


def _changed(path: Path) -> float:
    """When a log was written last; before all time for one that is gone again."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _end(path: Path, most: int) -> str:
    """The last bytes of a log as text: what cannot be read, or has no end, must not hide why ATC failed."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - most))
            return _text(stream.read(most))
    except OSError:
        return ""
