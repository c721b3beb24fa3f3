"""The schema of an operator in onnx, with its inference."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

    from convertkit.heads.operator import Attribute, Formal, Operator

VERSION = 1
"""Of every domain of ours."""

_FLOATING = ["tensor(float)", "tensor(float16)"]


def register(operators: Iterable[Operator], domain: str) -> None:
    """Make onnx know operators: its checker and shape inference then take graphs with them.

    Costs the import of onnx. Calling it again does nothing. It holds for this process only. ``onnxsim.simplify`` 0.8
    copies such schemas and then folds the shapes behind the operators; onnxruntime has no way to add one from Python.
    """
    import onnx

    for op in operators:
        if not onnx.defs.has(op.name, domain):
            onnx.defs.register_schema(schema(op, domain))


def schema(op: Operator, domain: str) -> onnx.defs.OpSchema:
    """The ONNX schema of an operator, with its inference.

    The checker refuses a missing or mistyped attribute and an unknown one by itself; it refuses wrong types with
    ``full_check``; ranks, sizes and ranges are refused by the operator's own inference.
    """
    import onnx
    from onnx.shape_inference import InferenceContext

    from convertkit.heads.inference import Node

    def infer(context: InferenceContext) -> None:
        op.infer(Node(context, op))

    made = onnx.defs.OpSchema(
        op.name,
        domain,
        VERSION,
        op.doc,
        inputs=[_formal(item) for item in op.inputs],
        outputs=[_formal(item) for item in op.outputs],
        type_constraints=[("T", _FLOATING, "One floating type for all.")],
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
