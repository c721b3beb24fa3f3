"""Every rule that a preflight may report: its own, and those of :mod:`convertkit_ascend.legality`."""

from __future__ import annotations

import functools

from convertkit_ascend.legality.checks import FIXES, GENERAL_FIX, KINDS
from convertkit_ascend.legality.table import every
from convertkit_ascend.legality.violation import Severity
from convertkit_ascend.preflight.kinds import SUMMARIES
from convertkit_ascend.preflight.rule import Description
from convertkit_ascend.preflight.rules import FIRST, RAW, TYPED

_E: Severity = "error"
_W: Severity = "warning"

_SHOWN = 3
"""Operators named beside a limit."""

LEGALITY: tuple[Description, ...] = (
    Description("valid-graph", _E, "Strict shape inference accepts the graph.", "repair the graph", "ONNX"),
    Description(
        "opset-window",
        _E,
        "The opset is 11 to 18, 11 to 16 with convertkit's own vendor operators; 8 to 10 parse all the same.",
        "export with another opset",
        "ascend-facts: parser-opsets [run]",
    ),
    Description(
        "domain-import",
        _E,
        "The domain of every node is imported.",
        "add it to opset_import",
        "ascend-facts: parser-key; E19999 [run]",
    ),
    Description(
        "interface",
        _E,
        "The graph has an input and an output.",
        "give it one",
        "ascend-facts: parser-inputs; E16001 [run]",
    ),
    Description(
        "input-type",
        _W,
        "A graph input is float32, float16, or uint8 through AIPP.",
        "feed float32 and cast inside",
        "ascend-facts: atc-restrictions, parser-inputs [documented]; the parser itself takes more [run]",
    ),
    Description(
        "subgraph",
        _E,
        "No node holds a subgraph; If is taken, but only the operators of its branches are examined.",
        "export without control flow",
        "ascend-facts: parser-functions; If works, Loop does not [run]; shapes behind both are open",
    ),
    Description(
        "node-unnamed",
        _W,
        "Every node has a name.",
        "name it (legalize-ascend does)",
        "ascend-facts: parser-names [run]",
    ),
    Description(
        "node-name",
        _E,
        "A node's name is its own: no other node, no graph input, no node made of an initializer has it.",
        "rename it (legalize-ascend does)",
        "ascend-facts: parser-names; E13009 [run]",
    ),
    Description(
        "initializer-twice",
        _E,
        "An initializer is there once; of two the last silently wins.",
        "keep one",
        "ascend-facts: parser-constants [run]",
    ),
    Description(
        "tensor-twice",
        _E,
        "One node writes a tensor; of two the last silently wins.",
        "give the tensors different names",
        "ascend-facts: parser-names [run]",
    ),
    Description(
        "op-unknown",
        _E,
        "The parser has a plugin for every operator at its opset.",
        "express it by other operators",
        "ascend-facts: parser-opsets; E13010 [run]",
    ),
    Description(
        "op-undocumented",
        _W,
        "The vendor's page lists the operator at this opset.",
        "export with opset 11",
        "onnx_ops.json, documented_opsets",
    ),
    Description(
        "engine-aicpu",
        _W,
        "Operators run on AI Core.",
        "express it by operators of AI Core where it costs time",
        "ascend-facts: kernel-lists [read]",
    ),
    Description(
        "engine-unknown",
        _W,
        "Some kernel list has the operator.",
        "express it by operators of AI Core",
        "ascend-facts: kernel-lists [read]",
    ),
    Description(
        "attr-type",
        _E,
        "Attributes have the type that the parser reads; others are skipped, defaults stay.",
        "write it with the type the parser reads",
        "ascend-facts: parser-attributes [run]",
    ),
    Description(
        "attr-unread",
        _W,
        "The parser reads every attribute that is not at its default.",
        "make sure that the default means the same",
        "ascend-facts: parser-attributes [run]",
    ),
    Description(
        "type",
        _E,
        "A kernel takes the type of the main data input.",
        "cast it",
        "ascend-facts: kernel-lists [read]",
    ),
    Description(
        "type-aicpu",
        _W,
        "AI Core takes the type of the main data input.",
        "cast it",
        "ascend-facts: kernel-lists [read]",
    ),
    Description(
        "cast-pair",
        _E,
        "A kernel knows every pair of types of a Cast.",
        "cast in two steps",
        "ascend-facts: cast-pairs [read]",
    ),
    Description(
        "type-mixed",
        _E,
        "Inputs of one type have one type on the chip too; indices of TopK are int32 there.",
        "cast them to one type",
        "ascend-facts: topk-indices [run for the IR]",
    ),
    Description(
        "output-type",
        _E,
        "A graph output has the type that the chip writes.",
        "cast it",
        "ascend-facts: topk-indices, parser-outputs [run for the IR]",
    ),
    Description(
        "shape-dynamic",
        _E,
        "Every shape is static, those of the outputs included.",
        "fold what computes the shape, or replace the region by an operator of static shape",
        "ascend-facts: dynamic-shapes [reported]; design of the target",
    ),
    Description(
        "shape-empty",
        _E,
        "No size is 0.",
        "remove what computes nothing",
        "ascend-facts: atc-restrictions [documented]",
    ),
    Description(
        "resize-rounding",
        _E,
        "Nearest Resize takes the pixels that the chip takes.",
        "export with nearest_mode floor",
        "onnx_ops.json, Resize",
    ),
)
"""The rules of :mod:`convertkit_ascend.legality` that are not a kind of check; a test keeps the list complete."""


@functools.cache
def catalogue() -> tuple[Description, ...]:
    """All rules, by id."""
    own = [*(rule.about for rule in (*FIRST, *RAW)), *(rule.about for rule in TYPED)]
    named = {item.id for item in (*own, *LEGALITY)}
    kinds = [item for item in map(_of_kind, KINDS) if item.id not in named]
    return tuple(sorted((*own, *LEGALITY, *kinds), key=lambda item: item.id))


def _of_kind(kind: str) -> Description:
    checks = [
        (rule.onnx_op, check)
        for rule in every().values()
        for check in rule.checks
        if check.kind == kind and check.severity != "info"
    ]
    bases = ", ".join(sorted({check.basis for _, check in checks})) or "doc"
    severity = _E if any(check.severity == "error" for _, check in checks) else _W
    names = sorted({name for name, _ in checks})
    about = f" ({', '.join(names[:_SHOWN])}{', ...' if len(names) > _SHOWN else ''})" if names else ""
    return Description(
        kind.replace("_", "-"),
        severity,
        f"{SUMMARIES[kind].removesuffix('.')}{about}.",
        FIXES.get(kind, GENERAL_FIX),
        f"onnx_ops.json, checks {kind} ({bases})",
    )
