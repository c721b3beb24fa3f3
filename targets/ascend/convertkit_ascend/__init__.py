"""The Ascend targets: vendor operators, the passes that write them, and how their graphs run without a chip."""

from __future__ import annotations

from collections.abc import Callable

import convertkit
from convertkit_ascend.target import Ascend310P3


@convertkit.hookimpl
def register_targets(register: Callable[[type[convertkit.Target]], None]) -> None:
    register(Ascend310P3)


@convertkit.hookimpl
def register_domains(register: Callable[[convertkit.Domain], None]) -> None:
    from convertkit_ascend.ops.registry import DOMAIN

    register(convertkit.Domain(DOMAIN, _register_schemas, _lower))


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
