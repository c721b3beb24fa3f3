"""The situations in which the stand-in for atc fails when it is told to: first words, then deaths.

The words are put together from the templates of ascend-facts: atc-errors and from users' reports
(ascend-facts: atc-reports); see ``situations.py``.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

from stand_in_output import FAILED, error, fail, head, inner, log_line, say, succeed, write


def happen(situation: str, options: dict[str, str]) -> None:
    """Fail in the way asked for; comes back where the model is to be written all the same."""
    if situation in MESSAGES:
        MESSAGES[situation]()
    elif situation in DEATHS:
        DEATHS[situation](options)
    else:
        sys.exit(f"the stand-in for atc knows no situation {situation!r}")


def cascade() -> NoReturn:
    say(
        log_line(
            "ERROR",
            "FE",
            "graph_fusion.cc:1021",
            "[GraphOpt][FirstRoundFusion] Failed to run graph fusion pass",
        )
    )
    fail(
        "E20007",
        "Graph_Fusion_Error",
        "Failed to run graph fusion pass [NonMaxSuppressionV6FusionPass]. The pass type is [built-in-pass]",
        trace=(
            "op[nms_rpn] output shape is negative[FUNC:Fusion][FILE:non_max_suppression_v6_fusion_pass.cc][LINE:77]",
            "E19999: Inner Error!",
            "[Call][PreRun] Failed, graph_id:0[FUNC:CompileGraph][FILE:graph_manager.cc][LINE:4512]",
        ),
    )


def operator_compile() -> NoReturn:
    say("E40021: Failed to compile Op [PartitionedCall_/conv_1_Conv2D_7]. (optype: [Conv2D])")
    fail(
        "E61001",
        "Operator_Error",
        "In op [/conv_1], convolution check failed. Reason: stride above 63.",
        trace=(
            "Failed to compile Op [PartitionedCall_/conv_1_Conv2D_7]. (optype: [Conv2D])",
            "E20001 follow-up",
        ),
    )


def traceback(line: str) -> None:
    say("Traceback (most recent call last):")
    say('  File "/usr/local/Ascend/python/site-packages/te_fusion/fusion_manager.py", line 12, in <module>')
    say(line)


def python_module() -> NoReturn:
    fail(
        "EC0010",
        "Python_Module_Error",
        "Failed to import Python module [ModuleNotFoundError: No module named 'decorator'.].",
        solution="Check that all required components are properly installed.",
    )


def numpy2() -> NoReturn:
    traceback("AttributeError: `np.float_` was removed in the NumPy 2.0 release. Use `np.float64` instead.")
    inner("[Init][Env]init env failed!")


def python311() -> NoReturn:
    traceback("TypeError: cannot pickle 'FrameLocalsProxy' object")
    inner("[Init][Env]init env failed!")


def memory() -> NoReturn:
    traceback("BrokenPipeError: [Errno 32] Broken pipe")
    fail("E22001", "Compile_Result_Error", "Compile result of Op [/conv_1], optype [Conv2D] is not found.")


def loader() -> NoReturn:
    error(
        "atc.bin: error while loading shared libraries: libascend_hal.so: cannot open shared object file: No such file"
    )
    sys.exit(127)


MESSAGES = {
    "fusion-failure": cascade,
    "operator-compile": operator_compile,
    "python-module": python_module,
    "numpy-2": numpy2,
    "python-3.11": python311,
    "host-memory": memory,
    "no-driver-library": loader,
    "no-engine": lambda: fail(
        "EZ3003",
        "Unsupported_Operator",
        "No supported Ops kernel and engine are found for "
        "[PartitionedCall_/Gather_107_gatherv2_729], optype [GatherV2].",
    ),
    "kernel-refuses": lambda: fail(
        "EZ3002",
        "Unsupported_Operator",
        "Optype [TopKD] of Ops kernel [AIcoreEngine] is unsupported. Reason: input dtype int64 is not supported.",
        trace=("No supported Ops kernel and engine are found for [/topk_1], optype [TopKD].",),
    ),
    "int64-and-int32": lambda: inner(
        "op[/add_1], the dtype of x1 is DT_INT32 but x2 is DT_INT64", code="E89999"
    ),
    "two-dtypes": lambda: fail(
        "E70013", "Input_Error", "op [/add_1], inputs [x1] and [x2] have different types [int32] and [int64]."
    ),
    "ir-unregistered": lambda: fail(
        "EZ0501", "Unsupported_Operator", "IR for Op [/roi_1, optype [RoiExtractor]], is not registered."
    ),
    "missing-nms-size": lambda: inner("op[/nms_rpn] maxTotalSize is nullptr"),
    "dangling-input": lambda: fail(
        "E11019", "Graph_Error", "Op [/conv_1] has no input 1, which is required."
    ),
    "aipp-size": lambda: fail(
        "E70014", "Input_Error", "AIPP output H[800] W[800] differs from the data H[1216] W[1216]."
    ),
    "aipp-padding": lambda: fail(
        "E10052", "Config_Error", "AIPP configuration invalid: left_padding_size must be in [0,32]."
    ),
    "no-space": lambda: fail(
        "E13004",
        "File_Operation_Error",
        "File [out/model.om] cannot be written. Reason: No space left on device.",
    ),
    "no-permission": lambda: fail(
        "E13003", "File_Operation_Error", "File [model.onnx] cannot be read. Reason: Permission denied."
    ),
    "model-too-large": lambda: fail(
        "E13023", "Model_Error", "The size of the model [3221225472] exceeds [2147483648]."
    ),
    "python-too-old": lambda: fail(
        "E40002", "Environment_Error", "Python version [3.6.9] is lower than [3.7]."
    ),
    "bad-variable": lambda: fail(
        "E40022", "Environment_Error", "Value [64] of TE_PARALLEL_COMPILER is out of range [1, 32]."
    ),
    "wrong-device": lambda: fail(
        "ED0001", "Device_Error", "soc_version [Ascend310P3] does not match [Ascend910B3]."
    ),
    "inner-error": lambda: inner("[Call][PreRun] Failed, graph_id:0, session_id:0."),
    "unknown-code": lambda: fail(
        "E31234", "Something_New", "The frobnication of op [/conv_1] came to nothing."
    ),
    "silent-255": lambda: sys.exit(FAILED),
}


def half(options: dict[str, str]) -> None:
    write(options["output"] + ".om", options, keep=0.7)
    os.kill(os.getpid(), signal.SIGKILL)


def hang(options: dict[str, str]) -> None:
    import subprocess  # slow to import, and wanted only here

    write(options["output"] + ".om", options, keep=0.5)
    sleep = "import time; time.sleep(600)"
    for session in (False, True):  # a compiler process of its own, and one that left the group
        subprocess.Popen([sys.executable, "-S", "-c", sleep, str(Path.cwd())], start_new_session=session)
    say("hanging")
    time.sleep(600)


def leave(text: bytes, options: dict[str, str]) -> NoReturn:
    Path(options["output"] + ".om").write_bytes(text)
    sys.exit(succeed())


def cut_short(options: dict[str, str]) -> NoReturn:
    write(options["output"] + ".om", options, keep=0.8)
    sys.exit(succeed())


def renamed(options: dict[str, str], *more: str) -> NoReturn:
    for host in ("linux_aarch64", *more):
        write(f"{options['output']}_{host}.om", options)
    sys.exit(succeed())


def warned(options: dict[str, str]) -> NoReturn:
    write(options["output"] + ".om", options)
    succeed()
    say(
        head("W11001", "Warning", "Op [/conv_1] does not hit the high-priority operator information library.")
    )
    sys.exit(0)


def die(number: int) -> NoReturn:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.kill(os.getpid(), number)
    raise AssertionError


def bad_bytes() -> None:
    sys.stdout.buffer.write(b"\xff\xfe not UTF-8 \x00\n")
    sys.stdout.flush()


def floods(options: dict[str, str]) -> None:
    bad_bytes()
    for number in range(20_000):
        print(log_line("INFO", "GE", "graph_prepare.cc:10", f"line {number}"))
    cascade()


def phases(options: dict[str, str]) -> None:
    files = ("onnx_parser", "graph_prepare", "graph_fusion", "op_compiler", "model_builder")
    for where in files:
        say(log_line("INFO", "GE", f"{where}.cc:7", "working"))
    time.sleep(float(os.environ.get("STAND_IN_ATC_SECONDS", "0")))


DEATHS = {
    "segfault": lambda options: die(signal.SIGSEGV),
    "abort": lambda options: die(signal.SIGABRT),
    "out-of-memory-killer": lambda options: die(signal.SIGKILL),
    "segfault-in-a-shell": lambda options: sys.exit(128 + signal.SIGSEGV),
    "half-written": half,
    "hang": hang,
    "no-model": lambda options: sys.exit(succeed()),
    "empty-model": lambda options: leave(b"", options),
    "cut-short": cut_short,
    "no-header": lambda options: leave(b"ELF?" + bytes(400), options),
    "renamed": renamed,
    "two-models": lambda options: renamed(options, "linux_x86_64"),
    "warning": warned,
    "flood": floods,
    "phases": phases,
}
