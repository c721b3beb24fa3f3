"""Which nodes of a graph compute in fp32 where the others compute in fp16: a mixture of precisions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from convertkit.api import errors, graphs, heads, targets
from convertkit_ascend.linter.table import half_only
from convertkit_ascend.numerics.effects import HALF, MIXING, MODES
from convertkit_ascend.ops import DOMAIN

WHY = "its kernels are float16 only"


def cannot_keep(model: targets.LightModel) -> Mapping[str, str]:
    """The nodes of a main graph that no option keeps in fp32, by name, and why; a head becomes a vendor operator."""
    nodes = model.proto.graph.node
    return {
        node.name: WHY
        for node in nodes
        if node.domain == heads.HEADS or _is_half_only(node.op_type, node.domain)
    }


def kept_nodes(graph: graphs.Graph, keep: Collection[str]) -> frozenset[int]:
    """The nodes of these names, by their ids.

    Raises:
        UsageError: the graph has no such node. UnavailableError: one cannot be kept.
    """
    if not keep:
        return frozenset()
    named = {node.name: node for node in graph.nodes if node.name}
    for name in keep:
        if name not in named:
            hint = errors.nearest(name, named) or "a plan names nodes of the graph that it was made of"
            raise errors.UsageError(f"the graph has no node {name!r} to keep in fp32", hint=hint)
        if _is_half_only(named[name].op, named[name].domain):
            raise targets.UnavailableError(
                f"{named[name].op} {name!r} cannot be kept in fp32: {WHY}", hint="leave it out of the plan"
            )
    return frozenset(id(named[name]) for name in keep)


def nodes_to_keep(options: Mapping[str, Any]) -> tuple[str, ...]:
    """What ``keep_dtype`` names.

    Raises:
        UnavailableError: it names types of operators, which are the compiler's own and not those of the graph.
    """
    names = tuple(options.get("keep_dtype") or ())
    if kind := next((name for name in names if name.startswith("OpType::")), ""):
        raise targets.UnavailableError(
            f"device numerics do not emulate option keep_dtype {kind}", hint="name the nodes"
        )
    return names


def options_with(keep: Sequence[str], options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Options of ATC with nodes to keep; without a mode it takes no notice of them (ascend-facts: atc-precision-files).

    Raises:
        UsageError: beside these options the nodes are ignored, or others are kept than was measured.
    """
    if not keep:
        return options
    for name in MIXING:
        if options.get(name):
            raise targets.UsageError(f"option {name} does not go with a plan", hint="leave one of them out")
    for name in MODES:
        if (mode := options.get(name)) and mode not in HALF:
            raise targets.UsageError(
                f"option {name}={mode} does not go with a plan, which was measured in fp16",
                hint="leave it out",
            )
    said = {} if any(map(options.get, MODES)) else {MODES[0]: HALF[0]}
    return {**options, **said, "keep_dtype": list(keep)}


def _is_half_only(op: str, domain: str | None) -> bool:
    return domain == DOMAIN or (domain in (None, "", "ai.onnx") and op in half_only())
