"""A pass that says what it does because saying it is doing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convertkit.passes.base import GraphPass

if TYPE_CHECKING:
    from convertkit.graph.finding import Finding
    from convertkit.graph.graph import Graph


class RewritingPass(GraphPass):
    """A pass of one method, :meth:`rewrite`; ``--explain`` is that on a graph that is thrown away."""

    def rewrite(self, graph: Graph) -> tuple[Finding, ...]:
        """Edits the graph, and returns a finding for every place that was looked at."""
        raise NotImplementedError

    def run(self, graph: Graph) -> None:
        self.rewrite(graph)

    def explain(self, graph: Graph) -> tuple[Finding, ...]:
        return self.rewrite(graph)
