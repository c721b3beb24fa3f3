"""The vendor operators by name, and their schemas in onnx."""

from __future__ import annotations

from typing import TYPE_CHECKING

import convertkit
from convertkit_ascend.domain import DOMAIN as DOMAIN

if TYPE_CHECKING:
    import onnx

    from convertkit_ascend.ops.record import Attribute, Formal, VendorOp

VERSION = 1

_FLOATING = ["tensor(float)", "tensor(float16)"]

_ops: dict[str, VendorOp] = {}


def add(op: VendorOp) -> VendorOp:
    """Make an operator known.

    Raises:
        PluginError: another operator has its name.
    """
    if _ops.setdefault(op.name, op) is not op:
        raise convertkit.PluginError(f"vendor operator {op.name!r} is registered twice")
    return op


def get(name: str) -> VendorOp:
    """The operator of that name.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in _ops:
        raise convertkit.UnknownNameError("vendor operator", name, _ops)
    return _ops[name]


def names() -> tuple[str, ...]:
    """All names, in alphabetical order."""
    return tuple(sorted(_ops))


def register_schemas() -> None:
    """Make onnx know the operators: its checker and shape inference then take graphs with them.

    Costs the import of onnx. Calling it again does nothing. It holds for this process only. ``onnxsim.simplify`` 0.8
    copies such schemas and then folds the shapes behind the operators; onnxruntime has no way to add one from Python.
    """
    import onnx

    for op in _ops.values():
        if not onnx.defs.has(op.name, DOMAIN):
            onnx.defs.register_schema(schema(op))


def schema(op: VendorOp) -> onnx.defs.OpSchema:
    """The ONNX schema of an operator, with its inference.

    The checker refuses a missing or mistyped attribute and an unknown one by itself; it refuses wrong types with
    ``full_check``; ranks, sizes and ranges are refused by the operator's own inference.
    """
    import onnx
    from onnx.shape_inference import InferenceContext

    from convertkit_ascend.ops.inference import Node

    def infer(context: InferenceContext) -> None:
        op.infer(Node(context, op))

    made = onnx.defs.OpSchema(
        op.name,
        DOMAIN,
        VERSION,
        op.doc,
        inputs=[_formal(item) for item in op.inputs],
        outputs=[_formal(item) for item in op.outputs],
        type_constraints=[
            ("T", _FLOATING, "What the vendor's IR lists; on the 310P see the operator's notes.")
        ],
        attributes=[_attribute(item) for item in op.attributes],
    )
    made.set_type_and_shape_inference_function(infer)
    return made


def _formal(item: Formal) -> onnx.defs.OpSchema.FormalParameter:
    import onnx

    options = onnx.defs.OpSchema.FormalParameterOption
    chosen = {"single": options.Single, "optional": options.Optional, "variadic": options.Variadic}
    arity = 2 if item.option == "variadic" else 1
    return onnx.defs.OpSchema.FormalParameter(
        item.name, item.type, item.doc, param_option=chosen[item.option], min_arity=arity
    )


def _attribute(item: Attribute) -> onnx.defs.OpSchema.Attribute:
    import onnx

    kind = onnx.defs.OpSchema.AttrType
    if item.default is None:
        kinds = {"FLOAT": kind.FLOAT, "INT": kind.INT, "STRING": kind.STRING, "FLOATS": kind.FLOATS}
        return onnx.defs.OpSchema.Attribute(item.name, kinds[item.kind], item.doc, required=True)
    return onnx.defs.OpSchema.Attribute(
        item.name, onnx.helper.make_attribute(item.name, item.default), item.doc
    )
