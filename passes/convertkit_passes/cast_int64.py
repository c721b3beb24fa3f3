"""``cast-int64-to-int32``: integers as accelerators want them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from convertkit.api import errors, graphs, passes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from convertkit_passes.int64.plan import Plan


class CastInt64ToInt32(passes.GraphPass):
    """Turn int64 tensors into int32 wherever ONNX allows it, graph outputs included.

    The types flow through the whole graph: what one operator binds to one type variable changes together, and the
    schemas at the model's opset say what may. What ONNX fixes to int64 (the indices of TopK, the shape of Reshape)
    stays, and so does size arithmetic that only feeds such inputs; a Cast stands where the two meet. Ops without a
    schema and subgraphs are left alone.

    A tensor becomes int32 only where int32 is known to hold its values: ranges are followed from constants, types and
    shapes through arithmetic, masks, padding and empty reductions; a float may be a NaN, which Clip lets pass.
    Whatever may be beyond stays int64, a graph output too, and is named. Two things are taken for granted: that the
    sizes of tensors fit, and the values of int64 graph inputs (the line of the pass says which); the check runs the
    graph at these bounds, too.

    Options:
        outputs: retype int64 graph outputs.
        inputs: retype int64 graph inputs too.
        ranges: lowest and highest value of graph inputs, such as ``{ids: [0, 30521]}``, where they are known; none of
            them is a NaN.
    """

    name = "cast-int64-to-int32"
    effect = "exact"
    after = ("simplify", "fold-constants")
    outputs: bool = True
    inputs: bool = False
    ranges: dict[str, tuple[int, int]] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (low, high) in self.ranges.items():
            if low > high:
                raise passes.UsageError(
                    f"pass {self.name}: the range of {name!r} is empty: {low} to {high}", hint="lowest first"
                )

    def run(self, graph: passes.Graph) -> tuple[str, ...]:
        from convertkit_passes.int64.rewrite import Rewriter

        plan = self.plan(graph)
        remarks = tuple(plan.remarks())
        if any(group.kept for group in plan.groups) and (told := graphs.remedy(graph.inputs)):
            remarks += (f"more may become int32 once sizes are known: {told}",)
        Rewriter(graph, plan).run()
        return remarks

    def plan(self, graph: passes.Graph) -> Plan:
        """What becomes int32; the graph stays as it is.

        Raises:
            UnknownNameError: a range is stated of something that is no graph input.
            UsageError: the input's type cannot hold it.
        """
        import numpy as np

        from convertkit_passes.int64.interval import of_type
        from convertkit_passes.int64.plan import make_plan
        from convertkit_passes.int64.types import Types

        types, known = Types(graph), {tensor.name: tensor for tensor in graph.inputs}
        for name, (low, high) in self.ranges.items():
            if name not in known:
                raise errors.UnknownNameError("graph input", name, list(known))
            kind = types.of(known[name])
            own = of_type(kind if kind is not None and kind.kind in "iub" else np.dtype(np.int64))
            if low < own.low or high > own.high:
                raise passes.UsageError(
                    f"pass {self.name}: the range of {name!r} passes {own}, which is what its type can hold"
                )
        return make_plan(graph, inputs=self.inputs, outputs=self.outputs, ranges=self.ranges)

    def probes(
        self, model: passes.LightModel, sample: Mapping[str, NDArray[Any]]
    ) -> list[dict[str, NDArray[Any]]]:
        """Masks off, on and mixed, integers at the bounds that the plan believes in."""
        from convertkit_passes.int64.probes import bound_probes

        return bound_probes(model, sample, self.ranges)

    def explain(self, graph: passes.Graph) -> tuple[passes.Finding, ...]:
        """One finding per int64 tensor: it becomes int32, or why it stays."""
        return self.plan(graph).findings()
