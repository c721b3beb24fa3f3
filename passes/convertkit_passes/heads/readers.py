"""What depends on a tensor."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from convertkit_passes.heads.types import Node, Tensor


def below(
    start: Iterable[Tensor],
    stops: Collection[int] = (),
    follow: Callable[[Node, Tensor], bool] = lambda taker, tensor: True,
) -> Iterator[Tensor]:
    """``start`` and what is computed from it by the nodes that are followed, each once.

    Args:
        stops: ids of tensors that are left out, with all that follows from them alone.
        follow: asked of a node that takes a tensor, and the tensor.
    """
    seen, waiting = set(stops), list(start)
    while waiting:
        tensor = waiting.pop()
        if id(tensor) not in seen:
            seen.add(id(tensor))
            yield tensor
            waiting.extend(item for node in tensor.outputs if follow(node, tensor) for item in node.outputs)


def readers(tensors: Iterable[Tensor]) -> Iterator[tuple[Tensor, Node]]:
    """Every node that some tensors have a part in, once for each input that they have a part in."""
    return ((tensor, node) for tensor in below(tensors) for node in tensor.outputs)
