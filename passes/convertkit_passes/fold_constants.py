"""``fold-constants``: what does not depend on the input is computed now."""

from __future__ import annotations

from convertkit.api import passes


class FoldConstants(passes.GraphPass):
    """Replace what depends on constants and known shapes only by its value, computed by onnxruntime.

    What moves nothing goes, too: a Slice of all there is, a part of a Concat without elements.
    The shapes a graph states are believed. An input that has a default is no constant. Random operators, quantisation,
    half-precision arithmetic, operators with subgraphs or of a foreign domain, and operators onnxruntime cannot run
    stay; a graph output stays written by a node.

    graphsurgeon's own folding is not used: it also drops Casts around integer arithmetic, folds random operators,
    and ignores the ``start`` and ``end`` of Shape.

    Options:
        fold_limit: bytes; a larger constant is written only where it is no larger than the ones it replaces.
    """

    name = "fold-constants"
    effect = "exact"
    after = ("simplify",)
    fold_limit: int = 1 << 20

    def run(self, graph: passes.Graph) -> tuple[str, ...]:
        from convertkit_passes.folding.fold import Folder
        from convertkit_passes.folding.moves import drop_moves
        from convertkit_passes.folding.shapes import fold_shapes, lift_constants

        lift_constants(graph)
        folder = Folder(graph, self.fold_limit)
        while fold_shapes(graph) + folder.fold() + drop_moves(graph):
            pass
        names = [tensor.name for tensor in graph.inputs if id(tensor) in graph.defaults]
        if not names:
            return ()
        some = "1 input" if len(names) == 1 else f"{len(names)} inputs"
        return (
            f"{some} with a default ({names[0]!r} first) may be overridden and stay: freeze-defaults ends that",
        )
