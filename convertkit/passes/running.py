"""Graphs made ready to be run on samples, outputs in graph order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from convertkit.graph.domains import lowered
from convertkit.graph.session import Arrays, open_session

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel

Outputs = tuple[NDArray[Any], ...]
Run = Callable[[Arrays], Outputs]
Opener = Callable[["LightModel"], Run]
"""Makes a graph ready to be run."""


def open_on_host(model: LightModel) -> Run:
    """A graph to be run by onnxruntime, operators of known domains lowered to standard ONNX.

    Inputs are found by name; those that a pass has renamed by their order. A sample may hold inputs that only a later
    pass asks for.
    """
    session = open_session(lowered(model), optimize=False)

    return lambda inputs: tuple(session.run(feeds_of(session.inputs, inputs)).values())


def feeds_of(names: Sequence[str], sample: Arrays) -> dict[str, NDArray[Any]]:
    """The values of a sample by the names of a graph's inputs, as :func:`open_on_host` finds them."""
    others = (value for name, value in sample.items() if name not in names)
    feeds = {name: sample[name] if name in sample else next(others, None) for name in names}
    return {name: value for name, value in feeds.items() if value is not None}
