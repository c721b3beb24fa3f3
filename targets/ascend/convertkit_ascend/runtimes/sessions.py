"""The chip, through ``aclruntime.InferenceSession`` or ``ais_bench.infer.interface.InferSession``.

This part runs in the child of :mod:`convertkit_ascend.runtimes.acl`. Copies are timed by the clock around them,
computing by the runtime itself (``exec_time_list``). Older versions list durations in ms there, newer ones pairs of
start and end; both are understood.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from convertkit.api import errors, targets
from convertkit_ascend.runtimes.modules import NotInstalledError, find_aclruntime, find_ais_bench

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convertkit.api.system import Layout


Times = tuple[float, ...]
Keep = Callable[[Sequence["NDArray[Any]"]], "Layout"]
"""Puts outputs where the other process finds them."""

LOG_LEVEL = 2
"""aclruntime's, without debugging (as ais_bench sets it); what is worth knowing comes back as an exception."""


@dataclass(frozen=True)
class Job:
    """What to open: the .om file, the number of the chip, and images at a time (None: the model's own).

    ``shown`` is what errors call the file.
    """

    model: str
    shown: str
    device: int
    batch: int | None


class Session(Protocol):
    """One model on one chip."""

    def inputs(self) -> Sequence[Any]:
        """aclruntime on the inputs: ``name``, ``shape``, bytes in ``realsize`` (ascend-facts: aclruntime-calls)."""
        ...

    def run(self, feeds: Sequence[NDArray[Any]], keep: Keep) -> Layout:
        """Copies the inputs to the device, runs once, copies the outputs back and keeps them.

        Raises:
            ProcessError: the runtime failed; its reason is quoted.
        """
        ...

    def timings(self) -> tuple[Times, Times, Times]:
        """Milliseconds since the last call: of computing, and of the copies to and from the device."""
        ...


def open_session(job: Job) -> Session:
    """A session of aclruntime, or of ais_bench where only that is installed.

    Raises:
        UnavailableError: there is no runtime on this machine, or it refuses the model or the device.
    """
    try:
        return AclSession(find_aclruntime(), job)
    except NotInstalledError as missing:
        try:
            module = find_ais_bench()
        except NotInstalledError:
            raise missing from None
    return AisBenchSession(module, job)


class AclSession:
    """A session of ``aclruntime``."""

    def __init__(self, module: Any, job: Job) -> None:
        settings = module.session_options()
        settings.log_level = LOG_LEVEL
        settings.loop = 1
        self._module, self._device = module, job.device
        self._session = _opened(lambda: module.InferenceSession(job.model, job.device, settings), job)
        _choose_batch(self._session, job.batch)
        self._names = [tensor.name for tensor in self._session.get_outputs()]
        self._copies: tuple[list[float], list[float]] = ([], [])

    def inputs(self) -> Sequence[Any]:
        return list(self._session.get_inputs())

    def run(self, feeds: Sequence[NDArray[Any]], keep: Keep) -> Layout:
        with _quoting():
            start = time.perf_counter()
            tensors = [self._module.Tensor(array) for array in feeds]
            for tensor in tensors:
                tensor.to_device(self._device)
            on_device = time.perf_counter()
            outputs = self._session.run(self._names, tensors)
            done = time.perf_counter()
            for tensor in outputs:
                tensor.to_host()
            layout = keep([np.asarray(tensor) for tensor in outputs])
            back = time.perf_counter()
        self._copies[0].append(1000 * (on_device - start))
        self._copies[1].append(1000 * (back - done))
        return layout

    def timings(self) -> tuple[Times, Times, Times]:
        with _quoting():
            compute = _durations(self._session.sumary().exec_time_list)
            self._session.reset_sumaryinfo()
        copies = self._copies
        self._copies = ([], [])
        return compute, tuple(copies[0]), tuple(copies[1])


class AisBenchSession:
    """A session of ``ais_bench``; it copies inside, so copies are its own record's."""

    def __init__(self, module: Any, job: Job) -> None:
        self._module = module
        self._session = _opened(lambda: module.InferSession(job.device, job.model), job)
        self._mode = "static" if job.batch is None else "dymbatch"

    def inputs(self) -> Sequence[Any]:
        return list(self._session.get_inputs())

    def run(self, feeds: Sequence[NDArray[Any]], keep: Keep) -> Layout:
        with _quoting():
            return keep(self._session.infer(list(feeds), self._mode))

    def timings(self) -> tuple[Times, Times, Times]:
        """Copies only where ais_bench counts them (``MemorySummary``)."""
        memory = getattr(self._module, "MemorySummary", None)
        with _quoting():
            summary = _either(self._session, "summary", "sumary")()
            compute = _durations(summary.exec_time_list)
            to_device, from_device = _copies(memory, "h2d"), _copies(memory, "d2h")
            _either(self._session, "reset_summaryinfo", "reset_sumaryinfo")()
            if memory is not None:
                memory.reset()
        return compute, to_device, from_device


def _opened(make: Callable[[], Any], job: Job) -> Any:
    try:
        return make()
    except Exception as error:  # pybind11 gives RuntimeError, older builds others
        raise targets.UnavailableError(
            f"{job.shown}: device {job.device} does not take it: {_brief(error)}",
            hint="npu-smi info lists the chips; an .om runs on the chip it was compiled for only",
        ) from error


def _choose_batch(session: Any, batch: int | None) -> None:
    with _quoting():
        if batch is None:
            session.set_staticbatch()
        else:
            session.set_dynamic_batchsize(batch)


def _durations(entries: Iterable[Any]) -> Times:
    """Durations in ms, whether they are listed as such or as pairs of start and end."""
    return tuple(
        float(entry[1]) - float(entry[0]) if hasattr(entry, "__len__") else float(entry) for entry in entries
    )


def _copies(memory: Any, way: str) -> Times:
    """ais_bench's ``get_h2d_time_list``, older ``get_H2D_time_list``; empty where it has neither."""
    for name in (f"get_{way}_time_list", f"get_{way.upper()}_time_list"):
        if hasattr(memory, name):
            return tuple(float(value) for value in getattr(memory, name)())
    return ()


def _either(owner: Any, new: str, old: str) -> Any:
    return getattr(owner, new) if hasattr(owner, new) else getattr(owner, old)


class _quoting:
    """Turns a failure of the runtime into one line that quotes it."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, errors.ConvertkitError):
            raise errors.ProcessError(f"the runtime of the chip failed: {_brief(error)}") from error


def _brief(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
