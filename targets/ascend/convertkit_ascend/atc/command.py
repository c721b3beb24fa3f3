"""The command line of ATC: one canonical order, so that equal options give equal commands.

It begins as the ModelZoo guide's command does (ascend-facts: modelzoo-command), so that for Mask R-CNN the guide's line
stands in front of whatever is added.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import PurePosixPath

from convertkit_ascend.atc import dtype_files
from convertkit_ascend.atc.options import AtcOptions
from convertkit_ascend.atc.shapes import shapes_text

FILES = {
    "insert_op_conf": "aipp.cfg",
    "keep_dtype": "keep_dtype.cfg",
    "customize_dtypes": "customize_dtypes.cfg",
    "modify_mixlist": "mixlist.json",
    "op_precision_mode": "op_precision.ini",
    "fusion_switch_file": "fusion_switch.cfg",
}
"""The file of each option that wants one."""

_PLAIN = (
    "op_select_implmode",
    "buffer_optimize",
    "enable_small_channel",
    "core_type",
    "aicore_num",
    "virtual_type",
    "external_weight",
    "host_env_os",
    "host_env_cpu",
    "ac_parallel_enable",
    "deterministic",
    "jit_compile",
    "static_model_ops_lower_limit",
    "oo_level",
    "op_compiler_cache_mode",
    "op_compiler_cache_dir",
    "op_debug_level",
    "debug_dir",
    "export_compile_stat",
    "display_model_info",
)
"""Options whose value is written as it is, in the order of the command."""


def config_files(options: AtcOptions) -> dict[str, str]:
    """The files that :func:`command` refers to: name -> content."""
    contents = {
        "insert_op_conf": options.insert_op_conf or "",
        "keep_dtype": dtype_files.keep_dtype_text(options.keep_dtype),
        "customize_dtypes": dtype_files.customize_dtypes_text(options.customize_dtypes),
        "modify_mixlist": dtype_files.mixlist_text(options.modify_mixlist) if options.modify_mixlist else "",
        "op_precision_mode": dtype_files.op_precision_text(options.op_precision_mode)
        if options.op_precision_mode
        else "",
        "fusion_switch_file": dtype_files.fusion_switch_text(options.fusion_off),
    }
    return {FILES[name]: text for name, text in contents.items() if text}


def command(options: AtcOptions, model: str, output: str, *, config: str = "") -> list[str]:
    """The words of the command, ``atc`` first.

    Args:
        model: the ONNX file, as ATC is to open it.
        output: the artifact without ``.om``, which ATC appends.
        config: directory of the files of :func:`config_files`; empty for the working directory.
    """
    texts = {
        "model": model,
        "framework": str(options.framework),
        "output": output,
        "input_format": options.input_format,
        "input_shape": shapes_text(options.input_shape),
        "log": options.log,
        "soc_version": options.soc_version,
        **_dynamic(options),
        **_ends(options),
        **{
            name: str(PurePosixPath(config) / file)
            for name, file in FILES.items()
            if file in config_files(options)
        },
        "precision_mode": options.precision_mode or "",
        "precision_mode_v2": options.precision_mode_v2 or "",
        "optypelist_for_implmode": ",".join(options.optypelist_for_implmode),
        **{name: _plain(getattr(options, name)) for name in _PLAIN},
        **{name.removeprefix("--"): value for name, value in options.extra.items()},
    }
    return ["atc", *(f"--{name}={text}" for name, text in texts.items() if text)]


def display(argv: Sequence[str]) -> str:
    """The command as a shell takes it, an option a line.

    >>> print(display(["atc", "--framework=5", "--input_shape=input:1,3,8,8;im:1"]))
    atc \\
        --framework=5 \\
        '--input_shape=input:1,3,8,8;im:1'
    """
    return " \\\n    ".join(shlex.quote(word) for word in argv)


def _dynamic(options: AtcOptions) -> dict[str, str]:
    pairs = {"dynamic_image_size": options.dynamic_image_size, "dynamic_dims": options.dynamic_dims}
    joined = {
        name: ";".join(",".join(map(str, profile)) for profile in profiles)
        for name, profiles in pairs.items()
    }
    return {"dynamic_batch_size": ",".join(map(str, options.dynamic_batch_size)), **joined}


def _ends(options: AtcOptions) -> dict[str, str]:
    """What is said of inputs and outputs."""
    each = ";".join(f"{name}:{dtype}" for name, dtype in options.output_types.items())
    return {
        "out_nodes": ";".join(options.out_nodes),
        "output_type": options.output_type or each,
        "input_fp16_nodes": ";".join(options.input_fp16_nodes),
        "is_input_adjust_hw_layout": ",".join(map(_word, options.is_input_adjust_hw_layout)),
        "is_output_adjust_hw_layout": ",".join(map(_word, options.is_output_adjust_hw_layout)),
    }


def _plain(value: str | int | bool | None) -> str:
    return "" if value is None else str(int(value)) if isinstance(value, bool) else str(value)


def _word(value: bool) -> str:
    return "true" if value else "false"
