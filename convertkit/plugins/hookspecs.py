"""The hooks a plugin may implement. pluggy discovers them; the registry decides what their names mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from convertkit.graph.domains import Domain
    from convertkit.models.base import Model
    from convertkit.passes.base import Pass
    from convertkit.passes.history import PassRecord
    from convertkit.plugins.diagnosis import Diagnosis
    from convertkit.targets.base import Target

PROJECT = "convertkit"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_passes(register: Callable[[type[Pass]], None]) -> None:
    """Call ``register(PassClass)`` for every pass the plugin brings."""


@hookspec
def register_targets(register: Callable[[Target], None]) -> None:
    """Call ``register(SomeTarget("name"))`` for every target the plugin brings: an object, no class."""


@hookspec
def register_models(register: Callable[[type[Model]], None]) -> None:
    """Call ``register(ModelClass)`` for the Python side of a model package."""


@hookspec
def register_domains(register: Callable[[Domain], None]) -> None:
    """Call ``register(Domain(name, register_schemas, lower))`` for operators that standard ONNX does not have.

    ``adopt`` of a domain takes in files that have them in another one.
    """


@hookspec
def after_pass(record: PassRecord) -> None:
    """Observe: called once after every pass that ran, with its record. What it returns is ignored."""


@hookspec
def examine() -> list[Diagnosis]:  # type: ignore[empty-body]
    """Return a list of ``Diagnosis`` for ``convertkit doctor``: what the plugin needs here, and whether it is there."""
