"""What ``model.yaml`` says about inputs and outputs, held against the stock graph before any pass runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import onnx

from convertkit.detection.roles import SETS
from convertkit.errors import GraphError
from convertkit.graph.input_shapes import free_inputs
from convertkit.graph.sizes import CHANNELS
from convertkit.models.package import refuse_class_count

if TYPE_CHECKING:
    from convertkit.models.package import ModelPackage, Variant
    from convertkit.models.spec import TensorSpec


def check_contract(graph: onnx.GraphProto, package: ModelPackage, variant: Variant) -> None:
    """A stock graph of other names, types or sizes than promised would fail late and far from its cause.

    What is not said, or open in the graph, is not compared; one letter stands for one size.

    Raises:
        GraphError: names the first that differs, what it is and what was promised.
    """
    where = package.root / "model.yaml"
    letters, batch = dict(zip("HW", variant.spec.size, strict=True)), variant.spec.batch
    for kind, values, promised in (
        ("input", free_inputs(graph), package.spec.inputs),
        ("output", list(graph.output), package.spec.outputs),
    ):
        have = [value.name for value in values]
        if have != list(promised):
            raise GraphError(
                f"the stock graph has {kind}s {', '.join(have)}; {where} promises {', '.join(promised)}"
            )
        for value in values:
            if promised[value.name].role == "masks":
                sides = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
                refuse_class_count(package.spec, value.name, sides)
            what = f"the stock graph's {kind} {value.name}"
            _check(what, value, promised[value.name], letters, batch, str(where))


def own_sizes(graph: onnx.GraphProto, package: ModelPackage, variant: Variant) -> dict[str, tuple[int, ...]]:
    """What the package says of inputs that the graph leaves open: H and W by the variant's size, B by its batch.

    An image whose shape ``model.yaml`` does not say is taken for ``(B, C, H, W)``, or ``(B, H, W, C)`` where the graph
    has its channels last.
    """
    size, batch, inputs = variant.spec.size, variant.spec.batch, package.spec.inputs
    values = {value.name: value for value in graph.input if value.name in inputs}
    shapes = {
        name: inputs[name].at(size, batch) or _as_image(value, inputs[name], (batch, *size))
        for name, value in values.items()
    }
    one = {shape[0] for name, shape in shapes.items() if shape and inputs[name].role == "image"}
    found = {}
    for name, value in values.items():
        dims = value.type.tensor_type.shape.dim
        sides = [batch if side in one and isinstance(side, str) else side for side in shapes[name]]
        told = tuple(
            dim.dim_value if dim.dim_value > 0 else side if isinstance(side, int) else -1
            for dim, side in zip(dims, sides, strict=False)
        )
        if any(size > 0 and dim.dim_value <= 0 for size, dim in zip(told, dims, strict=False)):
            found[name] = told
    return found


def _as_image(
    value: onnx.ValueInfoProto, promised: TensorSpec, sizes: tuple[int, int, int]
) -> tuple[int | str, ...]:
    dims = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
    if promised.role != "image" or len(dims) != 4:
        return ()
    last = dims[3] in CHANNELS and dims[1] not in CHANNELS
    batch, *sides = sizes
    return (batch, *sides, "C") if last else (batch, "C", *sides)


def _check(
    what: str,
    value: onnx.ValueInfoProto,
    promised: TensorSpec,
    letters: dict[str, int],
    batch: int,
    where: str,
) -> None:
    kind = value.type.tensor_type
    dtype = str(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)) if kind.elem_type else ""
    if promised.dtype and dtype != promised.dtype:
        raise GraphError(f"{what} is {dtype or 'no tensor'}; {where} promises {promised.dtype}")
    if not promised.shape or not kind.HasField("shape"):
        return
    dims = [dim.dim_value for dim in kind.shape.dim]
    if promised.role in SETS and len(dims) == len(promised.shape) + 1 and dims[0] in (0, batch):
        dims = dims[1:]
    wanted = promised.of(batch)
    if promised.role == "masks" and len(dims) == len(wanted) - 1 == 3:
        wanted = (wanted[0], *wanted[2:])  # one mask of each detection is what is made of all in the end
    if len(dims) != len(wanted) or not all(
        _fits(size, side, letters) for size, side in zip(dims, wanted, strict=True)
    ):
        shape = [dim.dim_value or dim.dim_param or "?" for dim in kind.shape.dim]
        raise GraphError(
            f"{what} is {_text(shape, {})}; {where} promises {_text(promised.of(batch), letters)}"
        )


def _fits(size: int, promised: int | str, letters: dict[str, int]) -> bool:
    if size <= 0:
        return True
    wanted = letters.setdefault(promised, size) if isinstance(promised, str) else promised
    return wanted in (size, -1)


def _text(shape: Sequence[int | str], letters: Mapping[str, int]) -> str:
    sizes = [
        f"{one}={letters[one]}" if isinstance(one, str) and one in letters else str(one) for one in shape
    ]
    return f"[{', '.join(sizes)}]"
