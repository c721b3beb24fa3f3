"""Rules about what the kernel lists of a chip say, beside the package's own table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from convertkit_ascend.linter.rule import Spot, rule
from convertkit_ascend.linter.typed import Typed

_HALF, _BOTH = ("float16",), ("float16", "float32")

KNOWN: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "RoiExtractor": {
        **dict.fromkeys(
            ("ascend310", "ascend310b", "ascend310p", "ascend910", "ascend910b", "ascend910_93"), _BOTH
        ),
        "ascend610": (),
    },
    "BatchMultiClassNonMaxSuppression": {
        **dict.fromkeys(("ascend310", "ascend310p", "ascend910"), _HALF),
        **dict.fromkeys(("ascend310b", "ascend910b", "ascend910_93"), _BOTH),
    },
    "NonMaxSuppressionV6": {
        "ascend310p": _BOTH,
        **dict.fromkeys(
            ("ascend310", "ascend310b", "ascend610", "ascend910", "ascend910b", "ascend910_93"), ()
        ),
    },
}
"""Element types by IR operator and family of chips; none without AI Core kernel (ascend-facts: vendor-kernels)."""


@rule(
    "kernel-missing",
    fix="express it by other operators, or choose another chip",
    source="ascend-facts: vendor-kernels; ops-info of CANN 8.1.RC1 [read]",
    hides=("engine-unknown",),
)
def kernel_missing(graph: Typed) -> Iterator[Spot]:
    """The chip has a kernel for every vendor operator."""
    family = graph.operators.family
    for node in graph.view.nodes:
        operator = node.rule.main_ir if node.rule else ""
        listed = graph.operators.lists(operator)
        kinds = KNOWN.get(operator, {}).get(family) if listed is None else ((), _BOTH)[listed]
        if operator in KNOWN and kinds == ():
            where = "its installation lists none" if listed is False else "CANN 8.1.RC1 lists none"
            yield Spot.at(node, f"{family} has no AI Core kernel of {operator}: {where}")


@rule(
    "float32-kept",
    fix="run cast-fp16-operators before legalize-ascend, or let ATC lower the precision (force_fp16 is its default)",
    source="ascend-facts: atc-keep-origin; hicann/ge sub_ops_store.cc, CheckPrecisionReduce [read]",
)
def float32_kept(graph: Typed) -> Iterator[Spot]:
    """What ATC is told to keep in float32 has a float32 kernel."""
    for node in graph.view.nodes:
        table = node.rule
        if table is None or graph.view.dtype(node.input(0)) != "float32":
            continue
        if not graph.keeps(node.name, table.main_ir):
            continue
        if table.half_only:
            yield Spot.at(node, f"{table.main_ir} has float16 kernels only, and float32 is to be kept")
        elif "float16" in table.data_types and "float32" not in table.data_types:
            why = f"{table.main_ir} has float16 kernels only on AI Core; keeping float32, it runs on AI CPU"
            yield Spot.at(node, why, severity="warning")
