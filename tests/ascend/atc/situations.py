"""Every way a compilation is known to go wrong (or right against appearances), and on what each stands.

``basis`` is the statement of the facts, or of their part on the ONNX front end, that the stand-in follows. ``seen``
says how good it is, as in ``tests/ascend/evidence.py``. None has been seen on hardware or with a real atc by us.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.ascend.evidence import Seen


@dataclass(frozen=True)
class Situation:
    """One situation.

    Attributes:
        name: also what makes the stand-in play it, unless the command or the model itself does.
        says: what the one-line error must hold.
        screen: what the screen must hold besides, such as the node or the fix.
        options: for AtcOptions.
        model: which graph of ``graphs.py``; the plain one unless named.
        forced: whether the stand-in has to be told; else it finds out by itself.
        ends: ``failure``, or ``model`` where a whole model is left all the same.
    """

    name: str
    basis: str
    seen: Seen
    says: tuple[str, ...]
    screen: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    model: str = "plain"
    forced: bool = True
    ends: Literal["failure", "model"] = "failure"


def _found(
    name: str, basis: str, seen: Seen, *says: str, screen: tuple[str, ...] = (), **more: Any
) -> Situation:
    return Situation(name, basis, seen, says, screen, forced=False, **more)


def _told(
    name: str, basis: str, seen: Seen, *says: str, screen: tuple[str, ...] = (), **more: Any
) -> Situation:
    return Situation(name, basis, seen, says, screen, **more)


SITUATIONS: tuple[Situation, ...] = (
    # found by the stand-in in the command line
    _found(
        "unknown-option",
        "ascend-facts: atc-errors",
        "documented",
        "E10053",
        "unknown option",
        options={"extra": {"quik": "1"}},
    ),
    _found(
        "chip-of-another-release",
        "ascend-facts: soc-version, atc-errors",
        "documented",
        "E10014",
        screen=("npu-smi", "Ascend910B4-1"),
        options={"soc_version": "Ascend910B4-1"},
    ),
    _found(
        "wrong-input-name",
        "ascend-facts: atc-errors, atc-reports",
        "reported",
        "E10016",
        screen=("list graph inputs", "Opname [image] specified in [--input_shape]"),
        options={"input_shape": "image:1,3,8,8"},
    ),
    _found(
        "wrong-rank",
        "ascend-facts: atc-errors",
        "documented",
        "E10049",
        options={"input_shape": "input:3,8,8"},
    ),
    _found(
        "wrong-output-node",
        "ascend-facts: parser-outputs",
        "run",
        "E10016",
        screen=("[nowhere]",),
        options={"out_nodes": ("nowhere:0",)},
    ),
    _found(
        "open-shape",
        "ascend-facts: parser-inputs",
        "documented",
        "E10001",
        screen=("set --input_shape",),
        options={"input_shape": ""},
        model="symbolic",
    ),
    # found by the stand-in in the model
    _found("no-protobuf", "ascend-facts: parser-file", "run", "E13005", "onnx.load", model="text"),
    _found("empty-file", "ascend-facts: parser-file", "run", "E13015", model="empty"),
    _found("no-graph", "ascend-facts: atc-errors", "documented", "E16004", model="no_graph"),
    _found("no-output", "ascend-facts: parser-inputs", "run", "E16001", model="no_output"),
    _found("same-name-twice", "ascend-facts: parser-names", "run", "E13009", screen=("relu",), model="twins"),
    _found(
        "node-named-like-input",
        "ascend-facts: parser-names",
        "run",
        "E13009",
        screen=("input",),
        model="namesake",
    ),
    _found(
        "opset-17-vendor-operator",
        "ascend-facts: parser-opsets",
        "run",
        "E13010",
        screen=("roi_1", "RoiExtractor", "pass fuse-multilevel-roialign"),
        model="roi_opset_17",
    ),
    _found(
        "opset-19",
        "ascend-facts: parser-opsets",
        "run",
        "E13010",
        "no plugin for an operator",
        model="opset_19",
    ),
    _found(
        "custom-domain", "ascend-facts: parser-key", "reported", "has no responding", model="foreign_domain"
    ),
    _found("loop", "ascend-facts: parser-functions", "run", "E13010", screen=("loop_1",), model="loop"),
    # the compiler's environment
    _told(
        "python-module",
        "ascend-facts: cann-python; EC0010",
        "reported",
        "EC0010",
        "'decorator'|module decorator",
        "python3",
    ),
    _told("numpy-2", "ascend-facts: cann-python", "reported", "numpy 2", screen=("numpy<2",)),
    _told("python-3.11", "ascend-facts: cann-python", "reported", "3.11", screen=("3.7 to 3.10",)),
    _told("python-too-old", "ascend-facts: atc-errors", "documented", "E40002"),
    _told("bad-variable", "ascend-facts: cann-parallel, atc-errors", "documented", "E40022"),
    _told("no-driver-library", "ascend-facts: cann-host", "reported", "libascend_hal.so", screen=("devlib",)),
    _told(
        "host-memory",
        "ascend-facts: cann-parallel, atc-duration",
        "reported",
        "out of memory|compile result",
        screen=("TE_PARALLEL_COMPILER",),
    ),
    _told("wrong-device", "ascend-facts: atc-errors", "documented", "ED0001", screen=("npu-smi",)),
    # files and disks
    _told("no-space", "ascend-facts: atc-errors", "documented", "E13004", "disk is full"),
    _told("no-permission", "ascend-facts: atc-errors", "documented", "E13003", "may not be read"),
    _told("model-too-large", "ascend-facts: atc-errors; E19023 or E13023", "documented", "E13023"),
    # the graph
    _told(
        "fusion-failure",
        "ascend-facts: atc-errors, atc-reports",
        "reported",
        "E20007",
        "NonMaxSuppression",
        screen=("nms_rpn", "pass fuse-multiclass-nms", "--fusion_switch_file", "also      E19999|E19999"),
    ),
    _told(
        "operator-compile",
        "ascend-facts: atc-errors; with E20001, E40021",
        "documented",
        "E61001",
        screen=("/conv_1", "module backbone", "E40021"),
    ),
    _told(
        "no-engine",
        "ascend-facts: atc-errors, parser-generated-names",
        "reported",
        "EZ3003",
        screen=("/Gather_107", "pass legalize-ascend"),
    ),
    _told("kernel-refuses", "ascend-facts: atc-errors", "documented", "EZ3002", screen=("int64",)),
    _told(
        "int64-and-int32", "ascend-facts: topk-indices", "reported", "E89999", screen=("/add_1", "DT_INT64")
    ),
    _told("two-dtypes", "ascend-facts: atc-errors", "documented", "E70013", screen=("int32", "/add_1")),
    _told("ir-unregistered", "ascend-facts: atc-errors", "documented", "EZ0501", screen=("set_env.sh",)),
    _told("missing-nms-size", "ascend-facts: nms-plugin", "run", "max_total_size", screen=("nms_rpn",)),
    _told("dangling-input", "ascend-facts: parser-edges", "run", "E11019", screen=("/conv_1",)),
    _told("aipp-size", "ascend-facts: atc-errors, aipp-limits", "documented", "E70014"),
    _told("aipp-padding", "ascend-facts: atc-errors, aipp-limits", "documented", "E10052", "32"),
    # no explanation to be had
    _told("inner-error", "ascend-facts: atc-errors", "reported", "E19999", screen=("[Call][PreRun]",)),
    _told(
        "unknown-code",
        "ascend-facts: atc-errors; codes of other releases",
        "assumed",
        "E31234",
        screen=("frobnication", "/conv_1"),
    ),
    _told("silent-255", "ascend-facts: atc-messages", "documented", "exit code 255", screen=("--log=info",)),
    _told("flood", "ascend-facts: atc-logs; --log=info", "assumed", "E20007"),
    # deaths
    _told("segfault", "a native program", "assumed", "SIGSEGV"),
    _told("segfault-in-a-shell", "a native program below a shell", "assumed", "SIGSEGV"),
    _told("abort", "a native program", "assumed", "SIGABRT"),
    _told("out-of-memory-killer", "ascend-facts: atc-duration", "assumed", "SIGKILL", "out of memory"),
    _told("half-written", "killed while writing", "assumed", "SIGKILL"),
    _told("hang", "ascend-facts: atc-duration", "assumed", "time limit", screen=("numactl",)),
    # success that is none
    _told("no-model", "ascend-facts: atc-messages; exit code 0", "assumed", "wrote no model"),
    _told("empty-model", "ascend-facts: atc-messages; exit code 0", "assumed", "is empty"),
    _told("cut-short", "ascend-facts: atc-messages; public ModelFileHeader", "assumed", "is cut short"),
    _told("no-header", "public ModelFileHeader", "assumed", "is no offline model"),
    _told(
        "two-models", "ascend-facts: atc-output", "assumed", "more than one model", screen=("host_env_os",)
    ),
    # success against appearances
    _told("renamed", "ascend-facts: atc-output; <name>_<os>_<arch>.om", "documented", ends="model"),
    _told("warning", "ascend-facts: atc-messages; W11001 after success", "documented", ends="model"),
    _told("phases", "ascend-facts: atc-logs", "documented", ends="model"),
)
