"""What ATC is asked to do: one immutable record that cannot hold a contradiction."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from convertkit_ascend.atc import checks
from convertkit_ascend.atc.dtype_files import CustomDtype, Mixlist, OpPrecision
from convertkit_ascend.atc.shapes import InputShape
from convertkit_ascend.atc.values import KEEPS_ALL, ONNX


@dataclass(frozen=True, kw_only=True)
class AtcOptions:
    """The options of a compilation, named as ATC names them; None or empty leaves ATC its default.

    Values and defaults: ascend-facts: atc-options, atc-precision. Files that ATC wants are given by their content:
    :func:`convertkit_ascend.atc.config_files` writes them.

    Attributes:
        soc_version: the chip, ``Ascend310P3``.
        input_shape: the inputs whose shape to fix; all of a static model may be left out.
        dynamic_batch_size: batch sizes to build for. ``dynamic_image_size``: ``(height, width)`` pairs.
            ``dynamic_dims``: one tuple per profile, a size for each free axis in the order of ``input_shape``.
        out_nodes: ``node:index`` for all, or names of ONNX output tensors for all.
        output_type: element type of all outputs; ``output_types`` by ``node:index``.
        insert_op_conf: text of the AIPP configuration.
        keep_dtype: node names and ``OpType::Type`` that keep the precision of the model.
        aicore_num: matrix cores to compile for.
        fusion_off: names of fusion passes to switch off (``--fusion_switch_file``).
        extra: further options by name, for what is not typed here; passed on unchecked.

    Raises:
        UsageError: options that exclude each other, or a value outside what is documented; one line.
        UnknownNameError: no such chip.
    """

    soc_version: str
    framework: int = ONNX
    input_format: str = "NCHW"
    input_shape: tuple[InputShape, ...] = ()
    log: str = "error"
    dynamic_batch_size: tuple[int, ...] = ()
    dynamic_image_size: tuple[tuple[int, int], ...] = ()
    dynamic_dims: tuple[tuple[int, ...], ...] = ()
    out_nodes: tuple[str, ...] = ()
    output_type: str | None = None
    output_types: Mapping[str, str] = dataclasses.field(default_factory=dict)
    insert_op_conf: str | None = None
    input_fp16_nodes: tuple[str, ...] = ()
    is_input_adjust_hw_layout: tuple[bool, ...] = ()
    is_output_adjust_hw_layout: tuple[bool, ...] = ()
    precision_mode: str | None = None
    precision_mode_v2: str | None = None
    keep_dtype: tuple[str, ...] = ()
    customize_dtypes: tuple[CustomDtype, ...] = ()
    modify_mixlist: Mixlist | None = None
    op_precision_mode: OpPrecision | None = None
    op_select_implmode: str | None = None
    optypelist_for_implmode: tuple[str, ...] = ()
    fusion_off: tuple[str, ...] = ()
    buffer_optimize: str | None = None
    enable_small_channel: bool | None = None
    core_type: str | None = None
    aicore_num: int | None = None
    virtual_type: bool | None = None
    external_weight: bool | None = None
    host_env_os: str | None = None
    host_env_cpu: str | None = None
    ac_parallel_enable: bool | None = None
    deterministic: bool | None = None
    jit_compile: bool | None = None
    static_model_ops_lower_limit: int | None = None
    oo_level: str | None = None
    op_compiler_cache_mode: str | None = None
    op_compiler_cache_dir: str | None = None
    op_debug_level: int | None = None
    debug_dir: str | None = None
    export_compile_stat: int | None = None
    display_model_info: bool | None = None
    extra: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.check(self)

    def keeps(self, node: str, operator: str) -> bool:
        """Whether ATC may not lower a node from float32; ``operator`` is the vendor's."""
        if (self.precision_mode or self.precision_mode_v2) in KEEPS_ALL:
            return True
        black = () if self.modify_mixlist is None else self.modify_mixlist.keep
        return operator in black or not {node, f"OpType::{operator}"}.isdisjoint(self.keep_dtype)
