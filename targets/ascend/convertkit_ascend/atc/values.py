"""The values ATC's options may have, as its manual lists them (ascend-facts: atc-options, atc-precision)."""

from __future__ import annotations

FRAMEWORKS = {0: "Caffe", 1: "MindSpore", 3: "TensorFlow", 5: "ONNX"}
ONNX = 5

INPUT_FORMATS = ("NCHW", "NCDHW", "ND")
"""Those of ``--framework=5``."""

LOG_LEVELS = ("debug", "info", "warning", "error", "null")

OUTPUT_TYPES = (
    "FP32",
    "FP16",
    "UINT8",
    "INT8",
    "UINT16",
    "INT16",
    "UINT32",
    "INT32",
    "UINT64",
    "INT64",
    "DOUBLE",
)

PRECISION_MODES = (
    "force_fp16",
    "force_fp32",
    "cube_fp16in_fp32out",
    "allow_fp32_to_fp16",
    "must_keep_origin_dtype",
    "allow_mix_precision",
    "allow_mix_precision_fp16",
    "allow_mix_precision_bf16",
)
PRECISION_MODES_V2 = (
    "fp16",
    "origin",
    "cube_fp16in_fp32out",
    "mixed_float16",
    "mixed_bfloat16",
    "mixed_hif8",
    "cube_hif8",
)
MIXED = frozenset(
    {
        "allow_mix_precision",
        "allow_mix_precision_fp16",
        "allow_mix_precision_bf16",
        "mixed_float16",
        "mixed_bfloat16",
        "mixed_hif8",
    }
)
"""The modes for which there are lists to modify."""

BFLOAT16 = frozenset({"allow_mix_precision_bf16", "mixed_bfloat16"})
HIFLOAT8 = frozenset({"mixed_hif8", "cube_hif8"})
"""For Ascend 950 only, which is not in the table of chips."""

KEEPS_ALL = frozenset({"must_keep_origin_dtype", "origin"})
"""With these ``--keep_dtype`` has no effect."""

OP_MODES = (
    "high_precision",
    "high_performance",
    "super_performance",
    "keep_fp16",
    "support_out_of_bound_index",
)
OP_MODES_A2 = ("enable_float_32_execution",)
"""Further modes of the 910B family."""

IMPLEMENTATION_MODES = (
    "high_precision",
    "high_performance",
    "high_precision_for_all",
    "high_performance_for_all",
)

BUFFER_MODES = ("l2_optimize", "off_optimize")
CACHE_MODES = ("disable", "enable", "force")
CORE_TYPES = ("AiCore", "VectorCore")
OPTIMIZATION_LEVELS = ("O1", "O3")
HOST_SYSTEMS = ("linux",)
HOST_PROCESSORS = ("x86_64", "aarch64")
DEBUG_LEVELS = (0, 1, 2, 3, 4)
COMPILE_STATS = (0, 1, 2)

FEWEST_PROFILES, MOST_PROFILES = 2, 100
"""Of a dynamic option, on every chip of the table (E10035, E10036)."""
