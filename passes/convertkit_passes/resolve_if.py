"""``resolve-if``: an If of which one branch is enough becomes that branch."""

from __future__ import annotations

from collections.abc import Iterator

from convertkit.api import passes


class ResolveIf(passes.RewritingPass):
    """Replace an If by one of its branches where that gives the same.

    Either its condition is constant, or it guards against empty tensors, as exporters write ``if boxes.numel() == 0``:
    the condition tells nothing but whether one tensor is empty, and the branch for others, run on an empty one, gives
    what the branch for empty ones gives, type and shape included. Both are found by running parts of the graph: what
    leads to the If runs too, so that all that the branches read is as empty as the graph makes it.

    An If inside of an If that stays, of a loop or of a function stays, too.
    """

    name = "resolve-if"
    effect = "exact"
    after = ("set-input-shape", "inline-functions")
    before = ("fuse-multiclass-nms", "fuse-multilevel-roialign")
    heads = ("If",)

    def rewrite(self, graph: passes.Graph) -> tuple[passes.Finding, ...]:
        """Every If, those of a branch that took the place of one as well."""
        return tuple(_resolved(graph))


def _resolved(graph: passes.Graph) -> Iterator[passes.Finding]:
    from convertkit.api.heads import Refused
    from convertkit_passes.flow.choice import choose
    from convertkit_passes.flow.inlining import inline

    tried: set[int] = set()
    while waiting := [node for node in graph.find("If") if id(node) not in tried]:
        node = waiting[0]
        tried.add(id(node))
        try:
            branch, why = choose(graph, node)
            inline(graph, node, node.attrs[branch])
        except Refused as error:
            yield error.finding(node.name or node.outputs[0].name)
            continue
        yield passes.Finding("matched", node.name or branch, f"{branch} stays: {why}")
