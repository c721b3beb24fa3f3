"""A compiled model on OpenVINO's CPU plugin, by way of a child process: its crash is an error of one line."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convertkit.api import errors, graphs, system, targets
from convertkit_openvino import engine

MODEL = "model.xml"
"""The graph; its weights are in ``model.bin`` beside it."""

CHILD = (sys.executable, "-m", "convertkit_openvino._child")
BLOCKS = 3
"""For outputs; they take memory only when they are used."""

OPENING, RUNNING = 300.0, 120.0
"""Seconds after which the child is given up."""


class Child:
    """OpenVINO in a process of its own, and the memory shared with it; they go with this object.

    Raises:
        UnavailableError: it is not installed, or there are no such processes on this system (Windows).
    """

    def __init__(self) -> None:
        if not engine.installed():
            raise targets.UnavailableError("openvino is not installed", hint=engine.INSTALL)
        self.inputs, self.outputs = system.Block.made(), system.Pool(BLOCKS)
        blocks = [block.descriptor for block in (self.inputs, *self.outputs.blocks)]
        self._child = system.Dialogue([*CHILD, *map(str, blocks)], name="OpenVINO", descriptors=blocks)

    def ask(self, question: str, *, timeout: float = OPENING, **given: Any) -> dict[str, Any]:
        """Raises TargetError where OpenVINO cannot, ProcessError where the child dies or hangs of it."""
        try:
            return self._child.ask(question, timeout=timeout, **given)
        except system.ChildError as error:
            raise errors.ProcessError(error.message) from error

    def close(self) -> None:
        self._child.close()


class OpenvinoRuntime:
    """Runs one image at a time; inputs and outputs have the names of ``model.onnx``, in whose order the IR has them."""

    def __init__(self, child: Child, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> None:
        self._child, self._inputs, self._outputs = child, inputs, outputs

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Raises GraphError where an input is missing, TargetError where one does not fit."""
        missing = [name for name in self._inputs if name not in inputs]
        if missing:
            raise targets.GraphError(
                f"input {missing[0]!r} is missing; the graph needs {', '.join(self._inputs)}"
            )
        fed = self._child.inputs.write([np.asarray(inputs[name]) for name in self._inputs])
        into = self._child.outputs.next()
        answer = self._child.ask("run", timeout=RUNNING, inputs=fed, into=into)
        return dict(zip(self._outputs, self._child.outputs.take(into, answer["outputs"]), strict=True))

    def close(self) -> None:
        """Ends the child."""
        self._child.close()


def open_runtime(directory: Path, precision: str) -> OpenvinoRuntime:
    """The compiled model of an artifact, to be computed in ``f32`` or, where the processor can, in ``f16``."""
    graph = graphs.load(directory / "model.onnx").proto.graph
    constant = {tensor.name for tensor in graph.initializer}
    inputs = tuple(value.name for value in graph.input if value.name not in constant)
    child = Child()
    child.ask("open", model=str((directory / MODEL).absolute()), precision=precision)
    return OpenvinoRuntime(child, inputs, tuple(value.name for value in graph.output))
