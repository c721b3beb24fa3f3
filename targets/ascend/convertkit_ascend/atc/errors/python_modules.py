"""Python modules that no ``pip install`` of the name in the message brings, or should."""

from __future__ import annotations

CANN = (
    "acl",
    "asc_op_compile_base",
    "auto_search",
    "auto_tune",
    "cann_kb",
    "dataflow",
    "hccl",
    "impl",
    "llm_datadist",
    "msobjdump",
    "op_compile_tool",
    "op_gen",
    "op_test_frame",
    "opc_tool",
    "repository_manager",
    "rl_search",
    "sch_search",
    "schedule_search",
    "show_kernel_debug_data",
    "tbe",
    "te",
    "te_fusion",
    "topi",
)
"""Packages that CANN brings itself: ``<install>/python/site-packages`` and ``opp/built-in/op_impl/ai_core/tbe``.

Some names are those of unrelated projects on PyPI.
"""

GONE = ("asynchat", "asyncore", "distutils", "imp", "smtpd")
"""Python's own until 3.11, which older releases of CANN import."""
