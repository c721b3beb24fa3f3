"""A pass that says what it does because saying it is doing it."""

from __future__ import annotations

import convertkit


class RewritingPass(convertkit.GraphPass):
    """A pass of one method, :meth:`rewrite`; ``--explain`` is that on a graph that is thrown away."""

    def rewrite(self, graph: convertkit.Graph) -> tuple[convertkit.Finding, ...]:
        """Edits the graph, and returns a finding for every place that was looked at."""
        raise NotImplementedError

    def run(self, graph: convertkit.Graph) -> None:
        self.rewrite(graph)

    def explain(self, graph: convertkit.Graph) -> tuple[convertkit.Finding, ...]:
        return self.rewrite(graph)
