"""Options that contradict each other, or the manual, are refused before anything runs, in one line."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from convertkit_ascend.atc.command import command, config_files, display
from convertkit_ascend.atc.dtype_files import CustomDtype, Mixlist, OpPrecision
from convertkit_ascend.atc.options import AtcOptions
from convertkit_ascend.atc.read import options_from
from convertkit_ascend.atc.shapes import FREE, InputShape, parse_shapes, shapes_text

from convertkit.errors import UnknownNameError, UsageError

SHAPE = parse_shapes("input:1,3,1216,1216")

GUIDE = [  # ascend-facts: modelzoo-command: the ModelZoo guide's command for Mask R-CNN
    "atc",
    "--model=maskrcnn_r50_fpn_1x_md_bs1.onnx",
    "--framework=5",
    "--output=maskrcnn_r50_fpn_1x",
    "--input_format=NCHW",
    "--input_shape=input:1,3,1216,1216",
    "--log=error",
    "--soc_version=Ascend310P3",
]


def options(**more: Any) -> AtcOptions:
    return AtcOptions(**{"soc_version": "Ascend310P3", "input_shape": SHAPE, **more})


def test_the_command_is_the_guides() -> None:
    assert command(options(), "maskrcnn_r50_fpn_1x_md_bs1.onnx", "maskrcnn_r50_fpn_1x") == GUIDE


def test_what_the_spec_adds_follows_the_guides_line() -> None:
    chosen = options(
        precision_mode="force_fp16",
        keep_dtype=("Div_3", "OpType::Exp"),
        op_precision_mode=OpPrecision(by_type={"Exp": "high_precision"}),
        deterministic=True,
        ac_parallel_enable=False,
        out_nodes=("nms:0", "cast:0"),
        output_types={"nms:0": "FP16"},
        extra={"quant_dumpable": "1"},
    )

    words = command(chosen, "maskrcnn_r50_fpn_1x_md_bs1.onnx", "maskrcnn_r50_fpn_1x", config="conf")

    assert words[: len(GUIDE)] == GUIDE
    assert words[len(GUIDE) :] == [
        "--out_nodes=nms:0;cast:0",
        "--output_type=nms:0:FP16",
        "--keep_dtype=conf/keep_dtype.cfg",
        "--op_precision_mode=conf/op_precision.ini",
        "--precision_mode=force_fp16",
        "--ac_parallel_enable=0",
        "--deterministic=1",
        "--quant_dumpable=1",
    ]
    assert config_files(chosen) == {
        "keep_dtype.cfg": "Div_3\nOpType::Exp\n",
        "op_precision.ini": "[ByOpType]\nExp=high_precision\n",
    }


def test_the_files_are_written_as_the_manual_shows() -> None:
    files = config_files(
        options(
            precision_mode_v2="mixed_float16",
            customize_dtypes=(
                CustomDtype("fp32_vars/Relu", ("float16",), ("int8",)),
                CustomDtype("Relu", ("float16", "float16"), ("int8",), by_type=True),
            ),
            modify_mixlist=Mixlist(keep=("Exp",), unlower=("Sub",)),
            fusion_off=("SomeFusionPass",),
            op_precision_mode=OpPrecision({"Exp": "high_precision"}, {"node": "keep_fp16"}),
        )
    )

    assert files == {
        "customize_dtypes.cfg": "fp32_vars/Relu::InputDtype:float16,OutputDtype:int8\n"
        "OpType::Relu:InputDtype:float16,float16,OutputDtype:int8\n",
        "mixlist.json": '{\n "black-list": {\n  "to-add": [\n   "Exp"\n  ]\n },\n'
        ' "white-list": {\n  "to-remove": [\n   "Sub"\n  ]\n }\n}\n',
        "op_precision.ini": "[ByOpType]\nExp=high_precision\n\n[ByNodeName]\nnode=keep_fp16\n",
        "fusion_switch.cfg": "SomeFusionPass:off\n",
    }


def test_the_displayed_command_survives_a_shell() -> None:
    words = command(
        options(input_shape=parse_shapes("a b:1;c:2"), insert_op_conf="aipp_op {}"), "m.onnx", "m"
    )

    shown = subprocess.run(["sh", "-c", display(["printf", "%s\\n", *words])], capture_output=True, text=True)
    assert shown.stdout.splitlines() == words
    assert (
        "    '--input_shape=a b:1;c:2' \
"
        in display(words)
    )
    assert (
        "    --framework=5 \
"
        in display(words)
    )


def test_shapes_are_read_and_written() -> None:
    text = "a:1,-1,1~10;b/c:0:3;scalar:"

    shapes = parse_shapes(text)

    assert shapes == (
        InputShape("a", (1, FREE, (1, 10))),
        InputShape("b/c:0", (3,)),
        InputShape("scalar", ()),
    )
    assert shapes_text(shapes) == text
    for wrong, why in [
        ("1,3,8", "names no input"),
        ("a:1,x", "'x' in 'a:1,x' is not a size"),
        (":1", "names no input"),
    ]:
        with pytest.raises(UsageError, match=why):
            parse_shapes(wrong)


NOT_BATCH = parse_shapes("input:1,3,-1,-1")
BATCH = parse_shapes("input:-1,3,8,8")

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"soc_version": "Ascend310P4"}, "unknown SoC 'Ascend310P4' (did you mean"),
    (
        {"soc_version": "ascend310p3"},
        "--soc_version is 'ascend310p3' (atc spells it Ascend310P3; ATC says E10014)",
    ),
    ({"framework": 2}, "--framework is 2"),
    ({"input_format": "NHWC"}, "--input_format is 'NHWC' (did you mean 'NCHW'?"),
    ({"log": "warn"}, "--log is 'warn' (did you mean 'warning'?"),
    ({"output_type": "FP64"}, "--output_type is 'FP64' (did you mean 'FP16'?"),
    ({"precision_mode": "force_fp61"}, "--precision_mode is 'force_fp61' (did you mean 'force_fp16'?"),
    ({"precision_mode_v2": "FP16"}, "--precision_mode_v2 is 'FP16' (did you mean 'fp16'?"),
    ({"op_debug_level": 5}, "--op_debug_level is 5"),
    ({"export_compile_stat": 3}, "--export_compile_stat is 3"),
    ({"op_compiler_cache_mode": "on"}, "--op_compiler_cache_mode is 'on'"),
    ({"buffer_optimize": "l1_optimize"}, "--buffer_optimize is 'l1_optimize' (did you mean 'l2_optimize'?"),
    ({"host_env_os": "windows"}, "--host_env_os is 'windows' (known: linux)"),
    ({"host_env_cpu": "arm64"}, "--host_env_cpu is 'arm64'"),
    ({"core_type": "AICore"}, "--core_type is 'AICore' (did you mean 'AiCore'?"),
    ({"oo_level": "O2"}, "--oo_level is 'O2'"),
    ({"op_select_implmode": "fast"}, "--op_select_implmode is 'fast'"),
    (
        {"dynamic_batch_size": (1, 2), "dynamic_dims": ((1,), (2,))},
        "--dynamic_batch_size and --dynamic_dims exclude each other (keep one; ATC says E10009)",
    ),
    (
        {"dynamic_batch_size": (1, 2), "dynamic_image_size": ((8, 8), (9, 9))},
        "--dynamic_batch_size and --dynamic_image_size exclude each other",
    ),
    (
        {"dynamic_dims": ((1,), (2,)), "dynamic_image_size": ((8, 8), (9, 9))},
        "--dynamic_image_size and --dynamic_dims exclude each other",
    ),
    (
        {"precision_mode": "force_fp16", "precision_mode_v2": "fp16"},
        "--precision_mode and --precision_mode_v2 exclude each other (keep one; ATC says E10047)",
    ),
    (
        {"dynamic_dims": ((1,), (2,)), "insert_op_conf": "aipp_op {}"},
        "--insert_op_conf and --dynamic_dims exclude each other",
    ),
    (
        {"op_precision_mode": OpPrecision({"Exp": "high_precision"}), "op_select_implmode": "high_precision"},
        "--op_precision_mode and --op_select_implmode exclude each other",
    ),
    (
        {"output_type": "FP16", "out_nodes": ("a:0",), "output_types": {"a:0": "FP16"}},
        "exclude each other (keep one)",
    ),
    (
        {"op_compiler_cache_dir": "/tmp/c"},
        "--op_compiler_cache_dir has no effect without --op_compiler_cache_mode",
    ),
    ({"debug_dir": "/tmp/c"}, "--debug_dir has no effect without --op_debug_level"),
    (
        {"optypelist_for_implmode": ("Gelu",)},
        "--optypelist_for_implmode has no effect without --op_select_implmode",
    ),
    ({"output_types": {"a:0": "FP16"}}, "--output_type=node:index:type has no effect without --out_nodes"),
    ({"enable_small_channel": True}, "--enable_small_channel has no effect without --insert_op_conf"),
    ({"keep_dtype": ("a",)}, "--keep_dtype needs --precision_mode or --precision_mode_v2"),
    (
        {"keep_dtype": ("a",), "precision_mode_v2": "origin"},
        "--keep_dtype has no effect with --precision_mode_v2=origin",
    ),
    (
        {"modify_mixlist": Mixlist(keep=("Exp",)), "precision_mode": "force_fp16"},
        "--modify_mixlist has no effect with --precision_mode=force_fp16",
    ),
    (
        {"modify_mixlist": Mixlist(keep=("Exp",))},
        "--modify_mixlist has no effect with ATC's default precision mode",
    ),
    (
        {"op_compiler_cache_mode": "disable", "op_compiler_cache_dir": "/tmp/c"},
        "--op_compiler_cache_dir has no effect with --op_compiler_cache_mode=disable",
    ),
    (
        {"op_compiler_cache_mode": "enable", "op_debug_level": 3},
        "--op_compiler_cache_mode=enable has no effect with --op_debug_level=3",
    ),
    ({"op_debug_level": 0, "debug_dir": "/tmp/d"}, "--debug_dir has no effect with --op_debug_level=0"),
    (
        {"op_compiler_cache_mode": "enable", "op_compiler_cache_dir": "/tmp/a b"},
        "--op_compiler_cache_dir is '/tmp/a b'",
    ),
    ({"out_nodes": ("a:0", "dets")}, "--out_nodes mixes 'a:0' with 'dets' (all node:index, or all"),
    ({"out_nodes": ("de:ts",)}, "--out_nodes: 'de:ts' holds a ':' or ';'"),
    (
        {"out_nodes": ("a:0",), "output_types": {"b:0": "FP16"}},
        "--output_type: 'b:0' is not one of --out_nodes",
    ),
    (
        {"out_nodes": ("a:0",), "output_types": {"a:0": "fp16"}},
        "--output_type: a:0 is 'fp16' (did you mean 'FP16'?",
    ),
    ({"input_fp16_nodes": ("image",)}, "--input_fp16_nodes: 'image' is not in --input_shape"),
    (
        {"input_fp16_nodes": ("input",), "insert_op_conf": "aipp_op {}"},
        "--input_fp16_nodes and --insert_op_conf concern the same input (AIPP takes uint8; ATC says E10034)",
    ),
    (
        {"insert_op_conf": "aipp_op {}", "input_format": "ND"},
        "--insert_op_conf and --input_format=ND exclude each other",
    ),
    ({"aicore_num": 9}, "--aicore_num is 9 (Ascend310P3 has 1 to 8"),
    (
        {"precision_mode_v2": "mixed_bfloat16"},
        "precision mixed_bfloat16 and --soc_version=Ascend310P3 exclude each other (the chip has no bfloat16)",
    ),
    (
        {"precision_mode_v2": "mixed_hif8"},
        "precision mixed_hif8 and --soc_version=Ascend310P3 exclude each other",
    ),
    (
        {"core_type": "VectorCore", "soc_version": "Ascend310"},
        "--core_type=VectorCore and --soc_version=Ascend310 exclude each other",
    ),
    (
        {"ac_parallel_enable": True, "soc_version": "Ascend310B1"},
        "--ac_parallel_enable and --soc_version=Ascend310B1 exclude each other",
    ),
    (
        {"op_precision_mode": OpPrecision({"Exp": "high_precison"})},
        "--op_precision_mode: Exp is 'high_precison' (did you mean 'high_precision'?",
    ),
    ({"op_precision_mode": OpPrecision({"Exp": "enable_float_32_execution"})}, "--op_precision_mode: Exp is"),
    ({"precision_mode": "force_fp16", "keep_dtype": ("a\nb",)}, "is no name of a node"),
    ({"extra": {"--soc_version": "x"}}, "extra option --soc_version has a place of its own"),
    ({"extra": {"output=/etc/x": "y"}}, "extra option 'output=/etc/x' (letters, digits and _"),
    ({"extra": {"----output": "y"}}, "extra option '----output' (letters, digits and _"),
    ({"extra": {"quick": ""}}, "extra option --quick has no value (leave it out)"),
    ({"extra": {"quick": "a\0b"}}, r"--extra: 'a\x00b' holds a control character (write plain text)"),
    ({"fusion_off": ("\ud800",)}, r"--fusion_off: '\ud800' holds a control character"),
    ({"insert_op_conf": "aipp_op {\n\x1b}"}, "--insert_op_conf: "),
    ({"precision_mode": "force_fp16", "keep_dtype": ("OpType::",)}, "is no name of a node"),
    ({"enable_small_channel": True}, "without --insert_op_conf (say normalize: target in preprocess;"),
    ({"input_shape": parse_shapes("input:1;input:2")}, "--input_shape names input 'input' 2 times"),
    ({"input_shape": parse_shapes("input:1,0")}, "--input_shape: size 0 in 'input:1,0'"),
    ({"input_shape": parse_shapes("input:5~3")}, "--input_shape: range 5~3 in 'input:5~3' is empty"),
    (
        {"dynamic_batch_size": (1,), "input_shape": BATCH},
        "--dynamic_batch_size has 1 profiles (2 to 100; ATC says E10035)",
    ),
    (
        {"dynamic_batch_size": tuple(range(1, 102)), "input_shape": BATCH},
        "--dynamic_batch_size has 101 profiles",
    ),
    ({"dynamic_batch_size": (1, 0), "input_shape": BATCH}, "--dynamic_batch_size has the profile 0"),
    ({"dynamic_batch_size": (2, 2), "input_shape": BATCH}, "--dynamic_batch_size has the profile 2 twice"),
    ({"dynamic_batch_size": (1, 2)}, "--dynamic_batch_size is given but --input_shape has no -1"),
    (
        {"dynamic_batch_size": (1, 2), "input_shape": NOT_BATCH},
        "--dynamic_batch_size and -1 at axis 2 of 'input:1,3,-1,-1' exclude each other",
    ),
    (
        {"dynamic_batch_size": (1, 2), "input_shape": parse_shapes("input:1~2,3")},
        "--dynamic_batch_size and the range in --input_shape 'input:1~2,3' exclude each other",
    ),
    (
        {"dynamic_image_size": ((8, 8), (9, 9)), "input_shape": BATCH},
        "--dynamic_image_size and -1 at axis 0 of 'input:-1,3,8,8' exclude each other",
    ),
    (
        {"dynamic_image_size": ((8, 8), (9, 9)), "input_shape": NOT_BATCH, "input_format": "ND"},
        "--dynamic_image_size and --input_format=ND exclude each other",
    ),
    (
        {"dynamic_image_size": ((8,), (9,)), "input_shape": NOT_BATCH},
        "--dynamic_image_size wants two sizes in each profile",
    ),
    ({"dynamic_image_size": ((8, 8), (9,)), "input_shape": NOT_BATCH}, "has profiles of different lengths"),
    (
        {"dynamic_dims": ((8, 8), (9, 9)), "input_shape": NOT_BATCH},
        "--dynamic_dims and --input_format=NCHW exclude each other (say ND)",
    ),
    (
        {"dynamic_dims": ((8,), (9,)), "input_shape": NOT_BATCH, "input_format": "ND"},
        "--dynamic_dims has 1 sizes a profile, --input_shape has 2 axes of -1",
    ),
    (
        {"soc_version": "Ascend310B4", "input_shape": NOT_BATCH},
        "--input_shape 'input:1,3,-1,-1' and --soc_version=Ascend310B4 exclude each other",
    ),
    (
        {"insert_op_conf": "aipp_op {}", "input_shape": NOT_BATCH},
        "--insert_op_conf and the open size in --input_shape 'input:1,3,-1,-1' exclude each other",
    ),
]


@pytest.mark.parametrize(("values", "line"), REFUSED, ids=[line[:60] for _, line in REFUSED])
def test_a_contradiction_is_one_line(values: dict[str, Any], line: str) -> None:
    with pytest.raises(UsageError if "unknown" not in line else UnknownNameError) as caught:
        options(**values)

    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "values",
    [
        {"dynamic_batch_size": (1, 8), "input_shape": BATCH},
        {"dynamic_image_size": ((416, 416), (832, 832)), "input_shape": NOT_BATCH},
        {"dynamic_dims": ((8, 8), (9, 9)), "input_shape": NOT_BATCH, "input_format": "ND"},
        {"input_shape": NOT_BATCH},
        {"input_shape": ()},
        {"precision_mode_v2": "mixed_bfloat16", "soc_version": "Ascend910B3"},
        {
            "op_precision_mode": OpPrecision({"Exp": "enable_float_32_execution"}),
            "soc_version": "Ascend910B3",
        },
        {"core_type": "VectorCore"},
        {"op_compiler_cache_mode": "enable", "op_compiler_cache_dir": "cache", "op_debug_level": 0},
        {"out_nodes": ("dets", "labels")},
    ],
)
def test_what_the_manual_allows_is_allowed(values: dict[str, Any]) -> None:
    words = command(options(**values), "m.onnx", "m")

    assert words[0] == "atc"
    assert len({word.partition("=")[0] for word in words}) == len(words)


def test_options_come_from_a_file() -> None:
    read = options_from(
        {
            "soc_version": "Ascend310P3",
            "input_shape": "input:1,3,1216,1216",
            "precision_mode": "allow_mix_precision",
            "modify_mixlist": {"keep": ["Exp"]},
            "customize_dtypes": [{"name": "a", "inputs": ["float32"], "outputs": ["float32"]}],
            "keep_dtype": ["b"],
        }
    )

    assert read == options(
        precision_mode="allow_mix_precision",
        modify_mixlist=Mixlist(keep=("Exp",)),
        customize_dtypes=(CustomDtype("a", ("float32",), ("float32",)),),
        keep_dtype=("b",),
    )
    with pytest.raises(
        UnknownNameError, match=r"unknown ATC option 'soc_verison' \(did you mean 'soc_version'"
    ):
        options_from({"soc_verison": "Ascend310P3"})
    with pytest.raises(UsageError, match="soc_version is missing"):
        options_from({})
