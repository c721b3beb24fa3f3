"""Graphs on the host as the chip would run them: the twin, and the chip's own numerics."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from convertkit.api import errors, graphs, targets

if TYPE_CHECKING:
    from convertkit_ascend.aipp import Aipp

EMULATIONS: Mapping[str, str] = MappingProxyType(
    {
        "twin": "standard ONNX, run by onnxruntime; twin:framework computes as mmdet does, twin:ideal as defined",
        "device-numerics": "with the chip's rounding and limits; device-numerics:nms+weights picks effects",
    }
)


class AscendEmulator:
    """The twin in two semantics, and device numerics with all or some of their effects."""

    names = EMULATIONS

    def emulate(
        self,
        model: targets.LightModel,
        name: str,
        variation: str,
        context: targets.CompileContext,
    ) -> targets.Runtime:
        from convertkit_ascend.numerics import Effects, emulate
        from convertkit_ascend.numerics.keeping import nodes_to_keep
        from convertkit_ascend.twin import SEMANTICS, lower

        model = fed(model, context.pixels)
        if name == "device-numerics":
            options = context.options
            effects = Effects.parse(variation) if variation else Effects.of_options(options)
            return emulate(model, effects, nodes_to_keep(options))
        if name != "twin":
            raise errors.UnknownNameError("emulation", name, self.names)
        if variation and variation not in SEMANTICS:
            raise errors.UnknownNameError("semantics of the twin", variation, SEMANTICS)
        return graphs.open_session(lower(model, "framework" if variation == "framework" else "ideal"))


class AscendMixture:
    """Device numerics with nodes kept in fp32, as ``keep_dtype`` keeps them."""

    option = "keep_dtype"

    def options(self, keep: Sequence[str], options: Mapping[str, Any]) -> Mapping[str, Any]:
        from convertkit_ascend.numerics.keeping import options_with

        return options_with(keep, options)

    def cannot_keep(self, model: targets.LightModel) -> Mapping[str, str]:
        from convertkit_ascend.numerics.keeping import cannot_keep

        return cannot_keep(model)

    def reference(self, model: targets.LightModel) -> targets.Runtime:
        from convertkit_ascend.twin import lower

        return graphs.open_session(lower(model))

    def emulate(
        self, model: targets.LightModel, keep: Collection[str], context: targets.CompileContext
    ) -> targets.Runtime:
        from convertkit_ascend.numerics import Effects, emulate

        return emulate(fed(model, context.pixels), Effects(), keep)


def fed(model: targets.LightModel, pixels: targets.Pixels | None) -> targets.LightModel:
    """The graph as it is fed: with AIPP before it, where the chip normalises."""
    if pixels is None:
        return model
    from convertkit_ascend.aipp import prepend

    return prepend(model, pixels.input, aipp_of(model, pixels))


def aipp_of(model: targets.LightModel, pixels: targets.Pixels) -> Aipp:
    """AIPP's settings for the input of a graph that it normalises.

    Raises:
        GraphError: the graph has no such input.
    """
    from convertkit_ascend.aipp import from_pixels

    inputs = [value.name for value in graphs.free_inputs(model.proto.graph)]
    if pixels.input not in inputs:
        raise targets.GraphError(
            f"the graph has no input {pixels.input!r} to normalise; it has {', '.join(inputs)}"
        )
    return from_pixels(pixels, inputs.index(pixels.input))
