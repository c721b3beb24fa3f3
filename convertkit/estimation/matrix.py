"""Operators that are matrix products: operations are 2 x multiply-adds, a bias is not counted."""

from __future__ import annotations

import math

from convertkit.graph.costs import Cost, Operation


def conv(node: Operation) -> Cost:
    """``Conv``: every output value is a product over the weights ``(M, C / group, kernel...)`` of its channel."""
    return _cost(node, node.outputs[0].elements * math.prod(node.operand(1).shape[1:]))


def conv_transpose(node: Operation) -> Cost:
    """``ConvTranspose``: every input value meets all weights ``(C, M / group, kernel...)`` of its channel."""
    return _cost(node, node.operand(0).elements * math.prod(node.operand(1).shape[1:]))


def gemm(node: Operation) -> Cost:
    """``Gemm``: ``(M, K) x (K, N)``."""
    shape = node.operand(0).shape
    inner = shape[0] if node.attributes.get("transA", 0) else shape[1]
    return _cost(node, node.outputs[0].elements * inner)


def matmul(node: Operation) -> Cost:
    """``MatMul``: the last axis of the first operand is summed over."""
    return _cost(node, node.outputs[0].elements * node.operand(0).shape[-1])


def _cost(node: Operation, products: int) -> Cost:
    return Cost("matrix", 2 * products, node.reads, node.writes)
