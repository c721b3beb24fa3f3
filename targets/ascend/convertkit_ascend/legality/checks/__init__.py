"""The checks of the table, by kind.

Each kind is a function ``(node, check) -> why | None``. Nothing is said where a graph leaves open what a check asks
for: a rank, a size or a value that inference cannot tell. Of the kinds in the table, ``input_nonneg`` and
``input_value_max`` hold for constants only (values computed by the graph are not known), and checks of severity
``info`` are remarks of documentation that no rule follows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from convertkit_ascend.legality.checks import attributes, inputs, operators
from convertkit_ascend.legality.table import Check
from convertkit_ascend.legality.view import Node

KINDS: Mapping[str, Callable[[Node, Check], str | None]] = {
    "any_input_present": inputs.any_input_present,
    "attr_absent": attributes.attr_default,
    "attr_all_equal": attributes.attr_all_equal,
    "attr_default": attributes.attr_default,
    "attr_equals": attributes.attr_equals,
    "attr_explicit": attributes.attr_explicit,
    "attr_in": attributes.attr_in,
    "attr_len": attributes.attr_len,
    "attr_len_even": attributes.attr_len_even,
    "attr_not": attributes.attr_not,
    "attr_odd": attributes.attr_odd,
    "attr_only": attributes.attr_only,
    "attr_product_max": attributes.attr_product_max,
    "attr_range": attributes.attr_range,
    "attr_required": attributes.attr_required,
    "attr_type": attributes.attr_type,
    "axes_explicit": operators.axes_explicit,
    "axis_len_not": operators.axis_len_not,
    "dynamic_output": operators.dynamic_output,
    "input_const": inputs.input_const,
    "input_count_range": inputs.input_count_range,
    "input_dim_max": inputs.input_dim_range,
    "input_dim_range": inputs.input_dim_range,
    "input_dtype_in": inputs.input_dtype_in,
    "input_nonneg": inputs.input_nonneg,
    "input_rank_in": inputs.input_rank_in,
    "input_rank_min": inputs.input_rank_range,
    "input_rank_range": inputs.input_rank_range,
    "input_value_max": inputs.input_value_max,
    "max_inputs": inputs.max_inputs,
    "max_outputs": inputs.max_outputs,
    "min_inputs": inputs.min_inputs,
    "output_dtype_actual": operators.output_dtype_actual,
    "same_dtype": inputs.same_dtype,
    "slice_last_step_one": operators.slice_last_step_one,
    "slice_last_step_positive": operators.slice_last_step_positive,
    "split_even": operators.split_even,
    "topk_small_k": operators.topk_small_k,
}

FIXES: Mapping[str, str] = {
    "attr_absent": "leave the attribute out; compute what it does with other operators",
    "attr_only": "store the tensor in the attribute value, or as an initializer",
    "attr_required": "write the attribute with its ONNX type",
    "attr_type": "write the attribute with the type the parser reads",
    "axes_explicit": "write the axes",
    "dynamic_output": "replace it by an operator with a static number of results",
    "input_const": "make it an initializer (fold-constants does where it can be computed)",
    "input_dtype_in": "cast the input",
    "input_nonneg": "add the size of the axis to negative indices (legalize-ascend does for constants)",
    "output_dtype_actual": "read it through a Cast to that type (legalize-ascend does for TopK)",
    "same_dtype": "cast one of them, so that both have one type on the chip too",
}
"""How to get around a kind; the other kinds say what they want in their first line."""

GENERAL_FIX = "change the node to meet the limit, or export it another way"
