"""``rename-io``: the names by which a runtime addresses the model."""

from __future__ import annotations

import dataclasses
from collections import Counter

from convertkit.api import errors, passes


class RenameIo(passes.GraphPass):
    """Give graph inputs and outputs other names.

    An inner tensor that has one of the new names already gets a fresh one. Names may be swapped.

    Options:
        names: old name -> new name.
    """

    name = "rename-io"
    effect = "exact"
    subgraphs = "reads"
    names: dict[str, str] = dataclasses.field(default_factory=dict)

    def run(self, graph: passes.Graph) -> None:
        interface = {id(tensor): tensor for tensor in (*graph.inputs, *graph.outputs)}
        self._check([tensor.name for tensor in interface.values()])
        renamed = {id(tensor): self.names.get(tensor.name, tensor.name) for tensor in interface.values()}
        _clear(graph, set(renamed.values()), set(interface))
        for key, tensor in interface.items():
            if tensor.name != renamed[key]:
                tensor.name = renamed[key]

    def _check(self, known: list[str]) -> None:
        """Refuses names that nobody has, and new names that two would share.

        Raises:
            UnknownNameError: an old name is no graph input or output. PassError: a new name is empty or taken.
        """
        for old, new in self.names.items():
            if old not in known:
                raise errors.UnknownNameError("graph input or output", old, known)
            if not new:
                raise passes.PassError(f"graph input or output {old!r} cannot be renamed to an empty name")
        counts = Counter(self.names.get(name, name) for name in known)
        for name, count in counts.items():
            if count > 1:
                sources = [repr(old) for old in known if self.names.get(old, old) == name]
                raise passes.PassError(f"{' and '.join(sources)} would both be called {name!r}")


def _clear(graph: passes.Graph, names: set[str], keep: set[int]) -> None:
    """Renames the inner tensors that stand in the way."""
    tensors = [tensor for part in graph.parts for tensor in part.tensors().values()]
    taken = names | {tensor.name for tensor in tensors}
    for tensor in tensors:
        if tensor.name in names and id(tensor) not in keep:
            count = 1
            while f"{tensor.name}_{count}" in taken:
                count += 1
            tensor.name = f"{tensor.name}_{count}"
            taken.add(tensor.name)
