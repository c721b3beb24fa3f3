"""The chip, through ``aclruntime.InferenceSession`` or ``ais_bench.infer.interface.InferSession``.

Copies are timed by the clock around them, computing by the runtime itself (``exec_time_list``). Older versions
list durations in ms there, newer ones pairs of start and end; both are understood.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import convertkit
from convertkit_ascend.runtimes.binding import Binding
from convertkit_ascend.runtimes.modules import NotInstalledError, find_aclruntime, find_ais_bench

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOG_LEVEL = 2
"""aclruntime's, without debugging (as ais_bench sets it); what is worth knowing comes back as an exception."""


def open_acl(
    model: Path, interface: convertkit.Interface, options: convertkit.RuntimeOptions
) -> convertkit.Runtime:
    """A runtime for an .om file on one chip.

    Raises:
        UnavailableError: there is no runtime on this machine, or it refuses the model or the device.
        UsageError: the device is no number from 0 to 255 (facts 4.4), or a batch below 1.
    """
    if not 0 <= options.device <= 255:
        raise convertkit.UsageError(f"--device {options.device}: devices are numbered from 0 to 255")
    if options.batch is not None and options.batch < 1:
        raise convertkit.UsageError(f"--batch {options.batch}: give 1 or more")
    try:
        return AclRuntime(find_aclruntime(), model, interface, options)
    except NotInstalledError as missing:
        try:
            module = find_ais_bench()
        except NotInstalledError:
            raise missing from None
    return AisBenchRuntime(module, model, interface, options)


class AclRuntime:
    """One model on one chip through ``aclruntime``; see :func:`open_acl`."""

    def __init__(
        self, module: Any, model: Path, interface: convertkit.Interface, options: convertkit.RuntimeOptions
    ) -> None:
        settings = module.session_options()
        settings.log_level = LOG_LEVEL
        settings.loop = 1
        self._module, self._device, self._batch = module, options.device, options.batch
        self._session = _opened(
            lambda: module.InferenceSession(str(model), options.device, settings), model, options
        )
        _choose_batch(self._session, options.batch)
        self._names = [tensor.name for tensor in self._session.get_outputs()]
        self._binding = Binding(interface.inputs, interface.outputs, tuple(self._session.get_inputs()))
        self._binding.order()
        self._copies: tuple[list[float], list[float]] = ([], [])

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Copies the inputs to the device, runs once, copies the outputs back.

        Raises:
            GraphError: an input does not fit the model, or an output not the graph.
            ProcessError: the runtime failed; its reason is quoted.
        """
        feeds = self._binding.feeds(inputs, self._batch)
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
            arrays = [np.array(tensor) for tensor in outputs]
            back = time.perf_counter()
        self._copies[0].append(1000 * (on_device - start))
        self._copies[1].append(1000 * (back - done))
        return self._binding.results(arrays, self._batch)

    def take_timings(self) -> convertkit.Timings:
        """Milliseconds of every run since the last call."""
        with _quoting():
            compute = _durations(self._session.sumary().exec_time_list)
            self._session.reset_sumaryinfo()
        found = convertkit.Timings(compute, tuple(self._copies[0]), tuple(self._copies[1]))
        self._copies = ([], [])
        return found


class AisBenchRuntime:
    """One model on one chip through ``ais_bench``'s session; it copies inside, so copies are its own record's."""

    def __init__(
        self, module: Any, model: Path, interface: convertkit.Interface, options: convertkit.RuntimeOptions
    ) -> None:
        self._module, self._batch = module, options.batch
        self._session = _opened(lambda: module.InferSession(options.device, str(model)), model, options)
        self._mode = "static" if options.batch is None else "dymbatch"
        self._binding = Binding(interface.inputs, interface.outputs, tuple(self._session.get_inputs()))
        self._binding.order()

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """As :meth:`AclRuntime.run`."""
        feeds = self._binding.feeds(inputs, self._batch)
        with _quoting():
            arrays = self._session.infer(feeds, self._mode)
        return self._binding.results(arrays, self._batch)

    def take_timings(self) -> convertkit.Timings:
        """Milliseconds since the last call; copies only where ais_bench counts them (``MemorySummary``)."""
        memory = getattr(self._module, "MemorySummary", None)
        with _quoting():
            summary = _either(self._session, "summary", "sumary")()
            compute = _durations(summary.exec_time_list)
            copies = [_copies(memory, way) for way in ("h2d", "d2h")]
            _either(self._session, "reset_summaryinfo", "reset_sumaryinfo")()
            if memory is not None:
                memory.reset()
        return convertkit.Timings(compute, *copies)


def _opened(make: Any, model: Path, options: convertkit.RuntimeOptions) -> Any:
    try:
        return make()
    except Exception as error:  # pybind11 gives RuntimeError, older builds others
        raise convertkit.UnavailableError(
            f"{model}: device {options.device} does not take it: {_brief(error)}",
            hint="npu-smi info lists the chips; an .om runs on the chip it was compiled for only",
        ) from error


def _choose_batch(session: Any, batch: int | None) -> None:
    with _quoting():
        if batch is None:
            session.set_staticbatch()
        else:
            session.set_dynamic_batchsize(batch)


def _durations(entries: Iterable[Any]) -> tuple[float, ...]:
    """Durations in ms, whether they are listed as such or as pairs of start and end."""
    return tuple(
        float(entry[1]) - float(entry[0]) if hasattr(entry, "__len__") else float(entry) for entry in entries
    )


def _copies(memory: Any, way: str) -> tuple[float, ...]:
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
        if isinstance(error, Exception) and not isinstance(error, convertkit.ConvertkitError):
            raise convertkit.ProcessError(f"the runtime of the chip failed: {_brief(error)}") from error


def _brief(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
