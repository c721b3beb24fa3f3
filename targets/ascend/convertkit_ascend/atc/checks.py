"""What ATC would refuse, or ignore without a word, refused before it runs; each line names the options concerned.

Where ATC has an error code for it, the line ends with the code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from convertkit.api import errors, targets
from convertkit_ascend import socs
from convertkit_ascend.atc import shape_checks, text_checks, values
from convertkit_ascend.atc.text_checks import refuse

if TYPE_CHECKING:
    from convertkit_ascend.atc.options import AtcOptions

CHOICES: dict[str, tuple[Any, ...]] = {
    "framework": tuple(values.FRAMEWORKS),
    "input_format": values.INPUT_FORMATS,
    "log": values.LOG_LEVELS,
    "output_type": values.OUTPUT_TYPES,
    "precision_mode": values.PRECISION_MODES,
    "precision_mode_v2": values.PRECISION_MODES_V2,
    "op_select_implmode": values.IMPLEMENTATION_MODES,
    "buffer_optimize": values.BUFFER_MODES,
    "core_type": values.CORE_TYPES,
    "host_env_os": values.HOST_SYSTEMS,
    "host_env_cpu": values.HOST_PROCESSORS,
    "oo_level": values.OPTIMIZATION_LEVELS,
    "op_compiler_cache_mode": values.CACHE_MODES,
    "op_debug_level": values.DEBUG_LEVELS,
    "export_compile_stat": values.COMPILE_STATS,
}

_EXCLUSIVE = (
    ("dynamic_batch_size", "dynamic_image_size", "E10009"),
    ("dynamic_batch_size", "dynamic_dims", "E10009"),
    ("dynamic_image_size", "dynamic_dims", "E10009"),
    ("insert_op_conf", "dynamic_dims", ""),
    ("precision_mode", "precision_mode_v2", "E10047"),
    ("op_precision_mode", "op_select_implmode", ""),
    ("op_precision_mode", "optypelist_for_implmode", ""),
    ("output_type", "output_types", ""),
)

_NEEDS = (
    ("op_compiler_cache_dir", "op_compiler_cache_mode"),
    ("debug_dir", "op_debug_level"),
    ("optypelist_for_implmode", "op_select_implmode"),
    ("output_types", "out_nodes"),
    ("enable_small_channel", "insert_op_conf"),
    ("is_input_adjust_hw_layout", "input_fp16_nodes"),
)


_PARTNERS = {"insert_op_conf": "say normalize: target in preprocess"}
"""How to have an option that is not the user's to give."""


def check(options: AtcOptions) -> None:
    """Run every check; the first that fails raises UsageError (or UnknownNameError for the chip)."""
    soc = socs.get(options.soc_version)
    if options.soc_version != soc.soc_version:
        refuse(f"--soc_version is {options.soc_version!r}", f"atc spells it {soc.soc_version}", "E10014")
    for step in (_choices, _exclusive, _needs, *_SINGLE):
        step(options)
    _of_chip(options, soc)
    shape_checks.check(options, soc)


def _choices(options: AtcOptions) -> None:
    for name, allowed in CHOICES.items():
        value = getattr(options, name)
        if value is not None:
            _choose(f"--{name} is {value!r}", value, allowed)


def _exclusive(options: AtcOptions) -> None:
    for one, other, code in _EXCLUSIVE:
        if _given(options, one) and _given(options, other):
            refuse(f"--{_option(one)} and --{_option(other)} exclude each other", "keep one", code)


def _needs(options: AtcOptions) -> None:
    for name, partner in _NEEDS:
        if _given(options, name) and not _given(options, partner):
            advice = _PARTNERS.get(partner, f"give --{partner} too")
            refuse(f"--{_option(name)} has no effect without --{partner}", advice, "E10057")


def _precision(options: AtcOptions) -> None:
    mode = options.precision_mode or options.precision_mode_v2
    name = "precision_mode" if options.precision_mode else "precision_mode_v2"
    if options.keep_dtype and mode is None:
        refuse(
            "--keep_dtype needs --precision_mode or --precision_mode_v2", "say force_fp16 for ATC's default"
        )
    if options.keep_dtype and mode in values.KEEPS_ALL:
        refuse(f"--keep_dtype has no effect with --{name}={mode}", "leave one out")
    if options.modify_mixlist is not None and mode not in values.MIXED:
        given = f"--{name}={mode}" if mode else "ATC's default precision mode"
        refuse(f"--modify_mixlist has no effect with {given}", "choose allow_mix_precision or mixed_float16")


def _cache(options: AtcOptions) -> None:
    mode = options.op_compiler_cache_mode
    if mode == "disable" and options.op_compiler_cache_dir:
        refuse("--op_compiler_cache_dir has no effect with --op_compiler_cache_mode=disable", "choose enable")
    if mode in ("enable", "force") and options.op_debug_level:
        level = options.op_debug_level
        refuse(
            f"--op_compiler_cache_mode={mode} has no effect with --op_debug_level={level}", "leave one out"
        )
    if options.debug_dir and options.op_debug_level == 0:
        refuse(
            "--debug_dir has no effect with --op_debug_level=0", "choose 3 or 4, or 1 or 2 for AI Core errors"
        )


def _outputs(options: AtcOptions) -> None:
    indexed = [re.fullmatch(r"[^;:]+:\d+", name) is not None for name in options.out_nodes]
    if any(indexed) and not all(indexed):
        other = options.out_nodes[indexed.index(False)]
        first = options.out_nodes[indexed.index(True)]
        refuse(
            f"--out_nodes mixes {first!r} with {other!r}",
            "all node:index, or all output tensor names",
            "E10001",
        )
    for name in options.out_nodes:
        if ";" in name or (":" in name and not all(indexed)):
            refuse(f"--out_nodes: {name!r} holds a ':' or ';', at which ATC splits", "rename the node")
    for name, dtype in options.output_types.items():
        if name not in options.out_nodes:
            refuse(
                f"--output_type: {name!r} is not one of --out_nodes",
                errors.suggestion(name, options.out_nodes),
            )
        _choose(f"--output_type: {name} is {dtype!r}", dtype, values.OUTPUT_TYPES)


def _inputs(options: AtcOptions) -> None:
    known = [shape.name for shape in options.input_shape]
    for name in options.input_fp16_nodes:
        if known and name not in known:
            refuse(
                f"--input_fp16_nodes: {name!r} is not in --input_shape",
                errors.suggestion(name, known),
                "E10016",
            )
    if options.input_fp16_nodes and options.insert_op_conf and len(known) < 2:
        refuse("--input_fp16_nodes and --insert_op_conf concern the same input", "AIPP takes uint8", "E10034")
    if options.insert_op_conf is not None and options.input_format != "NCHW":
        refuse(f"--insert_op_conf and --input_format={options.input_format} exclude each other", "say NCHW")


_SINGLE: tuple[Callable[[AtcOptions], None], ...] = (
    _precision,
    _cache,
    _outputs,
    _inputs,
    text_checks.check,
)


def _of_chip(options: AtcOptions, soc: socs.Soc) -> None:
    mode = options.precision_mode or options.precision_mode_v2 or ""
    if mode in values.HIFLOAT8:
        refuse(
            f"precision {mode} and --soc_version={soc.soc_version} exclude each other",
            "hif8 is for Ascend 950",
        )
    if mode in values.BFLOAT16 and not soc.bf16:
        refuse(
            f"precision {mode} and --soc_version={soc.soc_version} exclude each other",
            "the chip has no bfloat16",
        )
    if options.core_type == "VectorCore" and soc.family != "Ascend310P":
        refuse(
            f"--core_type=VectorCore and --soc_version={soc.soc_version} exclude each other",
            "only 310P has it",
        )
    if options.aicore_num is not None and not 1 <= options.aicore_num <= soc.ai_cores:
        refuse(
            f"--aicore_num is {options.aicore_num}", f"{soc.soc_version} has 1 to {soc.ai_cores}", "E20103"
        )
    if options.ac_parallel_enable and soc.family == "Ascend310B":
        refuse(f"--ac_parallel_enable and --soc_version={soc.soc_version} exclude each other", "leave it out")
    if options.op_precision_mode is not None:
        allowed = values.OP_MODES + (values.OP_MODES_A2 if soc.family == "Ascend910B" else ())
        chosen = [*options.op_precision_mode.by_type.items(), *options.op_precision_mode.by_node.items()]
        for name, value in chosen:
            _choose(f"--op_precision_mode: {name} is {value!r}", value, allowed)


def _choose(what: str, value: Any, allowed: tuple[Any, ...]) -> None:
    if value in allowed:
        return
    same = [choice for choice in map(str, allowed) if choice.lower() == str(value).lower()]
    near = errors.suggestion(same[0] if same else str(value), map(str, allowed))
    raise targets.UsageError(what, hint=near)


def _given(options: AtcOptions, name: str) -> bool:
    value = getattr(options, name)
    return value is not None and value != () and value != {}


def _option(name: str) -> str:
    return {"output_types": "output_type=node:index:type"}.get(name, name)
