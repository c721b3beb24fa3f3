"""The table of kernels against what the installed onnxruntime has registered."""

from __future__ import annotations

from collections import defaultdict

import onnx.defs
import pytest
from convertkit_passes.int64.kernels import why_kept

state = pytest.importorskip("onnxruntime.capi.onnxruntime_pybind11_state")

OPSETS = range(11, 22)


def kernels() -> dict[str, list[tuple[int, int, dict[str, list[str]]]]]:
    """(first opset, last opset, types by variable) of every kernel of the CPU provider."""
    found = defaultdict(list)
    for kernel in state.get_all_opkernel_def():
        if kernel.provider == "CPUExecutionProvider" and not kernel.domain:
            found[kernel.op_name].append((*kernel.version_range, kernel.type_constraints))
    return found


def runnable(rows: list[tuple[int, int, dict[str, list[str]]]], opset: int, variable: str, kind: str) -> bool:
    return any(
        first <= opset <= last and f"tensor({kind})" in types.get(variable, [f"tensor({kind})"])
        for first, last, types in rows
    )


@pytest.mark.skipif(
    not hasattr(state, "get_all_opkernel_def"), reason="this onnxruntime does not list its kernels"
)
def test_every_operator_without_an_int32_kernel_is_kept() -> None:
    rows = kernels()
    missing = set()
    for opset in OPSETS:
        for name in {schema.name for schema in onnx.defs.get_all_schemas()} & set(rows):
            schema = latest(name, opset)
            for item in schema.type_constraints if schema else ():
                both = {"tensor(int64)", "tensor(int32)"} <= set(item.allowed_type_strs)
                wide, narrow = (
                    runnable(rows[name], opset, item.type_param_str, kind) for kind in ("int64", "int32")
                )
                if both and wide and not narrow:
                    missing.add((name, item.type_param_str, opset))

    assert {item for item in missing if why_kept(*item) is None} == set()
    assert ("Unique", "T", 11) in missing


def test_combinations_of_one_hot_are_as_incomplete_as_the_table_says() -> None:
    combinations = {
        tuple(types[name][0] for name in ("T1", "T2", "T3")) for _, _, types in kernels()["OneHot"]
    }

    assert ("tensor(int64)", "tensor(int64)", "tensor(int64)") in combinations
    assert ("tensor(int32)", "tensor(int32)", "tensor(int32)") not in combinations


def latest(name: str, opset: int) -> onnx.defs.OpSchema | None:
    try:
        return onnx.defs.get_schema(name, opset, "")
    except onnx.defs.SchemaError:
        return None


def test_other_operators_are_free() -> None:
    assert why_kept("Add", "T", 13) is None
    assert why_kept("Range", "T", 12) is None
    assert why_kept("Range", "T", 13) is not None
