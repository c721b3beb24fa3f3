"""A stand-in for Huawei's ATC, for tests only. It compiles nothing.

It checks its command line and the ONNX file as ATC is documented to (docs/ascend-facts.md, the compiler and the
parser), and writes a file with ATC's public 256-byte header and, in place of a program, a JSON text and the ONNX file.
It fails as told by the environment variable STAND_IN_ATC or by the model's metadata entry ``stand_in_atc``: the name of
a situation in ``situations.py``. The environment variable STAND_IN_ATC_RELEASE (7, 8 or 9) chooses how errors are
written; see ``errors/find.py``.

What it prints is put together from ascend-facts: atc-errors and from reports of users; no real ATC was run.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

sys.path.insert(0, str(Path(__file__).parent))

import onnx_wire
from stand_in_failures import happen
from stand_in_output import fail, inner, release, say, succeed, write, write_fusions, write_graph

CHIPS = {"Ascend310", *(f"Ascend310P{n}" for n in (1, 3, 5, 7)), *(f"Ascend310B{n}" for n in (1, 2, 3, 4))}
CHIPS |= {"Ascend910A", "Ascend910B", "Ascend910B1", "Ascend910B3"}
SWITCHES = {"ac_parallel_enable", "deterministic", "virtual_type", "external_weight", "enable_small_channel"}
SWITCHES |= {"display_model_info", "jit_compile"}
FILES = {
    "insert_op_conf",
    "keep_dtype",
    "customize_dtypes",
    "modify_mixlist",
    "op_precision_mode",
    "fusion_switch_file",
}
KNOWN = (
    SWITCHES
    | FILES
    | {
        *("model", "framework", "output", "input_format", "input_shape", "log", "soc_version", "out_nodes"),
        *(
            "dynamic_batch_size",
            "dynamic_image_size",
            "dynamic_dims",
            "output_type",
            "input_fp16_nodes",
            "mode",
            "om",
            "json",
        ),
        *(
            "precision_mode",
            "precision_mode_v2",
            "op_select_implmode",
            "optypelist_for_implmode",
            "buffer_optimize",
        ),
        *(
            "core_type",
            "aicore_num",
            "host_env_os",
            "host_env_cpu",
            "oo_level",
            "op_debug_level",
            "debug_dir",
        ),
        *(
            "op_compiler_cache_mode",
            "op_compiler_cache_dir",
            "export_compile_stat",
            "static_model_ops_lower_limit",
        ),
        *("is_input_adjust_hw_layout", "is_output_adjust_hw_layout"),
    }
)


def main() -> int:
    if os.environ.get("STAND_IN_ATC") == "no-driver-library":
        happen("no-driver-library", {})
    say("ATC start working now, please wait for a moment.")
    options = parse(sys.argv[1:])
    if options.get("mode") == "1":
        write_graph(options["om"], options["json"])
        return succeed()
    check_options(options)
    model = read_model(options["model"])
    check_model(model)
    check_shapes(options, model)
    say("...")
    situation = os.environ.get("STAND_IN_ATC") or model.metadata.get("stand_in_atc", "")
    if situation:
        happen(situation, options)
    write(options["output"] + ".om", options)
    write_fusions()
    return succeed()


def parse(words: list[str]) -> dict[str, str]:
    options = {}
    for word in words:
        name, _, value = word.removeprefix("--").partition("=")
        if name not in KNOWN:
            fail(
                "E10053", "Invalid_Argument", f"Failed to parse command line. Reason: unknown option [{word}]"
            )
        options[name] = value
    return options


def check_options(options: dict[str, str]) -> None:
    if "framework" not in options:
        support = "[0(Caffe) or 1(MindSpore) or 3(TensorFlow) or 5(Onnx)]"
        fail("E10007", "Invalid_Argument", f"[--framework] is required. The value must be {support}.")
    for name in ("model", "output", "soc_version"):
        if not options.get(name):
            fail("E10054", "Invalid_Argument", f"The required parameter [--{name}] for ATC is empty.")
    if options["soc_version"] not in CHIPS:
        invalid("E10014", options, "soc_version")
    if options.get("log", "null") not in ("debug", "info", "warning", "error", "null"):
        invalid("E10010", options, "log")
    if options["framework"] not in ("0", "1", "3", "5"):
        invalid("E10014", options, "framework")
    for name in SWITCHES & options.keys():
        if options[name] not in ("0", "1"):
            invalid("E10006", options, name)
    if {"precision_mode", "precision_mode_v2"} <= options.keys():
        fail("E10047", "Invalid_Argument", "[--precision_mode] and [--precision_mode_v2] exclude each other.")
    if len({"dynamic_batch_size", "dynamic_image_size", "dynamic_dims"} & options.keys()) > 1:
        fail(
            "E10009",
            "Invalid_Argument",
            "[--dynamic_batch_size], [--dynamic_dims] ... are mutually exclusive.",
        )
    for name in FILES & options.keys():
        if not Path(options[name]).is_file():
            fail("E10410", "Config_Error", f"Cfg file [{options[name]}] does not exist.")


def invalid(code: str, options: dict[str, str], name: str) -> NoReturn:
    fail(code, "Invalid_Argument", f"Value [{options[name]}] for parameter [--{name}] is invalid.")


def read_model(name: str) -> onnx_wire.Model:
    path = Path(name)
    if not path.is_file():
        fail("E13000", "File_Operation_Error", f"Path [{name}] is empty. Reason: No such file or directory.")
    if path.is_symlink():
        fail("E13026", "File_Operation_Error", f"Input path [{name}] is invalid. Reason: it is a link.")
    if path.stat().st_size == 0:
        fail(
            "E13015",
            "File_Operation_Error",
            f"File [{name}] has a size of 0, which is out of range (0, 2147483647].",
        )
    try:
        return onnx_wire.read(path)
    except ValueError:
        fail("E13005", "File_Operation_Error", f"Failed to parse file [{name}].")


def check_model(model: onnx_wire.Model) -> None:
    if not model.graph:
        fail("E16004", "ONNX_Parser_Error", "The ONNX model has no graph.")
    for what, there in (("input", model.inputs), ("output", model.outputs)):
        if not there:
            fail("E16001", "ONNX_Parser_Error", f"Value [0] for {what} nodes of the ONNX graph is invalid.")
    names = [node.name for node in model.nodes if node.name]
    for name in names:
        if names.count(name) > 1 or name in model.inputs:
            fail("E13009", "Graph_Error", f"Operator name [{name}] is duplicated.")
    for node in model.nodes:
        domain = node.domain or "ai.onnx"
        version = model.opsets.get(node.domain, model.opsets.get("ai.onnx" if not node.domain else "", 0))
        if node.domain and node.domain not in model.opsets:
            inner(f"The opset of domain[{node.domain}] has no responding version.")
        if not registered(node, version):
            key = f"{domain}::{version}::{node.op_type}"
            text = f"No operator plugin is registered for Op: {node.name}, optype: {key}."
            old = f"No parser is registered for Op [{node.name}, optype [{key}]]."
            fail(
                "E13010" if release() == "9" else "E19010",
                "Unsupported_Operator",
                text if release() == "9" else old,
            )


def registered(node: onnx_wire.Node, version: int) -> bool:
    """Standard operators at opset 8 to 18, the two vendor operators at 8 to 16 (ascend-facts: parser-opsets)."""
    if node.op_type in ("RoiExtractor", "BatchMultiClassNMS"):
        return not node.domain and 8 <= version <= 16
    return node.domain in ("", "ai.onnx") and 8 <= version <= 18 and node.op_type not in ("Loop", "Scan")


def check_shapes(options: dict[str, str], model: onnx_wire.Model) -> None:
    given = {}
    for part in filter(None, options.get("input_shape", "").split(";")):
        name, colon, sizes = part.rpartition(":")
        if not colon:
            reason = 'Reason: no ":". The value must be formatted as "name:n,c,h,w".'
            fail(
                "E10002",
                "Invalid_Argument",
                f"Value [{part}] for parameter [--input_shape] is invalid. {reason}",
            )
        if name not in model.inputs:
            where = "specified in [--input_shape] is not found in the model. Confirm whether this node name exists"
            fail("E10016", "Invalid_Argument_Operator_Name", f"Opname [{name}] {where}.")
        given[name] = sizes.split(",") if sizes else []
    for name, sizes in given.items():
        if len(sizes) != len(model.inputs[name]):
            counts = f"[{len(sizes)}] dims in --input_shape, the model has [{len(model.inputs[name])}]"
            fail("E10049", "Invalid_Argument", f"Input [{name}] has {counts}.")
        if "0" in sizes:
            fail(
                "E10011", "Invalid_Argument", f"Value [{name}] for parameter [--input_shape] is invalid: [0]."
            )
    for name, shape in model.inputs.items():
        if -1 in shape and name not in given:
            reason = "Reason: the shape of the input is dynamic, set --input_shape"
            fail("E10001", "Invalid_Argument", f"Value [{name}] for parameter [input] is invalid. {reason}.")
    for name in filter(None, options.get("out_nodes", "").split(";")):
        plain = name.rpartition(":")[0] or name
        if plain not in {node.name for node in model.nodes} | set(model.outputs):
            fail(
                "E10016",
                "Invalid_Argument_Operator_Name",
                f"Opname [{plain}] specified in [--out_nodes] is not found.",
            )


if __name__ == "__main__":
    sys.exit(main())
