"""Operator domains that plugins bring: how onnx learns their schemas, and how their graphs run on the host.

A graph says by its opset imports which domains it needs. onnx keeps schemas for the whole process, so domains are known
for the whole process too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from convertkit.errors import PluginError

if TYPE_CHECKING:
    from convertkit.estimate.record import Cost, Operation
    from convertkit.graph.light import LightModel


@dataclass(frozen=True)
class Domain:
    """A domain of operators that standard ONNX does not have.

    Attributes:
        name: as in ``opset_import``.
        register_schemas: makes onnx's checker and shape inference know the operators; may be called again.
        lower: rewrites a graph with such operators into standard ONNX of the same meaning.
        cost: what a node takes at least, for ``convertkit estimate``; None for an operator without an answer.
    """

    name: str
    register_schemas: Callable[[], None]
    lower: Callable[[LightModel], LightModel]
    cost: Callable[[Operation], Cost | None] | None = None


_domains: dict[str, Domain] = {}


def add_domain(domain: Domain) -> None:
    """Makes a domain known.

    Raises:
        PluginError: another plugin has brought one of that name.
    """
    if _domains.setdefault(domain.name, domain) != domain:
        raise PluginError(f"operator domain {domain.name!r} is registered twice")


def domains_of(model: LightModel) -> tuple[Domain, ...]:
    """The known domains a graph imports."""
    imports = [entry.domain for entry in model.proto.opset_import]
    return tuple(_domains[name] for name in imports if name in _domains)


def register_schemas(model: LightModel) -> None:
    """Makes onnx know the operators of the domains that a graph imports."""
    for domain in domains_of(model):
        domain.register_schemas()


def lowered(model: LightModel) -> LightModel:
    """The graph in standard ONNX, as far as its domains are known."""
    for domain in domains_of(model):
        model = domain.lower(model)
    return model
