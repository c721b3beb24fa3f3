"""The roofline over a graph: every node takes as long as its arithmetic or its bytes, whichever is longer.

Nodes run one after another and every tensor goes through memory: that is the bound without fusion. What a compiler
fuses saves bytes: where the machine says what its compiler is said to fuse, :attr:`Estimate.fused` is the bound of a
run in which all of it is fused, never above the other. What a cache keeps is in neither. :attr:`Estimate.least` is what
no schedule can beat: the matrix products at their peak, or the weights once through memory. None knows of anything else
that takes time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from msgspec import Struct

from convertkit.errors import GraphError
from convertkit.estimation.fusion import Fused, fuse
from convertkit.estimation.operations import Node, operations
from convertkit.estimation.rules import RULES, head_cost
from convertkit.graph.costs import FREE, Cost, Operation
from convertkit.graph.domains import domains_of
from convertkit.graph.input_shapes import free_inputs, remedy
from convertkit.graph.sizes import symbol
from convertkit.heads.domain import HEADS

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel
    from convertkit.targets.machine import Figure, Machine
    from convertkit.targets.pixels import Pixels


Interface: TypeAlias = tuple[int, "int | None", "int | None"]
"""Bytes of the weights, of the inputs, of the outputs."""


class Row(Struct, frozen=True):
    """One node.

    Attributes:
        operations: of the unit that computes; 0 where values are only moved.
        bytes: read and written.
        bound: name of the unit or memory that takes longest.
        seconds: how long that is.
    """

    name: str
    op: str
    unit: str
    operations: int
    bytes: int
    bound: str
    seconds: float


class Uncounted(Struct, frozen=True):
    """A node that the estimate knows nothing of, and why."""

    name: str
    op: str
    why: str


class Estimate(Struct, frozen=True):
    """What a graph takes.

    Attributes:
        machine: name of the chip.
        rows: every node that takes time, in data-flow order.
        complete: whether every node is counted; else operations, bytes and seconds are lower bounds.
        matrix_operations, vector_operations, bytes: summed over the rows.
        seconds: summed over the rows: without fusion.
        fused: with fusion; None where nothing is known of what the compiler fuses.
        by_bound: the seconds by what bounds them.
        with_memory: the seconds with each other figure of the memory, by its source.
        least: seconds that no schedule can beat, with the fastest memory given.
        weight_bytes: of all constants, as the machine stores them.
        input_bytes, output_bytes: of the graph, in the types it declares (one byte a value for an input of pixels):
            what is copied from and to the host; None where a size depends on the data.
        uncounted: nodes left out.
        left_out: what depends on the data and is in no row.
    """

    machine: str
    complete: bool
    rows: tuple[Row, ...]
    matrix_operations: int
    vector_operations: int
    bytes: int
    seconds: float
    fused: Fused | None
    by_bound: dict[str, float]
    with_memory: dict[str, float]
    least: float
    weight_bytes: int
    input_bytes: int | None
    output_bytes: int | None
    uncounted: tuple[Uncounted, ...]
    left_out: tuple[str, ...]


def estimate(model: LightModel, machine: Machine, pixels: Pixels | None = None) -> Estimate:
    """The roofline of a graph on a machine.

    Args:
        pixels: the input that the machine normalises itself: bytes are copied to it, not floating numbers.

    Raises:
        GraphError: the graph contradicts itself, or sizes of its inputs are open.
    """
    if waiting := remedy(free_inputs(model.proto.graph)):
        raise GraphError(f"open sizes cannot be counted: {waiting}", hint="put sizes for N")
    vendor = {domain.name: domain.cost for domain in domains_of(model) if domain.cost is not None}
    vendor[HEADS] = head_cost
    counted: list[tuple[Node, Cost]] = []
    uncounted: list[Uncounted] = []
    for node in operations(model, machine.float_bytes):
        try:
            counted.append((node, FREE if node.known else _cost(node, vendor)))
        except LookupError as error:
            uncounted.append(Uncounted(node.name, node.op, str(error.args[0])))
    rows = tuple(_row(node, cost, machine) for node, cost in counted if cost.operations or cost.bytes)
    return _summed(rows, counted, uncounted, machine, _interface_bytes(model, machine.float_bytes, pixels))


def _cost(node: Node, vendor: Mapping[str, Callable[[Operation], Cost | None]]) -> Cost:
    """Raises LookupError with the reason where there is no answer."""
    if node.domain and node.domain not in vendor:
        raise LookupError(f"operator domain {node.domain} has no costs")
    if not node.domain and node.op not in RULES:
        raise LookupError("no cost is known for the operator")
    if node.operation is None:
        raise LookupError(f"{node.open} has no static shape")
    found = vendor[node.domain](node.operation) if node.domain else RULES[node.op](node.operation)
    if found is None:
        raise LookupError("no cost is known for the operator")
    return found


def _row(node: Node, cost: Cost, machine: Machine) -> Row:
    unit = {"matrix": machine.matrix, "vector": machine.vector}.get(cost.unit)
    computing = cost.operations / unit.rate if unit is not None else 0.0
    moving = cost.bytes / machine.memory.rate
    bound = unit.name if unit is not None and computing > moving else machine.memory.name
    return Row(
        node.name,
        node.op,
        unit.name if unit is not None else "",
        cost.operations,
        cost.bytes,
        bound,
        max(computing, moving),
    )


def _summed(
    rows: tuple[Row, ...],
    counted: list[tuple[Node, Cost]],
    uncounted: list[Uncounted],
    machine: Machine,
    interface: Interface,
) -> Estimate:
    matrix = sum(cost.operations for _, cost in counted if cost.unit == "matrix")
    bounds = sorted({row.bound for row in rows})
    weights, inputs, outputs = interface
    fastest = max(figure.rate for figure in (machine.memory, *machine.other_memory))
    return Estimate(
        machine=machine.name,
        complete=not uncounted,
        rows=rows,
        matrix_operations=matrix,
        vector_operations=sum(cost.operations for _, cost in counted if cost.unit == "vector"),
        bytes=sum(row.bytes for row in rows),
        seconds=sum(row.seconds for row in rows),
        fused=fuse(counted, machine) if machine.fusions else None,
        by_bound={bound: sum(row.seconds for row in rows if row.bound == bound) for bound in bounds},
        with_memory={figure.source: _seconds(counted, machine, figure) for figure in machine.other_memory},
        least=max(matrix / machine.matrix.rate, weights / fastest),
        weight_bytes=weights,
        input_bytes=inputs,
        output_bytes=outputs,
        uncounted=tuple(uncounted),
        left_out=tuple(sorted({cost.left_out for _, cost in counted if cost.left_out})),
    )


def _seconds(counted: Iterable[tuple[Node, Cost]], machine: Machine, memory: Figure) -> float:
    other = replace(machine, memory=memory)
    return sum(_row(node, cost, other).seconds for node, cost in counted)


def _interface_bytes(model: LightModel, float_bytes: int, pixels: Pixels | None) -> Interface:
    """Weights as the machine stores them; inputs and outputs as the graph declares them (None where a size is open)."""
    import onnx

    graph = model.proto.graph
    dtypes = onnx.helper.tensor_dtype_to_np_dtype
    weights = 0
    for tensor in graph.initializer:
        dtype = dtypes(tensor.data_type)
        weights += int(np.prod(tensor.dims)) * (float_bytes if dtype.kind == "f" else dtype.itemsize)

    def declared(value: onnx.ValueInfoProto) -> int | None:
        kind = value.type.tensor_type
        if not kind.HasField("shape") or any(symbol(value, axis) for axis in range(len(kind.shape.dim))):
            return None
        itemsize = 1 if pixels is not None and value.name == pixels.input else dtypes(kind.elem_type).itemsize
        return int(np.prod([dim.dim_value for dim in kind.shape.dim])) * itemsize

    def total(values: Iterable[onnx.ValueInfoProto]) -> int | None:
        found = [declared(value) for value in values]
        return None if None in found else sum(each for each in found if each is not None)

    return weights, total(free_inputs(graph)), total(graph.output)
