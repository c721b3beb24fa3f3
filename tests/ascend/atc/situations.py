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
        "3.6 E10053",
        "documented",
        "E10053",
        "unknown option",
        options={"extra": {"quik": "1"}},
    ),
    _found(
        "chip-of-another-release",
        "3.4, 3.6 E10014",
        "documented",
        "E10014",
        screen=("npu-smi", "Ascend910B4-1"),
        options={"soc_version": "Ascend910B4-1"},
    ),
    _found(
        "wrong-input-name",
        "3.6 E10016, 6.10",
        "reported",
        "E10016",
        screen=("list graph inputs", "Opname [image] specified in [--input_shape]"),
        options={"input_shape": "image:1,3,8,8"},
    ),
    _found("wrong-rank", "3.6 E10049", "documented", "E10049", options={"input_shape": "input:3,8,8"}),
    _found(
        "wrong-output-node",
        "frontend, Graph inputs and outputs",
        "run",
        "E10016",
        screen=("[nowhere]",),
        options={"out_nodes": ("nowhere:0",)},
    ),
    _found(
        "open-shape",
        "frontend, Graph inputs and outputs (E10001)",
        "documented",
        "E10001",
        screen=("set --input_shape",),
        options={"input_shape": ""},
        model="symbolic",
    ),
    # found by the stand-in in the model
    _found("no-protobuf", "frontend, Key (E13005)", "run", "E13005", "onnx.load", model="text"),
    _found("empty-file", "frontend, Key (E13015)", "run", "E13015", model="empty"),
    _found("no-graph", "3.6 E16004", "documented", "E16004", model="no_graph"),
    _found("no-output", "frontend, Graph inputs and outputs (E16001)", "run", "E16001", model="no_output"),
    _found("same-name-twice", "frontend, Names (E13009)", "run", "E13009", screen=("relu",), model="twins"),
    _found(
        "node-named-like-input",
        "frontend, Names (E13009)",
        "run",
        "E13009",
        screen=("input",),
        model="namesake",
    ),
    _found(
        "opset-17-vendor-operator",
        "2.2, 2.5; frontend, Key (E13010)",
        "run",
        "E13010",
        screen=("roi_1", "RoiExtractor", "pass fuse-multilevel-roialign"),
        model="roi_opset_17",
    ),
    _found("opset-19", "frontend, Key", "run", "E13010", "no plugin for an operator", model="opset_19"),
    _found("custom-domain", "2.5, 6.4", "reported", "has no responding", model="foreign_domain"),
    _found("loop", "frontend, Key", "run", "E13010", screen=("loop_1",), model="loop"),
    # the compiler's environment
    _told(
        "python-module", "3.4, 6.8; EC0010", "reported", "EC0010", "'decorator'|module decorator", "python3"
    ),
    _told("numpy-2", "3.4, 6.8", "reported", "numpy 2", screen=("numpy<2",)),
    _told("python-3.11", "3.4, 6.8", "reported", "3.11", screen=("3.7 to 3.10",)),
    _told("python-too-old", "3.6 E40002", "documented", "E40002"),
    _told("bad-variable", "3.4 TE_PARALLEL_COMPILER, 3.6 E40022", "documented", "E40022"),
    _told(
        "no-driver-library", "3.4, host without a device", "reported", "libascend_hal.so", screen=("devlib",)
    ),
    _told(
        "host-memory",
        "3.4, 6.9",
        "reported",
        "out of memory|compile result",
        screen=("TE_PARALLEL_COMPILER",),
    ),
    _told("wrong-device", "3.6 ED0001", "documented", "ED0001", screen=("npu-smi",)),
    # files and disks
    _told("no-space", "3.6 E13004", "documented", "E13004", "disk is full"),
    _told("no-permission", "3.6 E13003", "documented", "E13003", "may not be read"),
    _told("model-too-large", "3.6 E19023/E13023", "documented", "E13023"),
    # the graph
    _told(
        "fusion-failure",
        "3.6 E20007, 6.5",
        "reported",
        "E20007",
        "NonMaxSuppression",
        screen=("nms_rpn", "pass fuse-multiclass-nms", "--fusion_switch_file", "also      E19999|E19999"),
    ),
    _told(
        "operator-compile",
        "3.6 E61001 with E20001, E40021",
        "documented",
        "E61001",
        screen=("/conv_1", "module backbone", "E40021"),
    ),
    _told(
        "no-engine",
        "3.6 EZ3003; frontend, Graph inputs and outputs (generated names)",
        "reported",
        "EZ3003",
        screen=("/Gather_107", "pass legalize-ascend"),
    ),
    _told("kernel-refuses", "3.6 EZ3002", "documented", "EZ3002", screen=("int64",)),
    _told("int64-and-int32", "6.6 (E89999)", "reported", "E89999", screen=("/add_1", "DT_INT64")),
    _told("two-dtypes", "3.6 E70013", "documented", "E70013", screen=("int32", "/add_1")),
    _told("ir-unregistered", "3.6 EZ0501", "documented", "EZ0501", screen=("set_env.sh",)),
    _told("missing-nms-size", "frontend, Silent traps", "run", "max_total_size", screen=("nms_rpn",)),
    _told("dangling-input", "frontend, Silent traps (E11019)", "run", "E11019", screen=("/conv_1",)),
    _told("aipp-size", "3.6 E70014, 3.7", "documented", "E70014"),
    _told("aipp-padding", "3.6 E10052, 3.7", "documented", "E10052", "32"),
    # no explanation to be had
    _told("inner-error", "3.6 E19999", "reported", "E19999", screen=("[Call][PreRun]",)),
    _told(
        "unknown-code",
        "3.6, codes of other releases",
        "assumed",
        "E31234",
        screen=("frobnication", "/conv_1"),
    ),
    _told("silent-255", "3.2, exit code 255", "documented", "exit code 255", screen=("--log=info",)),
    _told("flood", "3.5, --log=info", "assumed", "E20007"),
    # deaths
    _told("segfault", "a native program", "assumed", "SIGSEGV"),
    _told("segfault-in-a-shell", "a native program below a shell", "assumed", "SIGSEGV"),
    _told("abort", "a native program", "assumed", "SIGABRT"),
    _told("out-of-memory-killer", "6.9", "assumed", "SIGKILL", "out of memory"),
    _told("half-written", "killed while writing", "assumed", "SIGKILL"),
    _told("hang", "6.9, compilation that takes hours", "assumed", "time limit", screen=("numactl",)),
    # success that is none
    _told("no-model", "3.2, exit code 0", "assumed", "wrote no model"),
    _told("empty-model", "3.2, exit code 0", "assumed", "is empty"),
    _told("cut-short", "3.2; public ModelFileHeader", "assumed", "is cut short"),
    _told("no-header", "public ModelFileHeader", "assumed", "is no offline model"),
    _told("two-models", "3.1 --output", "assumed", "more than one model", screen=("host_env_os",)),
    # success against appearances
    _told("renamed", "3.1 --output, <name>_<os>_<arch>.om", "documented", ends="model"),
    _told("warning", "3.2, W11001 after success", "documented", ends="model"),
    _told("phases", "3.5, log lines", "documented", ends="model"),
)
