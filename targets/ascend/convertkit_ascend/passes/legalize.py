"""``legalize-ascend``: the last pass; after it the graph is inside what the target takes, or a refusal says why."""

from __future__ import annotations

from convertkit.api import passes, targets
from convertkit_ascend import socs

SHOWN = 12
"""Violations in the message of a refusal: one screen."""


class LegalizeAscend(passes.GraphPass):
    """Bring a graph inside what Ascend's parser and the 310P's kernels take, or say what is outside.

    Indices of TopK (int32 on the chip) are read through a Cast and stay int32 as far as their values are known to fit;
    Constant nodes become initializers; operators that do nothing go; Slice bounds and Gather indices lie inside their
    axis; nearest Resize says the rounding the chip has, where that takes the same pixels; attributes the parser insists
    on are written; every node has a name of its own, every tensor its inferred static type.

    All of it is exact. What is left outside (a dynamic shape, an operator without a kernel) is a PassError that lists
    node, rule and remedy.

    Options:
        soc: the chip, ``ascend310p1``, ``ascend310p3``, ``ascend310p5`` or ``ascend310p7``.
        allow: rules that may stay broken, as in ``lint --allow``.
    """

    name = "legalize-ascend"
    effect = "exact"
    after = (
        "simplify",
        "fold-constants",
        "cast-int64-to-int32",
        "set-opset-window",
        "select-class-masks",
        "prune-mask-head",
        "fuse-multilevel-roialign",
        "fuse-multiclass-nms",
        "drop-offset-rounding",
        "restore-rpn-levels",
        "clip-to-picture",
        "center-nms-boxes",
        "cast-fp16-operators",
    )
    soc: str = "ascend310p3"
    allow: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if socs.get(self.soc).name not in socs.tabled():
            raise passes.UsageError(
                f"pass {self.name}: there is no table of what {self.soc} takes, so nothing can be built for it",
                hint=f"there is one for {', '.join(socs.tabled())}",
            )

    def run(self, graph: passes.Graph) -> None:
        from convertkit_ascend.ops.lowering import lower_heads
        from convertkit_ascend.passes.legalizing import rewrite

        lower_heads(graph)
        rewrite(graph)
        # the parser takes If, but neither the twin nor the numerics look into its branches
        errors = [item for item in self._judge(graph) if item.severity == "error" or item.rule == "subgraph"]
        if errors:
            raise _refusal(self.soc, errors)

    def explain(self, graph: passes.Graph) -> tuple[passes.Finding, ...]:
        """What is left outside, warnings included, once everything is rewritten."""
        from convertkit_ascend.ops.lowering import lower_heads
        from convertkit_ascend.passes.legalizing import rewrite

        lower_heads(graph)
        rewrite(graph)
        return tuple(
            passes.Finding("refused", item.node, f"{item.severity}: {item.why} [{item.rule}]; {item.fix}")
            for item in self._judge(graph)
        )

    def _judge(self, graph: passes.Graph) -> tuple[targets.LintFinding, ...]:
        from convertkit_ascend.linter.examination import judge

        return tuple(item for item in judge(graph.model(), self.soc) if item.rule not in self.allow)


def _refusal(soc: str, errors: list[targets.LintFinding]) -> passes.PassError:
    first, places = errors[0], "1 place is" if len(errors) == 1 else f"{len(errors)} places are"
    error = passes.PassError(
        f"{places} not legal on {soc}, first: {first.node or 'graph'}: {first.why} [{first.rule}]",
        hint=first.fix,
    )
    lines = [
        f"{item.node or 'graph'} ({item.op}): {item.why} [{item.rule}]; {item.fix}" for item in errors[:SHOWN]
    ]
    rest = [f"... and {len(errors) - SHOWN} more"] if len(errors) > SHOWN else []
    error.details = "\n".join([*lines, *rest])
    return error
