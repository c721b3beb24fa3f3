"""Rules about ``--input_shape`` against the graph's inputs."""

from __future__ import annotations

from collections.abc import Iterator

import onnx

from convertkit.api import graphs
from convertkit_ascend.linter.rule import Spot, rule
from convertkit_ascend.linter.subject import Subject


@rule(
    "input-shape-missing",
    fix="give its sizes in --input-shape, or export it static",
    source="ascend-facts: parser-inputs; -1, then E10001 [run / read]",
    hides=("shape-dynamic",),
)
def input_shape_missing(subject: Subject) -> Iterator[Spot]:
    """An input whose shape is open has its sizes in --input_shape."""
    for value in subject.inputs:
        told = (subject.input_shape or {}).get(value.name)
        open_ones = [_size(dim) for dim in _dims(value) if not _is_static(dim)]
        if told is None and open_ones:
            why = f"its sizes {', '.join(open_ones)} are open and --input_shape is silent"
            yield Spot(value.name, why, fix=graphs.remedy([value]))
        elif told is not None and min(told, default=0) < 0:
            yield Spot(value.name, f"--input_shape leaves it open: {_text(told)}", fix=graphs.remedy([value]))


@rule(
    "input-shape-unknown",
    fix="name an input of the graph",
    source="ascend-facts: atc-shapes, atc-errors; E10016 [documented]",
)
def input_shape_unknown(subject: Subject) -> Iterator[Spot]:
    """Every name in --input_shape is a graph input."""
    names = [value.name for value in subject.inputs]
    for name in subject.input_shape or {}:
        if name not in names:
            yield Spot(name, f"the graph has no such input; it has {', '.join(names) or 'none'}")


@rule(
    "input-shape-differs",
    fix="give the shape the graph was made for, or export it again",
    source="ascend-facts: atc-errors; E10049 for their number; others contradict folded shapes [derived]",
)
def input_shape_differs(subject: Subject) -> Iterator[Spot]:
    """--input_shape agrees with the sizes that the graph declares."""
    for value in subject.inputs:
        told, dims = (subject.input_shape or {}).get(value.name), _dims(value)
        if told is None or not value.type.tensor_type.HasField("shape"):
            continue
        fits = len(told) == len(dims) and all(
            not _is_static(dim) or size in (-1, dim.dim_value) for dim, size in zip(dims, told, strict=True)
        )
        if not fits:
            yield Spot(value.name, f"--input_shape says {_text(told)}, the graph ({_declared(value)})")


def _dims(value: onnx.ValueInfoProto) -> list[onnx.TensorShapeProto.Dimension]:
    return list(value.type.tensor_type.shape.dim)


def _is_static(dim: onnx.TensorShapeProto.Dimension) -> bool:
    return dim.HasField("dim_value") and dim.dim_value >= 0


def _size(dim: onnx.TensorShapeProto.Dimension) -> str:
    return str(dim.dim_value) if dim.HasField("dim_value") else dim.dim_param or "?"


def _declared(value: onnx.ValueInfoProto) -> str:
    return ", ".join(_size(dim) for dim in _dims(value))


def _text(sizes: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, sizes))})"
