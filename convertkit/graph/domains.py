"""Operator domains that plugins bring: how onnx learns their schemas, and how their graphs run on the host.

A graph says by its opset imports which domains it needs. onnx keeps schemas for the whole process, so domains are known
for the whole process too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from convertkit.errors import PluginError

if TYPE_CHECKING:
    from convertkit.graph.costs import Cost, Operation
    from convertkit.graph.light import LightModel


WayBack = Callable[["LightModel"], "LightModel"]


@dataclass(frozen=True)
class Domain:
    """A domain of operators that standard ONNX does not have.

    Attributes:
        name: as in ``opset_import``.
        register_schemas: makes onnx's checker and shape inference know the operators; may be called again.
        lower: rewrites a graph with such operators into standard ONNX of the same meaning.
        cost: what a node takes at least, for ``convertkit estimate``; None for an operator without an answer.
        adopt: takes in a file of another tool that has the operators in another domain, or the file as it is; what it
            returns beside the graph puts them, in a graph that came of it, where the file had them.
        heads: operators of the domain, by name, that have the inputs and outputs of one of ``convertkit.heads``, of an
            NMS its limits, too: passes that work on that one work on them.
        indices: outputs, by operator and position, that hold positions or counts: none is above a size of an input.
    """

    name: str
    register_schemas: Callable[[], None]
    lower: Callable[[LightModel], LightModel]
    cost: Callable[[Operation], Cost | None] | None = None
    adopt: Callable[[LightModel], tuple[LightModel, WayBack]] | None = None
    indices: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    heads: Mapping[str, str] = field(default_factory=dict)


_domains: dict[str, Domain] = {}
_owners: dict[str, str] = {}


def add_domain(domain: Domain, owner: str = "") -> None:
    """Makes a domain known; a plugin that is loaded again, as it may have changed, brings its own anew.

    Raises:
        PluginError: another plugin has brought one of that name.
    """
    known = _domains.get(domain.name, domain)
    if known != domain and _owners[domain.name] != owner:
        raise PluginError(f"operator domain {domain.name!r} is registered twice")
    _domains[domain.name], _owners[domain.name] = domain, owner


def domains_of(model: LightModel) -> tuple[Domain, ...]:
    """The known domains a graph imports."""
    imports = [entry.domain for entry in model.proto.opset_import]
    return tuple(_domains[name] for name in imports if name in _domains)


def index_outputs(domain: str, op: str) -> tuple[int, ...]:
    """Positions of the outputs of an operator of a known domain that hold positions or counts."""
    known = _domains.get(domain)
    return () if known is None else known.indices.get(op, ())


def acts_as(domain: str, op: str) -> str:
    """The head operator that an operator of a known domain can be taken for; empty where it is none."""
    known = _domains.get(domain)
    return "" if known is None else known.heads.get(op, "")


def register_schemas(model: LightModel) -> None:
    """Makes onnx know the operators of the domains that a graph imports."""
    for domain in domains_of(model):
        domain.register_schemas()


def lowered(model: LightModel) -> LightModel:
    """The graph in standard ONNX, as far as its domains are known."""
    for domain in domains_of(model):
        model = domain.lower(model)
    return model


def adopted(model: LightModel) -> tuple[LightModel, WayBack]:
    """A user's file with the operators of known domains where their schemas are, and the way back."""
    ways: list[WayBack] = []
    for domain in _domains.values():
        if domain.adopt is not None:
            model, way = domain.adopt(model)
            ways.insert(0, way)

    def back(result: LightModel) -> LightModel:
        for way in ways:
            result = way(result)
        return result

    return model, back
