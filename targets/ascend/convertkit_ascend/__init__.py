"""The Ascend targets: vendor operators, the passes that write them, and how their graphs run without a chip."""

from __future__ import annotations

from collections.abc import Callable

from convertkit.api import graphs, targets
from convertkit_ascend.domain import DOMAIN
from convertkit_ascend.passes.cast_fp16_operators import CastFp16Operators
from convertkit_ascend.passes.center_nms_boxes import CenterNmsBoxes
from convertkit_ascend.passes.legalize import LegalizeAscend
from convertkit_ascend.target import TARGETS

PASSES: tuple[type[targets.Pass], ...] = (
    CenterNmsBoxes,
    CastFp16Operators,
    LegalizeAscend,
)


@targets.hookimpl
def register_passes(register: Callable[[type[targets.Pass]], None]) -> None:
    for step in PASSES:
        register(step)


@targets.hookimpl
def register_targets(register: Callable[[targets.Target], None]) -> None:
    for target in TARGETS:
        register(target)


INDICES = {"BatchMultiClassNMS": (2, 3)}
"""Its classes and its counts of boxes (ascend-facts: nms-ir)."""

HEADS = {"BatchMultiClassNMS": "MulticlassNms", "RoiExtractor": "MultilevelRoiAlign"}


@targets.hookimpl
def register_domains(register: Callable[[graphs.Domain], None]) -> None:
    register(graphs.Domain(DOMAIN, _register_schemas, _lower, _cost, _adopt, INDICES, HEADS))


@targets.hookimpl
def examine() -> list[targets.Diagnosis]:
    from convertkit_ascend.doctor import examine as look

    return look()


def _register_schemas() -> None:
    from convertkit_ascend import ops

    ops.register_schemas()


def _lower(model: targets.LightModel) -> targets.LightModel:
    """Passes are checked in the framework's semantics: what the graph before the rewrite computed."""
    from convertkit_ascend.twin import lower

    return lower(model, "framework")


def _cost(node: graphs.Operation) -> graphs.Cost | None:
    from convertkit_ascend.roofline import cost

    return cost(node)


def _adopt(
    model: targets.LightModel,
) -> tuple[targets.LightModel, Callable[[targets.LightModel], targets.LightModel]]:
    from convertkit_ascend.handover import adopt

    return adopt(model)
