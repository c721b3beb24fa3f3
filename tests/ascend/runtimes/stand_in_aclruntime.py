"""Stand-ins for the modules ``aclruntime`` and ``ais_bench.infer.interface``: an ONNX file takes the place of the .om.

Their surface is that of ascend-facts: aclruntime-calls, ais-bench-session (and of the sources named there); what these
leave open is as strict here as it may be anywhere: arrays must be contiguous, sizes must fit to the byte, results are
readable on the host only. `statements.py` lists each behaviour with its section.

The child of the runtime imports them from `stand_in_site` and `stand_in_site_ais`, which :func:`install_aclruntime` and
:func:`install_ais_bench` put on its path; the variable STAND_IN_ACLRUNTIME names the flavours.
"""

from __future__ import annotations

import ctypes
import enum
import math
import os
import time
import types
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from convertkit.api.errors import ConvertkitError
from tests.ascend.runtimes.stand_in_ends import perhaps
from tests.ascend.runtimes.stand_in_model import opened

HERE = Path(__file__).parent
VARIABLE = "STAND_IN_ACLRUNTIME"
FLAVOUR = set(os.environ.get(VARIABLE, "").split())
"""What varies between versions (pairs, half, fewer, dynamic), between machines (only-1) and what goes wrong: broken,
chatty, and the ends of stand_in_ends."""

DEVICES = (1,) if "only-1" in FLAVOUR else (0, 1)

dtype = enum.Enum("dtype", ["uint8", "int8", "int32", "int64", "float16", "float32"])


@dataclass
class Description:
    """``tensor_desc``."""

    name: str
    datatype: object
    format: int
    shape: list[int]
    size: int
    realsize: int


class Tensor:
    """On the host until ``to_device``, on a device until ``to_host``."""

    def __init__(self, array, device=-1):
        if not isinstance(array, np.ndarray) or not array.flags.c_contiguous:
            raise RuntimeError("tensor needs a contiguous array")
        self._array, self.device = array.copy(), device
        self.shape = list(array.shape)

    def to_device(self, device):
        if device not in DEVICES:
            raise RuntimeError(f"device {device} is invalid")
        self.device = device
        MemorySummary.H2D_time_list.append(0.25)

    def to_host(self):
        self.device = -1
        MemorySummary.D2H_time_list.append(0.5)

    def __array__(self, dtype=None, copy=None):
        if self.device != -1:
            raise RuntimeError("the tensor is on the device")
        return self._array if dtype is None else self._array.astype(dtype)


class BaseTensor:
    """An address and a number of bytes, of whatever lies there."""

    def __init__(self, address, size):
        self.buf, self.size = address, size

    def content(self):
        return ctypes.string_at(self.buf, self.size)


class MemorySummary:
    """Copies since the last reset, in ms; the same for all sessions of a process."""

    H2D_time_list: ClassVar[list[float]] = []
    D2H_time_list: ClassVar[list[float]] = []

    @classmethod
    def reset(cls):
        cls.H2D_time_list.clear()
        cls.D2H_time_list.clear()


class Options:
    """``session_options``."""

    def __init__(self):
        self.loop, self.log_level, self.acl_json_path = 1, 1, ""


class Session:
    """``InferenceSession``."""

    def __init__(self, path, device, options):
        perhaps(FLAVOUR, "opening")
        if device not in DEVICES:
            raise RuntimeError(f"[1][ACL: general failure] device {device}")
        if not Path(path).is_file():
            raise RuntimeError(f"[2] model file {path} does not exist")
        try:
            self._inner = opened(Path(path))
        except ConvertkitError as error:
            raise RuntimeError(f"[1][ACL: invalid model] {error}") from error
        self._device, self._options, self._times = device, options, []
        self.batch = None

    def get_inputs(self):
        return [self._describe(tensor, tensor.name) for tensor in self._inner.get_inputs()]

    def get_outputs(self):
        outputs = self._inner.get_outputs()
        return [
            self._describe(tensor, f"node_{index}:0:{tensor.name}") for index, tensor in enumerate(outputs)
        ]

    def set_staticbatch(self):
        self.batch = "static"

    def set_dynamic_batchsize(self, batch):
        if "dynamic" not in FLAVOUR:
            raise RuntimeError("the model has no dynamic batch")
        self.batch = batch

    def run(self, names, feeds):
        known = [tensor.name for tensor in self.get_outputs()]
        if names != known or self.batch is None:
            raise RuntimeError("unknown outputs, or no batch was set")
        if "broken" in FLAVOUR:
            raise RuntimeError("[507011][ACL: model execute failed]\nmore")
        perhaps(FLAVOUR, "running")
        arrays = {tensor.name: self._bound(tensor, feed) for tensor, feed in self._pairs(feeds)}
        start = time.perf_counter()
        for _ in range(self._options.loop):
            outputs = self._inner.run(None, arrays)
            self._note(start)
        if "half" in FLAVOUR:
            outputs = [value.astype(np.float16) if value.dtype == np.float32 else value for value in outputs]
        if "fewer" in FLAVOUR:
            outputs = outputs[:-1]
        return [Tensor(np.ascontiguousarray(value), self._device) for value in outputs]

    def sumary(self):
        return types.SimpleNamespace(exec_time_list=list(self._times))

    def reset_sumaryinfo(self):
        self._times.clear()

    def _pairs(self, feeds):
        inputs = self._inner.get_inputs()
        if len(inputs) != len(feeds):
            raise RuntimeError(f"{len(feeds)} inputs, the model has {len(inputs)}")
        return zip(inputs, feeds, strict=True)

    def _bound(self, tensor, feed):
        if isinstance(feed, Tensor):
            if feed.device != self._device:
                raise RuntimeError("the input is not on this device")
            data = feed._array.tobytes()
        else:
            data = feed.content()
        shape = list(tensor.shape)
        if "dynamic" in FLAVOUR and isinstance(self.batch, int):
            shape[0] = self.batch
        array = np.frombuffer(data, numpy_type(tensor))
        if array.size != math.prod(shape):
            raise RuntimeError(f"input {tensor.name}: {len(data)} bytes")
        return array.reshape(shape)

    def _note(self, start):
        now = time.perf_counter()
        pair = (1000 * start, 1000 * now)
        self._times.append(pair if "pairs" in FLAVOUR else pair[1] - pair[0])

    @staticmethod
    def _describe(tensor, name):
        shape = [side if isinstance(side, int) else -1 for side in tensor.shape]
        size = abs(math.prod(shape)) * np.dtype(numpy_type(tensor)).itemsize
        return Description(name, dtype[numpy_type(tensor)], 0, shape, size, size)


def numpy_type(tensor):
    return {"tensor(float)": "float32", "tensor(float16)": "float16"}.get(tensor.type, tensor.type[7:-1])


class InferSession:
    """``ais_bench.infer.interface.InferSession``, the newer one."""

    def __init__(self, device_id, model_path, acl_json_path=None, debug=False, loop=1):
        options = Options()
        options.loop = loop
        self.session = Session(model_path, device_id, options)

    def get_inputs(self):
        return self.session.get_inputs()

    def get_outputs(self):
        return self.session.get_outputs()

    def infer(self, feeds, mode="static", custom_sizes=100000):
        if mode == "static":
            self.session.set_staticbatch()
        elif mode == "dymbatch":
            self.session.set_dynamic_batchsize(feeds[0].shape[0])
        else:
            raise RuntimeError(f"wrong infer_mode:{mode}")
        tensors = [BaseTensor(array.__array_interface__["data"][0], array.nbytes) for array in feeds]
        MemorySummary.H2D_time_list.append(0.25)
        outputs = self.session.run([tensor.name for tensor in self.get_outputs()], tensors)
        for tensor in outputs:
            tensor.to_host()
        return [np.array(tensor) for tensor in outputs]

    def summary(self):
        return self.session.sumary()

    def reset_summaryinfo(self):
        self.session.reset_sumaryinfo()


class OldInferSession(InferSession):
    """The one of 2022: other names for the same."""

    sumary = InferSession.summary
    reset_sumaryinfo = InferSession.reset_summaryinfo
    summary = property()  # type: ignore[assignment]
    reset_summaryinfo = property()  # type: ignore[assignment]


class Memory:
    """``ais_bench.infer.interface.MemorySummary``."""

    @staticmethod
    def get_h2d_time_list():
        return list(MemorySummary.H2D_time_list)

    @staticmethod
    def get_d2h_time_list():
        return list(MemorySummary.D2H_time_list)

    reset = MemorySummary.reset


def install_aclruntime(monkeypatch, *flavour):
    """``import aclruntime`` gives the stand-in in a child, in some of its flavours (:data:`FLAVOUR`)."""
    put(monkeypatch, "stand_in_site", flavour)


def install_ais_bench(monkeypatch, *flavour):
    """``import ais_bench.infer.interface`` gives the stand-in in a child; ``old`` is the one of 2022."""
    put(monkeypatch, "stand_in_site_ais", flavour)


def put(monkeypatch, site, flavour):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE / site), str(HERE.parents[2])]))
    monkeypatch.setenv(VARIABLE, " ".join(flavour))


def remove(monkeypatch):
    """Neither module is installed."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
