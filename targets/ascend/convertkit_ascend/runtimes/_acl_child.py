"""The child process of runtime ``acl``: a driver that crashes or hangs takes only this down.

    python -m convertkit_ascend.runtimes._acl_child INPUTS OUTPUTS ... SOCKET

The arguments are descriptors: of the blocks of memory that are shared, and of the socket on which it is asked.

    python -m convertkit_ascend.runtimes._acl_child JOB.json

does once again, by hand, what a reproducer holds: opens the model, and runs the inputs that lie beside the file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from convertkit.api import system
from convertkit.api.system import Block, Layout
from convertkit_ascend.runtimes.binding import Description
from convertkit_ascend.runtimes.sessions import Job, Session, open_session

INPUT = "input{}.npy"


def main(arguments: Sequence[str]) -> None:
    """Answers, or repeats."""
    if len(arguments) == 1:
        repeat(Path(arguments[0]))
        return
    inputs, *outputs, channel = map(int, arguments)
    chip = Chip(Block(inputs), [Block(descriptor) for descriptor in outputs])
    system.answer(channel, {"open": chip.open, "run": chip.run, "timings": chip.timings})


class Chip:
    """What can be asked: to open a model, to run what lies in the inputs' block, how long that took."""

    def __init__(self, inputs: Block, outputs: Sequence[Block]) -> None:
        self._inputs, self._outputs = inputs, outputs
        self._session: Session | None = None

    def open(self, **job: Any) -> Mapping[str, Any]:
        self._session = open_session(Job(**job))
        found = [Description(str(tensor.name), int(tensor.realsize)) for tensor in self._session.inputs()]
        return {"inputs": [asdict(tensor) for tensor in found]}

    def run(self, inputs: Layout, into: int) -> Mapping[str, Any]:
        assert self._session is not None
        return {"outputs": self._session.run(self._inputs.read(inputs), self._outputs[into].write)}

    def timings(self) -> Mapping[str, Any]:
        assert self._session is not None
        compute, to_device, from_device = self._session.timings()
        return {"compute": compute, "to_device": to_device, "from_device": from_device}


def repeat(path: Path) -> None:
    """Opens and runs what a reproducer holds; says what came out."""
    session = open_session(Job(**json.loads(path.read_text())))
    print("opened")
    files = (path.parent / INPUT.format(number) for number in range(len(session.inputs())))
    feeds = [np.load(file) for file in files if file.is_file()]
    if feeds:
        outputs = Block.made()
        for array in outputs.read(session.run(feeds, outputs.write)):
            print(array.dtype, array.shape)


if __name__ == "__main__":
    main(sys.argv[1:])
