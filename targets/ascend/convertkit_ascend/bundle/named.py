"""Nodes that ATC's options name must be in the graph: of a name it does not find, ATC says nothing, or not which."""

from __future__ import annotations

import re
from collections.abc import Iterable

import onnx

from convertkit.api import errors, targets
from convertkit_ascend.atc import AtcOptions


def check_names(options: AtcOptions, graph: onnx.GraphProto) -> None:
    """Refuses options for nodes that the file for ATC does not have.

    Raises:
        UsageError: names the option, the node and the nearest node there is.
    """
    nodes = {node.name for node in graph.node}
    tensors = {name for node in graph.node for name in node.output}
    _known("keep_dtype", (name for name in options.keep_dtype if not name.startswith("OpType::")), nodes)
    _known("customize_dtypes", (item.name for item in options.customize_dtypes if not item.by_type), nodes)
    if options.op_precision_mode is not None:
        _known("op_precision_mode", options.op_precision_mode.by_node, nodes)
    indexed = {f"{node.name}:{index}" for node in graph.node for index in range(len(node.output))}
    for name in options.out_nodes:
        _known("out_nodes", [name], indexed if re.fullmatch(r".+:\d+", name) else tensors)
    _known("input_fp16_nodes", options.input_fp16_nodes, {value.name for value in graph.input})


def _known(option: str, names: Iterable[str], known: set[str]) -> None:
    for name in names:
        if name in known:
            continue
        hint = errors.nearest(name, known) or "ascend.onnx of a build without this option has the names"
        raise targets.UsageError(f"--{option}: the graph has no {name!r}", hint=hint)
