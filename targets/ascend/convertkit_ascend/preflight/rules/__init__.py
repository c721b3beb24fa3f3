"""The rules: about the raw file, and about the graph whose types are inferred."""

from __future__ import annotations

from convertkit_ascend.preflight.rule import Rule
from convertkit_ascend.preflight.rules import (
    constants,
    dead,
    edges,
    file,
    input_shape,
    interface,
    keys,
    names,
    outputs,
    support,
    vendor,
)
from convertkit_ascend.preflight.subject import Subject
from convertkit_ascend.preflight.typed import Typed

FIRST: tuple[Rule[Subject], ...] = (file.file_size, file.invalid_utf8)
"""While one of these is broken nothing else can be read."""

RAW: tuple[Rule[Subject], ...] = (
    keys.opset_import_twice,
    keys.domain_private,
    keys.function_call,
    names.node_name_generated,
    names.input_name,
    names.input_unnamed,
    names.input_twice,
    names.input_name_syntax,
    names.attribute_twice,
    edges.input_dangling,
    edges.input_required,
    edges.input_left_out,
    edges.name_empty,
    edges.tensor_shadowed,
    edges.graph_cycle,
    edges.output_unknown,
    edges.nms_inputs,
    edges.nms_outputs,
    constants.constant_empty,
    constants.sparse_initializer,
    constants.weight_type,
    constants.weight_size,
    constants.external_outside,
    constants.external_missing,
    interface.input_untyped,
    interface.input_not_tensor,
    interface.input_type_refused,
    interface.input_no_shape,
    interface.input_constant,
    input_shape.input_shape_missing,
    input_shape.input_shape_unknown,
    input_shape.input_shape_differs,
    dead.node_dead,
    dead.input_unused,
    dead.initializer_unused,
)

TYPED: tuple[Rule[Typed], ...] = (
    outputs.output_declared,
    outputs.output_int64,
    vendor.vendor_attribute,
    vendor.nms_image_size,
    vendor.vendor_limit,
    vendor.vendor_note,
    vendor.op_shape_unknown,
    support.kernel_missing,
    support.float32_kept,
)
