"""Small graphs as text, so that a test shows the graph before a pass and after it side by side.

The text is ONNX's own (``onnx.parser``) without the model header::

    (float[2,3] x) => (int64[2,1] k)
    <int64[1] one = {1}>
    {
        v, k = TopK(x, one)
    }

:func:`parse` reads it, :func:`show` writes it in one canonical layout, so that two graphs are equal when their
texts are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import onnx
import onnx.parser
from numpy.typing import NDArray
from onnx import AttributeProto, TensorProto, numpy_helper

from convertkit.errors import UsageError
from convertkit.graph.light import LightModel, detach
from convertkit.passes.state import GraphState

if TYPE_CHECKING:
    from convertkit.passes.base import Pass

OPSET, IR_VERSION = 17, 8
MOST_VALUES = 16
"""Longer initializers are shown by their first values and their sum."""


def parse(text: str, *, opset: int = OPSET, domains: Iterable[str] = ()) -> LightModel:
    """The graph of a text without header; ``domains`` are further operator domains, at version 1.

    Functions of the model may follow the graph, as ``onnx.parser`` reads them.

    Raises:
        UsageError: the text is no graph; says the place.
    """
    imports = ", ".join([f'"" : {opset}', *(f'"{domain}" : 1' for domain in domains)])
    least = max(IR_VERSION, onnx.helper.OP_SET_ID_VERSION_MAP.get(("ai.onnx", opset), IR_VERSION))
    try:
        proto = onnx.parser.parse_model(f"<ir_version: {least}, opset_import: [{imports}]> graph {text}")
    except onnx.parser.ParseError as error:
        raise UsageError(f"the text is no graph: {_brief(error)}") from error
    return detach(proto)


def _brief(error: onnx.parser.ParseError) -> str:
    """The parser says it in bytes, and quotes everything up to the place."""
    words = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
    before, _, reason = words.strip().rpartition("\n")
    place = before.rstrip().rpartition("\n")[2].removeprefix("Error context:").strip()
    own = place.rpartition("> graph ")[2]
    return f"{reason.strip()} At the end of: {own[-80:]}"


def show(model: LightModel | str, *, opset: int = OPSET) -> str:
    """The canonical text of a graph (or of a text)."""
    light = parse(model, opset=opset) if isinstance(model, str) else model
    graph = light.proto.graph
    lines = [f"({_values(graph.input)}) => ({_values(graph.output)})"]
    tensors = [
        _initializer(light, tensor) for tensor in sorted(graph.initializer, key=lambda item: item.name)
    ]
    lines += [f"<{', '.join(tensors)}>"] if tensors else []
    return "\n".join([*lines, *_body(graph)])


def apply(step: Pass, model: LightModel | str, *, opset: int = OPSET) -> LightModel:
    """What a pass makes of a graph, as in a pipeline."""
    state = GraphState(parse(model, opset=opset) if isinstance(model, str) else model)
    state.apply(step)
    return state.model


def rewritten(step: Pass, text: str, *, opset: int = OPSET) -> str:
    """The canonical text of what a pass makes of a graph."""
    return show(apply(step, text, opset=opset))


def _body(graph: onnx.GraphProto) -> list[str]:
    return ["{", *(f"    {line}" for node in graph.node for line in _node(node).splitlines()), "}"]


def _node(node: onnx.NodeProto) -> str:
    attributes = ", ".join(_attribute(item) for item in sorted(node.attribute, key=lambda item: item.name))
    domain = f"{node.domain}." if node.domain not in ("", "ai.onnx") else ""
    options = f" <{attributes}>" if attributes else ""
    return f"{', '.join(node.output)} = {domain}{node.op_type}{options} ({', '.join(node.input)})"


def _attribute(item: onnx.AttributeProto) -> str:
    if item.type == AttributeProto.TENSOR:
        return f"{item.name} = {_tensor(item.t, numpy_helper.to_array(item.t))}"
    if item.type == AttributeProto.GRAPH:
        body = "\n".join(_body(item.g))
        return f"{item.name} = branch ({_values(item.g.input)}) => ({_values(item.g.output)})\n{body}"
    if item.type == AttributeProto.STRING:
        return f'{item.name} = "{item.s.decode()}"'
    value = onnx.helper.get_attribute_value(item)
    return f"{item.name} = {list(value) if item.type > AttributeProto.GRAPH else value}"


def _values(values: Iterable[onnx.ValueInfoProto]) -> str:
    return ", ".join(f"{_type(value.type.tensor_type)} {value.name}" for value in values)


def _type(tensor: onnx.TypeProto.Tensor) -> str:
    name = TensorProto.DataType.Name(tensor.elem_type).lower()
    if not tensor.HasField("shape"):
        return f"{name}[]"
    dims = [
        str(dim.dim_value) if dim.HasField("dim_value") else dim.dim_param or "?" for dim in tensor.shape.dim
    ]
    return f"{name}[{','.join(dims)}]" if dims else name


def _initializer(model: LightModel, tensor: TensorProto) -> str:
    kind, _, values = _tensor(tensor, model.array(tensor)).partition(" ")
    return f"{kind} {tensor.name} = {values}"


def _tensor(tensor: TensorProto, array: NDArray[Any]) -> str:
    name = TensorProto.DataType.Name(tensor.data_type).lower()
    dims = f"[{','.join(map(str, tensor.dims))}]" if len(tensor.dims) else ""
    flat = array.reshape(-1)
    shown = [str(value.item()) for value in flat[:MOST_VALUES]]
    if flat.size > MOST_VALUES:
        shown.append(f"... sum {flat.sum()}")
    return f"{name}{dims} {{{', '.join(shown)}}}"
