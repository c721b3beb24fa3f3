"""Where graphs run while they are compared: onnxruntime, an emulation of the target, or the target itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from convertkit.errors import GraphError, UnknownNameError
from convertkit.graph.domains import lowered
from convertkit.graph.input_shapes import free_inputs
from convertkit.graph.session import Arrays, open_session
from convertkit.passes.running import Outputs, Run, feeds_of, open_on_host
from convertkit.storage.files import work_directory
from convertkit.targets.capabilities import emulate, emulations, leave, open_runtime
from convertkit.targets.context import PLAIN, RuntimeOptions

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel
    from convertkit.targets.base import Target
    from convertkit.targets.capabilities import Runtime

ONNXRUNTIME = "onnxruntime"
ITSELF = "target"


@dataclass(frozen=True)
class Place:
    """``--runtime``: ``onnxruntime`` (vendor operators lowered), an emulation of the target, or ``target``.

    Attributes:
        words: the command line words that say the same; none for onnxruntime.
    """

    target: Target
    name: str = ONNXRUNTIME
    variation: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        if self.name == ONNXRUNTIME:
            return ()
        runtime = f"{self.name}:{self.variation}" if self.variation else self.name
        return ("--target", self.target.name, "--runtime", runtime)

    @contextlib.contextmanager
    def open(self, model: LightModel) -> Iterator[Runtime]:
        """A runtime for a graph, as fast as it goes."""
        if self.name == ONNXRUNTIME:
            yield open_session(lowered(model))
        elif self.name == ITSELF:
            with work_directory("bisect") as scratch:
                leave(self.target, model, scratch, PLAIN)
                yield open_runtime(self.target, scratch, "", RuntimeOptions())
        else:
            yield emulate(self.target, model, self.name, self.variation, PLAIN)

    def opener(self, model: LightModel) -> Run:
        """A graph to be run for a verdict, outputs in graph order; by onnxruntime node by node as written."""
        if self.name == ONNXRUNTIME:
            return open_on_host(model)

        def run(inputs: Arrays) -> Outputs:
            with self.open(model) as runtime:
                found = runtime.run(_feeds(model, inputs))
            return tuple(found[value.name] for value in model.proto.graph.output)

        return run


def find_place(target: Target, text: str | None) -> Place:
    """Reads ``--runtime``.

    Raises:
        UnknownNameError: the target has no such runtime.
    """
    name, _, variation = (text or ONNXRUNTIME).partition(":")
    known = (ONNXRUNTIME, *emulations(target), ITSELF)
    if name not in known:
        raise UnknownNameError("runtime", name, known)
    return Place(target, name, variation)


def _feeds(model: LightModel, inputs: Arrays) -> Arrays:
    names = [value.name for value in free_inputs(model.proto.graph)]
    feeds = feeds_of(names, inputs)
    if missing := [name for name in names if name not in feeds]:
        raise GraphError(f"input {missing[0]!r} is missing")
    return feeds
