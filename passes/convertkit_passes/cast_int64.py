"""``cast-int64-to-int32``: integers as accelerators want them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import convertkit

if TYPE_CHECKING:
    from convertkit_passes.int64.plan import Plan


class CastInt64ToInt32(convertkit.GraphPass):
    """Turn int64 tensors into int32 wherever ONNX allows it, graph outputs included.

    The types flow through the whole graph: what one operator binds to one type variable changes together, and the
    schemas at the model's opset say what may. What ONNX fixes to int64 (the indices of TopK, the shape of Reshape)
    stays, and so does size arithmetic that only feeds such inputs; a Cast stands where the two meet. Ops without a
    schema and subgraphs are left alone.

    Exact as long as the values fit into int32. Where the graph states them (constants, static shapes, and what
    arithmetic makes of these) a tensor that may pass int32 stays int64; everywhere else, as in the values of a
    graph input or of a Cast from float, fitting is assumed: indices and sizes of networks do.

    Options:
        outputs: retype int64 graph outputs.
        inputs: retype int64 graph inputs too.
    """

    name = "cast-int64-to-int32"
    effect = "exact"
    after = ("simplify", "fold-constants")
    outputs: bool = True
    inputs: bool = False

    def run(self, graph: convertkit.Graph) -> None:
        from convertkit_passes.int64.rewrite import Rewriter

        Rewriter(graph, self.plan(graph)).run()

    def plan(self, graph: convertkit.Graph) -> Plan:
        """What would become int32; the graph stays as it is."""
        from convertkit_passes.int64.plan import make_plan

        return make_plan(graph, inputs=self.inputs, outputs=self.outputs)

    def explain(self, graph: convertkit.Graph) -> tuple[convertkit.Finding, ...]:
        """One finding per int64 tensor: it becomes int32, or why it stays."""
        return self.plan(graph).findings()
