"""From the graph's names to a compiled model's positions and back, every size checked on the way.

A compiled model keeps the order of the graph's inputs and outputs, but not always their names; so inputs go by
name where the names agree and by position elsewhere, outputs by position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from convertkit.api import targets

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Description:
    """What aclruntime says of an input (ascend-facts: aclruntime-calls): ``realsize`` is in bytes."""

    name: str
    realsize: int


@dataclass(frozen=True)
class Binding:
    """The two sides of one compiled model.

    Attributes:
        inputs, outputs: of the target graph, in its order.
        model_inputs: of the compiled model, in its order.
    """

    inputs: tuple[targets.TensorInfo, ...]
    outputs: tuple[targets.TensorInfo, ...]
    model_inputs: tuple[Description, ...]

    def order(self) -> tuple[str, ...]:
        """The graph's input names in the order in which the compiled model takes them.

        Raises:
            GraphError: it takes another number of inputs.
        """
        graph, model = [tensor.name for tensor in self.inputs], [tensor.name for tensor in self.model_inputs]
        if len(graph) != len(model):
            raise targets.GraphError(
                f"the compiled model takes {len(model)} inputs ({', '.join(model)}), the graph {', '.join(graph)}"
            )
        return tuple(model) if set(model) == set(graph) else tuple(graph)

    def feeds(self, arrays: Mapping[str, NDArray[Any]], batch: int | None) -> list[NDArray[Any]]:
        """The arrays in the compiled model's order, of whatever strides.

        Raises:
            GraphError: an input is missing or has another size than the compiled model's.
        """
        found = []
        for name, tensor in zip(self.order(), self.model_inputs, strict=True):
            if name not in arrays:
                raise targets.GraphError(
                    f"input {name!r} is missing; the graph needs {', '.join(self.order())}"
                )
            array = np.asarray(arrays[name])
            if batch is None and array.nbytes != tensor.realsize:
                raise targets.GraphError(
                    f"input {name!r}: {array.dtype} {array.shape} has {array.nbytes} bytes, "
                    f"the compiled model takes {tensor.realsize}"
                )
            found.append(array)
        return found

    def results(self, arrays: Sequence[NDArray[Any]], batch: int | None) -> dict[str, NDArray[Any]]:
        """Outputs by the graph's names, in its shapes and dtypes (a narrower dtype of the same kind is widened).

        Raises:
            GraphError: another number of outputs, or one of another size or kind.
        """
        if len(arrays) != len(self.outputs):
            raise targets.GraphError(
                f"the compiled model gave {len(arrays)} outputs, the graph has {len(self.outputs)}"
            )
        return {
            tensor.name: _as(tensor, array, batch) for tensor, array in zip(self.outputs, arrays, strict=True)
        }


def _as(tensor: targets.TensorInfo, array: NDArray[Any], batch: int | None) -> NDArray[Any]:
    wanted = np.dtype(tensor.dtype)
    fits = array.size == tensor.elements or batch is not None
    if not fits or not np.can_cast(array.dtype, wanted, "safe"):
        raise targets.GraphError(
            f"output {tensor.name}: the compiled model gave {array.dtype} {array.shape}, the graph has {tensor}"
        )
    shaped = array if batch is not None else array.reshape(tensor.shape)
    return shaped.astype(wanted, copy=False)
