"""What an operator's type-and-shape inference sees of a node: typed, and refusing in one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

if TYPE_CHECKING:
    import onnx
    from onnx.shape_inference import InferenceContext

    from convertkit.heads.operator import Operator

Dim: TypeAlias = "int | str | None"
Dims: TypeAlias = "tuple[Dim, ...]"
"""A size, the name of one, or None."""

_FLOATING = (1, 10)
"""``TensorProto.FLOAT`` and ``FLOAT16``."""

_INT32 = 6


class Node:
    """One node under inference."""

    def __init__(self, context: InferenceContext, op: Operator) -> None:
        self._context, self._op = context, op
        self.attributes: dict[str, Any] = dict(op.complete(self._attributes()))
        self._refuse_attributes()

    @property
    def inputs(self) -> int:
        """How many inputs the node names, absent optional ones at the end not counted."""
        return self._context.get_num_inputs()

    def floating(self, indices: Sequence[int]) -> int:
        """The one floating element type that these inputs share; absent inputs do not count."""
        found = {kind for index in indices if (kind := self._type(index))}
        for kind in found - set(_FLOATING):
            self.refuse(f"takes float or float16, not element type {kind}")
        if len(found) != 1:
            self.refuse("its floating inputs have different types" if found else "its inputs have no type")
        return found.pop()

    def int32(self, index: int) -> None:
        """Refuse unless this input is absent or int32."""
        if self._type(index) not in (None, _INT32):
            self.refuse(f"input {index} must be int32")

    def dims(self, index: int, rank: int) -> Dims:
        """The sizes of one input; as many None as the rank where nothing is known.

        Raises:
            InferenceError: the rank is another one.
        """
        tensor = self._tensor(index)
        if tensor is None or not tensor.HasField("shape"):
            return (None,) * rank
        found = tuple(
            item.dim_value if item.HasField("dim_value") else item.dim_param or None
            for item in tensor.shape.dim
        )
        if len(found) != rank:
            self.refuse(f"input {index} must have rank {rank}, it has {len(found)}")
        return found

    def same(self, what: str, *dims: Dim) -> Dim:
        """The one size that these are, known from any of them."""
        sizes = {item for item in dims if isinstance(item, int)}
        if len(sizes) > 1:
            self.refuse(f"{what} differs: {', '.join(str(item) for item in dims)}")
        return sizes.pop() if sizes else next((item for item in dims if item is not None), None)

    def like(self, index: int) -> None:
        """State that the first output has the type and shape of an input, whatever its rank."""
        self._context.set_output_type(0, self._context.get_input_type(index))

    def set(self, index: int, kind: int, dims: Sequence[Dim]) -> None:
        """State the type of an output; nothing to do where the node leaves it out."""
        import onnx

        if index < self._context.get_num_outputs():
            self._context.set_output_type(index, onnx.helper.make_tensor_type_proto(kind, list(dims)))

    def refuse(self, why: str) -> NoReturn:
        """Raise what ONNX reports as a failed inference."""
        from onnx.shape_inference import InferenceError

        raise InferenceError(f"{self._op.name}: {why}")

    def _attributes(self) -> dict[str, Any]:
        import onnx

        found = {item.name: self._context.get_attribute(item.name) for item in self._op.attributes}
        values = {
            name: onnx.helper.get_attribute_value(item) for name, item in found.items() if item is not None
        }
        return {name: item.decode() if isinstance(item, bytes) else item for name, item in values.items()}

    def _refuse_attributes(self) -> None:
        wrong = [line for item in self._op.attributes for line in item.violations(self.attributes)]
        if wrong:
            self.refuse("; ".join(wrong))

    def _type(self, index: int) -> int | None:
        tensor = self._tensor(index)
        return None if tensor is None else tensor.elem_type or None

    def _tensor(self, index: int) -> onnx.TypeProto.Tensor | None:
        if index >= self.inputs or not self._context.has_input(index):
            return None
        kind = self._context.get_input_type(index)
        return None if kind is None else kind.tensor_type
