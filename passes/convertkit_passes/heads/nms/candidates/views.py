"""Looking through Reshape, Transpose and Expand to the tensor that already lies as the operator wants it.

Which element of an ancestor ends up where is not derived from node attributes: numbers 0, 1, 2, ... are sent through
the nodes in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from onnx import helper

from convertkit.api import graphs, passes
from convertkit_passes.heads.types import Node, Tensor

Array: TypeAlias = NDArray[Any]

VIEWS = frozenset({"Expand", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"})
"""Operators whose output holds nothing but elements of their first input."""


def is_view(node: Node) -> bool:
    """Whether it is one of :data:`VIEWS`, or a cast to the type there is."""
    if node.op != "Cast":
        return node.op in VIEWS
    there = node.inputs[0].dtype
    made: np.dtype[Any] = helper.tensor_dtype_to_np_dtype(node.attrs["to"])
    return there is not None and np.dtype(there) == made


_LARGEST_EXACT = {np.dtype(np.float32): 1 << 24, np.dtype(np.float64): 1 << 53}
"""Up to here a floating type counts exactly."""


@dataclass(frozen=True)
class View:
    """A reshape, then perhaps a transposition: how a tensor is brought into the operator's layout."""

    shape: tuple[int, ...]
    perm: tuple[int, ...] | None = None

    def do(self, array: Array) -> Array:
        """The array in the operator's layout."""
        shaped = array.reshape(self.shape)
        return shaped if self.perm is None else shaped.transpose(self.perm)

    def undo(self, array: Array, shape: Sequence[int]) -> Array:
        """The array of ``shape`` that :meth:`do` would bring into this layout."""
        shaped = array if self.perm is None else array.transpose(np.argsort(self.perm))
        return shaped.reshape(tuple(shape))

    def emit(self, graph: passes.Graph, tensor: Tensor) -> Tensor:
        """The nodes; none where the tensor already lies so."""
        if tuple(tensor.shape) != self.shape:
            shape = graph.constant(np.array(self.shape, np.int64), name="shape")
            tensor = graph.add("Reshape", [tensor, shape], dtype=tensor.dtype, shape=self.shape)
        if self.perm is None:
            return tensor
        turned = [self.shape[axis] for axis in self.perm]
        perm = {"perm": list(self.perm)}
        return graph.add("Transpose", [tensor], attrs=perm, dtype=tensor.dtype, shape=turned)


@dataclass(frozen=True)
class Laid:
    """A tensor of the graph, and the view under which it is an input of the operator."""

    tensor: Tensor
    view: View

    @property
    def shape(self) -> tuple[int, ...]:
        """In the operator's layout."""
        shape = self.view.shape
        return shape if self.view.perm is None else tuple(shape[axis] for axis in self.view.perm)

    def undo(self, array: Array) -> Array:
        """What to feed to the tensor for an array in the operator's layout."""
        return self.view.undo(array, self.tensor.shape)


def above(tensor: Tensor) -> list[Tensor]:
    """``tensor`` and everything of static shape that it is merely a view of, nearest first."""
    found = [tensor]
    while tensor.inputs and is_view(tensor.inputs[0]):
        tensor = tensor.inputs[0].inputs[0]
        if graphs.is_initializer(tensor) or graphs.static_shape(tensor) is None:
            break
        found.append(tensor)
    return found


def lay(graph: passes.Graph, flat: Tensor, view: View) -> Laid:
    """The highest ancestor of ``flat`` that needs the fewest nodes to lie in the operator's layout, at best none.

    Args:
        flat: static shape.
        view: how ``flat`` itself would be brought into the layout.
    """
    found = [Laid(flat, view)]
    for tensor in above(flat):
        places = _places(graph, flat, tensor)
        if _in_order(view.do(places)):
            found.append(Laid(tensor, View(Laid(flat, view).shape)))
        elif view.perm is not None and _in_order(places):
            found.append(Laid(tensor, view))  # what the graph gives may be taken from there
    return min(found[::-1], key=_nodes)


def lay_boxes(graph: passes.Graph, flat: Tensor, view: View) -> Laid:
    """As :func:`lay` for boxes ``(B, N, C, 4)``, which become ``(B, N, 1, 4)`` where the classes share them."""
    batch, count, _, corners = Laid(flat, view).shape
    shared: list[Laid] = []
    for tensor in above(flat):
        laid = view.do(_places(graph, flat, tensor))
        if (laid == laid[:, :, :1]).all() and _in_order(laid[:, :, :1]):
            shared.append(Laid(tensor, View((batch, count, 1, corners))))
    return min(shared[::-1], key=_nodes) if shared else lay(graph, flat, view)


def _nodes(laid: Laid) -> int:
    return (tuple(laid.tensor.shape) != laid.view.shape) + (laid.view.perm is not None)


def _in_order(places: Array) -> bool:
    return np.array_equal(places, np.arange(places.size).reshape(places.shape))


def _places(graph: passes.Graph, flat: Tensor, ancestor: Tensor) -> Array:
    """For each element of ``flat`` its place in ``ancestor``; -1 where the type cannot count so far."""
    size = int(np.prod(ancestor.shape))
    numbers = np.arange(size).reshape(tuple(ancestor.shape))
    if ancestor is flat:
        return numbers
    if size > _LARGEST_EXACT.get(np.dtype(ancestor.dtype), 0):
        return np.full(tuple(flat.shape), -1)
    return graphs.cut(graph, [flat], [ancestor]).run(numbers)[0].astype(np.int64)
