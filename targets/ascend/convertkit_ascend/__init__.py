"""The Ascend targets: vendor operators, the passes that write them, and how their graphs run without a chip."""

from __future__ import annotations

from collections.abc import Callable

import convertkit
from convertkit_ascend.domain import DOMAIN
from convertkit_ascend.passes.cast_fp16_operators import CastFp16Operators
from convertkit_ascend.passes.center_nms_boxes import CenterNmsBoxes
from convertkit_ascend.passes.legalize import LegalizeAscend
from convertkit_ascend.target import TARGETS

PASSES: tuple[type[convertkit.Pass], ...] = (
    CenterNmsBoxes,
    CastFp16Operators,
    LegalizeAscend,
)


@convertkit.hookimpl
def register_passes(register: Callable[[type[convertkit.Pass]], None]) -> None:
    for step in PASSES:
        register(step)


@convertkit.hookimpl
def register_targets(register: Callable[[convertkit.Target], None]) -> None:
    for target in TARGETS:
        register(target)


INDICES = {"BatchMultiClassNMS": (2, 3)}
"""Its classes and its counts of boxes (ascend-facts: nms-ir)."""

HEADS = {"BatchMultiClassNMS": "MulticlassNms", "RoiExtractor": "MultilevelRoiAlign"}


@convertkit.hookimpl
def register_domains(register: Callable[[convertkit.Domain], None]) -> None:
    register(convertkit.Domain(DOMAIN, _register_schemas, _lower, _cost, _adopt, INDICES, HEADS))


@convertkit.hookimpl
def examine() -> list[convertkit.Diagnosis]:
    from convertkit_ascend.doctor import examine as look

    return look()


def _register_schemas() -> None:
    from convertkit_ascend import ops

    ops.register_schemas()


def _lower(model: convertkit.LightModel) -> convertkit.LightModel:
    """Passes are checked in the framework's semantics: what the graph before the rewrite computed."""
    from convertkit_ascend.twin import lower

    return lower(model, "framework")


def _cost(node: convertkit.Operation) -> convertkit.Cost | None:
    from convertkit_ascend.roofline import cost

    return cost(node)


def _adopt(
    model: convertkit.LightModel,
) -> tuple[convertkit.LightModel, Callable[[convertkit.LightModel], convertkit.LightModel]]:
    from convertkit_ascend.handover import adopt

    return adopt(model)
