"""The chip, by way of a child process that owns the model, the device and Huawei's module.

Nothing that happens to the child happens to us: its death and its silence are errors of one line, with a directory
to see them again. Arrays cross in shared memory, everything else as JSON on a socket.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convertkit.api import errors, system, targets
from convertkit_ascend import reproducer
from convertkit_ascend.runtimes._acl_child import INPUT
from convertkit_ascend.runtimes.binding import Binding, Description
from convertkit_ascend.runtimes.sessions import Job

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHILD = (sys.executable, "-m", "convertkit_ascend.runtimes._acl_child")
NAME = "the runtime of the chip"
BLOCKS = 5
"""For outputs: as many as a stream has under way at a time, and one more. They take memory only when they are used."""

SHOWN = 8
"""Lines of the child's output that are shown when it is lost."""


@dataclass(frozen=True)
class Limits:
    """Seconds after which the child is given up: for a model of hundreds of MB, and for one run of a batch."""

    opening: float = 300.0
    running: float = 120.0


LIMITS = Limits()


def open_acl(model: Path, interface: targets.Interface, options: targets.RuntimeOptions) -> targets.Runtime:
    """A runtime for an .om file on one chip.

    Raises:
        UnavailableError: there is no runtime on this machine, it refuses the model or the device, or it dies of them.
        GraphError: the compiled model takes other inputs than the graph.
        UsageError: the device is no number from 0 to 255 (ascend-facts: ais-bench-options), or a batch below 1.
    """
    if not 0 <= options.device <= 255:
        raise targets.UsageError(f"--device {options.device}: devices are numbered from 0 to 255")
    if options.batch is not None and options.batch < 1:
        raise targets.UsageError(f"--batch {options.batch}: give 1 or more")
    job = Job(str(model.absolute()), str(model), options.device, options.batch)
    return AclRuntime(job, interface, LIMITS)


class AclRuntime:
    """One model on one chip; see :func:`open_acl`. The child, and what it holds of the chip, goes with this object."""

    def __init__(self, job: Job, interface: targets.Interface, limits: Limits) -> None:
        self._job, self._limits = job, limits
        self._inputs, self._outputs = system.Block.made(), system.Pool(BLOCKS)
        self._fed: system.Layout = []
        blocks = [block.descriptor for block in (self._inputs, *self._outputs.blocks)]
        self._child = system.Dialogue([*CHILD, *map(str, blocks)], name=NAME, descriptors=blocks)
        try:
            self._binding = Binding(interface.inputs, interface.outputs, self._open())
            self._binding.order()
        except BaseException:
            self.close()
            raise

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Copies the inputs to the device, runs once, copies the outputs back.

        Raises:
            GraphError: an input does not fit the model, or an output not the graph.
            ProcessError: the runtime failed, died or hangs; its reason is quoted.
        """
        self._fed = self._inputs.write(self._binding.feeds(inputs, self._job.batch))
        into = self._outputs.next()
        answer = self._ask("run", inputs=self._fed, into=into)
        return self._binding.results(self._outputs.take(into, answer["outputs"]), self._job.batch)

    def take_timings(self) -> targets.Timings:
        """Milliseconds of every run since the last call, taken in the child."""
        answer = self._ask("timings")
        return targets.Timings(**{name: tuple(values) for name, values in answer.items()})

    def close(self) -> None:
        """Ends the child; the device is free when this returns."""
        self._child.close()

    def _open(self) -> tuple[Description, ...]:
        try:
            answer = self._child.ask("open", timeout=self._limits.opening, **asdict(self._job))
        except system.ChildError as error:
            message = f"{self._job.shown}: device {self._job.device} does not take it: {error.message}"
            raise self._lost(targets.UnavailableError, message) from error
        return tuple(Description(**entry) for entry in answer["inputs"])

    def _ask(self, question: str, **given: Any) -> dict[str, Any]:
        try:
            return self._child.ask(question, timeout=self._limits.running, **given)
        except system.ChildError as error:
            raise self._lost(errors.ProcessError, error.message) from error

    def _lost(self, kind: type[errors.ConvertkitError], message: str) -> errors.ConvertkitError:
        """The error that says how the child was lost, and where to see it again."""
        output = self._child.output()
        try:
            directory = _leave(self._job, self._inputs.read(self._fed), output)
        except (OSError, errors.ConvertkitError) as error:  # a full disk must not hide why we are here
            return kind(message, hint=f"no reproducer: {error}")
        found = kind(message, hint=f"to repeat it: {directory / 'command.sh'}")
        last = [line for line in output.splitlines() if line.strip()][-SHOWN:]
        found.details = "\n".join([*(f"    {line[:200]}" for line in last), f"log: {directory / 'log.txt'}"])
        return found


def _leave(job: Job, feeds: Sequence[NDArray[Any]], output: str) -> Path:
    """A reproducer: the job, the inputs of the last run, what was printed. The model stays where it is."""
    with system.work_directory("acl") as work:
        (work / "job.json").write_text(json.dumps(asdict(job), indent=1) + "\n")
        for number, array in enumerate(feeds):
            np.save(work / INPUT.format(number), array)
        return reproducer.leave(
            system.home() / "failures",
            Path(job.model).name,
            kind="acl",
            work=work,
            script=reproducer.script(
                [*CHILD, "job.json"], reproducer.telling_environment(os.environ), before=""
            ),
            settings={},
            texts={"log.txt": output},
        )
