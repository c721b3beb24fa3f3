"""A graph on the host where some nodes compute in fp32 and the others as the target's lowest precision has it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from convertkit.errors import UsageError

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel
    from convertkit.targets.base import Target
    from convertkit.targets.capabilities import Runtime
    from convertkit.targets.context import CompileContext


class MixedPrecision(Protocol):
    """Runs graphs in a mixture of precisions, with casts where the compiler would put them.

    Attributes:
        option: of the compiler, that names the nodes to keep.
    """

    @property
    def option(self) -> str: ...

    def cannot_keep(self, model: LightModel) -> Mapping[str, str]:
        """The nodes that the target never computes in fp32, by name, and why in a few words.

        Args:
            model: the target graph.
        """
        ...

    def options(self, keep: Sequence[str], options: Mapping[str, Any]) -> Mapping[str, Any]:
        """The compiler's options with nodes to keep beside others; without nodes the others as they are.

        Raises:
            UsageError: the compiler would refuse or ignore the nodes beside them, or they are no such mixture.
        """
        ...

    def reference(self, model: LightModel) -> Runtime:
        """The graph in fp32 on onnxruntime, fed normalised inputs: what no mixture is better than.

        Args:
            model: the target graph, or one on the way there. The operators of the vendor compute as they are defined,
                so that what a mixture loses beside it is a matter of its precision and of what the chip does otherwise.
        """
        ...

    def emulate(self, model: LightModel, keep: Collection[str], context: CompileContext) -> Runtime:
        """A runtime on the host; without nodes to keep it is the target's lowest precision.

        Args:
            model: the target graph.
            keep: names of nodes that compute in fp32, and hand fp32 on to each other.

        Raises:
            UsageError: there is no such node. UnavailableError: one cannot be kept.
        """
        ...


def mixed_of(target: Target) -> MixedPrecision:
    """UsageError for a target that has no such thing."""
    if target.mixed is None:
        raise UsageError(
            f"target {target.name} has no precision to plan: it computes as the graph says",
            hint="give the --target that the model is built for",
        )
    return target.mixed
