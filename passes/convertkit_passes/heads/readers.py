"""What depends on a tensor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from convertkit_passes.heads.types import Node, Tensor


def readers(tensors: Iterable[Tensor]) -> Iterator[tuple[Tensor, Node]]:
    """Every node that some tensors have a part in, once for each input that they have a part in."""
    waiting = list(tensors)
    seen = {id(item) for item in waiting}
    while waiting:
        tensor = waiting.pop()
        for node in tensor.outputs:
            yield tensor, node
            new = [item for item in node.outputs if id(item) not in seen]
            seen.update(id(item) for item in new)
            waiting.extend(new)
