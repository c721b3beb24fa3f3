"""Indices: int32 from where the chip writes them to where they are used.

ONNX gives the indices of TopK, ArgMax and ArgMin as int64; the chip writes int32, and an operator that combines them
with an int64 constant is refused at compile time (ascend-facts: topk-indices). A Cast to int32 right behind them says
in ONNX what the chip does; where an operator has to have int64, a Cast back stands in front of it and moves on as far
as the values are known to fit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_graphsurgeon as gs
from onnx import TensorProto

from convertkit.api import passes
from convertkit_ascend.linter.schemas import is_variable, node_schema, type_variables
from convertkit_ascend.passes.legalizing.bounds import bounds, fits
from convertkit_ascend.passes.legalizing.constants import values_of

WRITTEN = {"TopK": 1, "ArgMax": 0, "ArgMin": 0}
"""The outputs that are int32 on the chip and int64 in ONNX (the checks ``output_dtype_actual`` of the table)."""

_ARITHMETIC = frozenset({"Add", "Sub", "Mul", "Div", "Mod"})
_MOVES = frozenset(
    {"Concat", "Expand", "Flatten", "Gather", "GatherElements", "Identity", "Reshape", "Slice", "Squeeze", "Tile",
     "Transpose", "Unsqueeze"}
)  # fmt: skip


def cast_where_the_chip_writes_int32(graph: passes.Graph) -> int:
    """Puts a Cast to int32 and one back to int64 behind every such output that something else reads."""
    count = 0
    for node in graph.find(tuple(WRITTEN)):
        place = WRITTEN[node.op]
        if place < len(node.outputs) and _is_read_as_int64(graph, node.outputs[place]):
            _cast_twice(graph, node, place)
            count += 1
    return count


def sink_widening_casts(graph: passes.Graph) -> int:
    """Moves each Cast from int32 to int64 behind its consumers, or away where they take int32 anyway."""
    count = 0
    for node in graph.find("Cast"):
        if _widens(node):
            readers = list({id(item): item for item in node.outputs[0].outputs}.values())
            count += sum(_pass_narrow(graph, reader, node) for reader in readers)
    return count


def _is_read_as_int64(graph: passes.Graph, tensor: Any) -> bool:
    if any(tensor is output for output in graph.outputs):
        return True
    return not all(
        reader.op == "Cast" and reader.attrs["to"] == TensorProto.INT32 for reader in tensor.outputs
    )


def _cast_twice(graph: passes.Graph, node: Any, place: int) -> None:
    """``indices`` keeps its name and its readers behind the two Casts; the chip's own output gets a new one."""
    indices = node.outputs[place]
    shape = indices.shape
    chip = gs.Variable(graph.fresh_name(f"{indices.name}_on_chip"), dtype=np.int64, shape=shape)
    node.outputs[place] = chip
    narrow = graph.add("Cast", [chip], attrs={"to": int(TensorProto.INT32)}, dtype=np.int32, shape=shape)
    graph.add("Cast", [narrow], attrs={"to": int(TensorProto.INT64)}, outputs=[indices])


def _widens(node: Any) -> bool:
    return bool(node.attrs["to"] == TensorProto.INT64 and node.inputs[0].dtype == np.int32)


def _pass_narrow(graph: passes.Graph, reader: Any, cast: Any) -> int:
    wide, narrow = cast.outputs[0], cast.inputs[0]
    if reader.op == "Cast":
        reader.inputs[0] = narrow
        return 1
    bound = _bound_slots(graph, reader)
    if bound is None:
        return 0
    count = 0
    for slot, tensor in enumerate(reader.inputs):
        if tensor is wide and slot not in bound and _takes_int32(graph, reader, slot):
            reader.inputs[slot] = narrow
            count += 1
    if any(reader.inputs[slot] is wide for slot in bound) and _can_be_int32(graph, reader, bound):
        _retype(graph, reader, bound)
        count += 1
    return count


def _bound_slots(graph: passes.Graph, node: Any) -> list[int] | None:
    """The inputs whose type the (only) output has; None for an operator without schema."""
    schema = node_schema(node.op, node.domain or "", graph.opset)
    if schema is None:
        return None
    outputs = set(type_variables(schema.outputs, len(node.outputs)))
    variables = type_variables(schema.inputs, len(node.inputs))
    return [slot for slot, name in enumerate(variables) if name in outputs and is_variable(name)]


def _takes_int32(graph: passes.Graph, node: Any, slot: int) -> bool:
    """Whether an input may be int32 whatever the others are."""
    schema = node_schema(node.op, node.domain or "", graph.opset)
    if schema is None or node.op == "OneHot":  # of its types onnxruntime runs a few combinations only
        return False
    variables = type_variables(schema.inputs, len(node.inputs))
    name = variables[slot]
    if not is_variable(name) or variables.count(name) > 1:
        return False
    allowed = {item.type_param_str: item.allowed_type_strs for item in schema.type_constraints}
    return "tensor(int32)" in allowed.get(name, ())


def _can_be_int32(graph: passes.Graph, node: Any, bound: list[int]) -> bool:
    """Whether a node computes the same in int32: it moves values, or its operands and results are known to fit."""
    if len(node.outputs) != 1 or node.op not in _MOVES | _ARITHMETIC:
        return False
    if any(node.outputs[0] is output for output in graph.outputs) or not node.outputs[0].outputs:
        return False
    if not all(_narrow_form(node.inputs[slot]) for slot in bound):
        return False
    return node.op in _MOVES or fits(bounds(node.outputs[0]))


def _narrow_form(tensor: Any) -> bool:
    """Whether there is an int32 tensor of the same values, or can be."""
    if values_of(tensor) is not None:
        return fits(bounds(tensor))
    return len(tensor.inputs) == 1 and tensor.inputs[0].op == "Cast" and _widens(tensor.inputs[0])


def _retype(graph: passes.Graph, node: Any, bound: list[int]) -> None:
    """The node computes in int32, and a Cast behind it gives its readers the int64 they know."""
    for slot in bound:
        tensor = node.inputs[slot]
        values = values_of(tensor)
        node.inputs[slot] = (
            tensor.inputs[0].inputs[0]
            if values is None
            else graph.constant(values.astype(np.int32), name=f"{tensor.name}_int32")
        )
    wide = node.outputs[0]
    narrow = gs.Variable(graph.fresh_name(f"{wide.name}_int32"), dtype=np.int32, shape=wide.shape)
    node.outputs[0] = narrow
    graph.add("Cast", [narrow], attrs={"to": int(TensorProto.INT64)}, outputs=[wide])
