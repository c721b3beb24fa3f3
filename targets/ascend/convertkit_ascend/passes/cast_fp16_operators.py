"""``cast-fp16-operators``: what the chip computes in float16 only is float16 in the graph too."""

from __future__ import annotations

from convertkit.api import errors, passes


class CastFp16Operators(passes.RewritingPass):
    """Write the float16 casts around operators that the 310P has in float16 only.

    The compiler writes them itself where it may lower precision. Under ``must_keep_origin_dtype`` (``origin``), and for
    a node that ``keep_dtype`` names, it may not: an operator whose kernels are all float16 and that no AI CPU list has
    then stops the compile (its fusion engine compares the types in the graph with those of the kernels). With casts
    in the graph, as the ModelZoo patch writes them around the NMS, every precision mode compiles.

    Floating inputs and outputs of such an operator become float16, constants are stored so; a pair of casts between
    two such operators is left out. The kernel rounds these values in any case, but here it is seen by everything that
    runs the graph: coordinates above 2048 pixels are rounded to multiples of 2, above 1024 of 1 (``center-nms-boxes``
    halves them before), and overlaps near a threshold may fall on its other side. So the effect is not ``rounding``,
    whose tolerance is that of float32.

    Options:
        only: the ONNX names of the operators to cast; all that the table of kernels shows, unless given.
    """

    name = "cast-fp16-operators"
    effect = "semantic"
    after = (
        "simplify",
        "fold-constants",
        "fuse-multilevel-roialign",
        "fuse-multiclass-nms",
        "drop-offset-rounding",
        "restore-rpn-levels",
        "clip-to-picture",
        "center-nms-boxes",
    )
    before = ("legalize-ascend",)
    only: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        from convertkit_ascend.linter.table import half_only

        for name in self.only:
            if name not in half_only():
                raise passes.UsageError(
                    f"pass {self.name}: {name} is no operator that has float16 kernels only",
                    hint=errors.nearest(name, half_only(), f"such are {', '.join(half_only())}"),
                )

    def rewrite(self, graph: passes.Graph) -> tuple[passes.Finding, ...]:
        """Every such operator: what is cast, and by how much values are rounded where their bounds are known."""
        from convertkit_ascend.passes.halving import cast

        return cast(graph, self.only)
