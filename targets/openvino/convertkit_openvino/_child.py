"""The child process in which OpenVINO runs: a plugin that crashes or hangs takes only this down.

    python -m convertkit_openvino._child INPUTS OUTPUTS ... SOCKET

The arguments are descriptors: of the blocks of memory that are shared, and of the socket on which it is asked.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from convertkit.api import system
from convertkit_openvino.engine import DEVICE, asked, failing, given, name_nodes, openvino
from convertkit_openvino.precision import keep_heads_in_fp32


def main(descriptors: Sequence[int]) -> None:
    """Answers until nobody asks any more."""
    inputs, *outputs, channel = descriptors
    plugin = Plugin(system.Block(inputs), [system.Block(descriptor) for descriptor in outputs])
    system.answer(channel, {"convert": convert, "given": computes, "open": plugin.open, "run": plugin.run})


def convert(source: str, model: str, precision: str) -> Mapping[str, Any]:
    """Writes an ONNX file in OpenVINO's format, ``model`` and the weights beside it."""
    module = openvino()
    with failing("convert the graph"):
        found = module.Core().read_model(source)
        name_nodes(found)
        if half := precision == "f16":
            keep_heads_in_fp32(found)
        module.save_model(found, model, compress_to_fp16=half)
    return {}


def computes(precision: str) -> Mapping[str, Any]:
    """See :func:`~convertkit_openvino.engine.given`."""
    return {"given": given(precision)}


class Plugin:
    """What can be asked once files are there: to open them, and to run what lies in the inputs' block."""

    def __init__(self, inputs: system.Block, outputs: Sequence[system.Block]) -> None:
        self._inputs, self._outputs = inputs, outputs
        self._request: Any = None

    def open(self, model: str, precision: str) -> Mapping[str, Any]:
        with failing(f"open {Path(model).name}"):
            compiled = openvino().Core().compile_model(model, DEVICE, asked(precision))
        self._request = compiled.create_infer_request()
        return {}

    def run(self, inputs: system.Layout, into: int) -> Mapping[str, Any]:
        with failing("run the graph"):
            feeds = dict(enumerate(self._inputs.read(inputs)))
            # Outputs are read before the next run, and copied here: no need to own them.
            found = self._request.infer(feeds, share_inputs=True, share_outputs=True)
        return {"outputs": self._outputs[into].write(found.to_tuple())}


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]])
