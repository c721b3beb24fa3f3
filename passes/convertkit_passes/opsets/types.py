"""What is known of the tensors around a node, and the refusal of a node."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import onnx

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLD = "simplify or fold-constants in front of it may make it one"


class Refused(Exception):
    """A node that another opset cannot say.

    Args:
        why: in words that go on after the node and its operator.
        remedy: what helps; None where only the opset it is refused at does.
    """

    def __init__(self, why: str, remedy: str | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.remedy = remedy


@dataclass(frozen=True)
class Scope:
    """The tensors that the nodes of one graph can read; those of the graphs around it, too.

    Attributes:
        types: by tensor, as far as inference tells.
        constants: by tensor, a function that reads the values.
        names: of all tensors and nodes of the model, for fresh ones.
    """

    names: set[str]
    types: MutableMapping[str, onnx.TypeProto] = field(default_factory=ChainMap)
    constants: MutableMapping[str, Callable[[], NDArray[Any]]] = field(default_factory=ChainMap)

    def inner(self) -> Scope:
        """The scope of a body, which sees this one."""
        return Scope(self.names, ChainMap({}, self.types), ChainMap({}, self.constants))

    def fresh(self, prefix: str) -> str:
        """A name that the model does not have yet."""
        name, count = prefix, 0
        while name in self.names:
            count += 1
            name = f"{prefix}_{count}"
        self.names.add(name)
        return name

    def constant(self, values: NDArray[Any], stem: str) -> onnx.NodeProto:
        """A node that gives ``values`` under a fresh name."""
        name = self.fresh(stem)
        self.know(name, values)
        tensor = onnx.numpy_helper.from_array(values, name)
        return onnx.helper.make_node("Constant", [], [name], name=name, value=tensor)

    def know(self, name: str, values: NDArray[Any]) -> None:
        """Notes the values, the type and the shape of a constant."""
        self.constants[name] = lambda: values
        kind = onnx.helper.np_dtype_to_tensor_dtype(values.dtype)
        self.types[name] = onnx.helper.make_tensor_type_proto(kind, values.shape)

    def value(self, node: onnx.NodeProto, at: int) -> NDArray[Any] | None:
        """The values of an input; None where it is left out.

        Raises:
            Refused: it is no constant.
        """
        name = node.input[at] if at < len(node.input) else ""
        if not name:
            return None
        if name not in self.constants:
            raise Refused(f"input {name!r} is no constant", FOLD)
        return self.constants[name]()

    def shape(self, name: str) -> list[int | None] | None:
        """The sizes of a tensor, None where they, or the number of them, are open."""
        kind = self.types[name].tensor_type if name in self.types else None
        if kind is None or not kind.HasField("shape"):
            return None
        return [dim.dim_value if dim.HasField("dim_value") else None for dim in kind.shape.dim]

    def rank(self, name: str) -> int:
        """The number of dimensions.

        Raises:
            Refused: it is unknown.
        """
        shape = self.shape(name)
        if shape is None:
            raise Refused(f"the rank of {name!r} is unknown", "set-input-shape in front of it may tell it")
        return len(shape)


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """The attributes of a node as Python values; strings are bytes."""
    return {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}


def rewritten(
    node: onnx.NodeProto, values: dict[str, Any], inputs: list[str] | None = None
) -> onnx.NodeProto:
    """A copy of a node with these attributes, None for none, and these inputs, none of them empty at the end."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    old = {item.name: item for item in node.attribute}
    del copy.attribute[:]
    for name, value in values.items():
        same = name in old and onnx.helper.get_attribute_value(old[name]) == value
        if value is not None:
            copy.attribute.append(old[name] if same else onnx.helper.make_attribute(name, value))
    if inputs is not None:
        del copy.input[:]
        copy.input.extend(inputs)
    while copy.input and not copy.input[-1]:
        copy.input.pop()
    return copy
