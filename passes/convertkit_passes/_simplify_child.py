"""The child process of ``simplify``: one ONNX file in, one out. Native code that crashes takes only this down.

    python -m convertkit_passes._simplify_child IN OUT OPTIONS

OPTIONS is a JSON object with ``skip`` (optimizer names) and ``fold_limit`` (bytes).
"""

from __future__ import annotations

import difflib
import importlib.util
import json
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

INLINE = "eliminate_if_with_const_cond"
"""onnxsim's optimizer that leaves nodes unsorted where an If that it puts in place holds another one."""


def main(arguments: Sequence[str]) -> None:
    """Simplifies one file into another."""
    source, result, options = Path(arguments[0]), Path(arguments[1]), json.loads(arguments[2])
    try:
        result.write_bytes(simplify(source.read_bytes(), **options))
    except ValueError as error:
        sys.exit(str(error))


def simplify(data: bytes, *, skip: list[str], fold_limit: int) -> bytes:
    """The simplified model.

    Raises:
        ValueError: ``skip`` names an optimizer that onnxsim does not have.
        RuntimeError: onnxsim failed.
    """
    try:
        return _simplify(data, skip=skip, fold_limit=fold_limit)
    except RuntimeError:
        if INLINE in skip:
            raise
        return _simplify(data, skip=[*skip, INLINE], fold_limit=fold_limit)


def _simplify(data: bytes, *, skip: list[str], fold_limit: int) -> bytes:
    try:
        core = native_core()
        _check_names(skip, core._list_optimizers())
        result = core.simplify(executor=_executor(core), model_bytes=data, **_arguments(skip, fold_limit))
    # another release of onnxsim, whose core is called differently
    except (ImportError, AttributeError, TypeError):
        return simplify_publicly(data, skip=skip, fold_limit=fold_limit)
    return bytes(result)


def simplify_publicly(data: bytes, *, skip: list[str], fold_limit: int) -> bytes:
    """The same through onnxsim's documented function, which takes a second longer to import."""
    import onnx
    import onnxsim

    options: dict[str, Any] = {"skipped_optimizers": skip, "tensor_size_threshold": f"{fold_limit}B"}
    model = onnx.load_from_string(data)
    try:
        model, _ = onnxsim.simplify(model, **options)
    except RuntimeError as error:
        if "ShapeInferenceError" not in str(error):
            raise
        # Releases before 0.8 (Python 3.10 has no later one) contradict themselves on detection graphs.
        model, _ = onnxsim.simplify(model, skip_shape_inference=True, **options)
    return bytes(model.SerializeToString(deterministic=True))


def native_core() -> Any:
    """onnxsim's compiled module, without the Python package around it (quantizers, provers, sympy)."""
    spec = importlib.util.find_spec("onnxsim")
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError("onnxsim is not installed")
    bare = types.ModuleType("onnxsim")
    bare.__path__ = list(spec.submodule_search_locations)
    package = sys.modules.setdefault("onnxsim", bare)
    try:
        return importlib.import_module("onnxsim.onnxsim_cpp2py_export")
    finally:
        if package is bare:
            del sys.modules["onnxsim"]  # whoever imports it next gets all of it


def _check_names(skip: list[str], known: list[str]) -> None:
    unknown = sorted(set(skip) - set(known))
    if unknown:
        nearest = difflib.get_close_matches(unknown[0], known, n=3, cutoff=0)
        raise ValueError(f"it has no optimizer {unknown[0]!r}; the nearest are {', '.join(nearest)}")


def _arguments(skip: list[str], fold_limit: int) -> dict[str, Any]:
    return {
        "skip_optimizers": skip,
        "constant_folding": True,
        "shape_inference": True,
        "tensor_size_threshold": fold_limit,
        "target_opset_version": None,
        "rewriter": None,
        "initializers_as_constants": True,
        "include_inline_functions": False,
        "mutable_initializer": False,
        "overwrite_input_shapes": None,
        "unused_output": None,
        "extra_optimizers": None,
    }


def _executor(core: Any) -> Any:
    """What the core calls to fold constants: one thread, no graph optimizations, as onnxsim's own does."""
    import onnxruntime
    from onnx import ModelProto, TensorProto, numpy_helper

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.enable_mem_pattern = False
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL

    class Executor(core.ModelExecutor):  # type: ignore[misc]
        def Run(self, model: bytes, inputs: list[bytes]) -> list[Any]:
            names = [value.name for value in ModelProto.FromString(model).graph.input]
            arrays = [numpy_helper.to_array(TensorProto.FromString(data)) for data in inputs]
            session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
            values = session.run(None, dict(zip(names, arrays, strict=True)))
            return [
                numpy_helper.from_array(value).SerializeToString() if hasattr(value, "dtype") else value
                for value in values
            ]

    return Executor()


if __name__ == "__main__":
    main(sys.argv[1:])
