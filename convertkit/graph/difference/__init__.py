"""Two graphs, node by node: what stayed, what changed, what went and what came."""
