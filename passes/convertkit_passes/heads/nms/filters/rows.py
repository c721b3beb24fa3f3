"""Who would see that there are more rows in front of a NonMaxSuppression, whose threshold does not select them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from convertkit.api import graphs, passes
from convertkit.api.heads import Refused
from convertkit_passes.heads.nms.candidates.views import VIEWS
from convertkit_passes.heads.nms.experiment import downstream
from convertkit_passes.heads.nms.filters.best import Best
from convertkit_passes.heads.readers import below
from convertkit_passes.heads.types import Node, Tensor

_ARITHMETIC = """
    Abs Add And Cast Ceil Clip Concat Div Equal Exp Floor Gather Greater Less Log Max Min Mod Mul Neg Not Or Pow Relu
    Sigmoid Slice Split Sqrt Sub Where Xor
"""
SINGLE = VIEWS | set(_ARITHMETIC.split())
"""Operators that treat rows one by one."""

SIZES = frozenset({"ConstantOfShape", "Shape"})
"""What follows from a number of rows grows with it."""

LARGEST = "ReduceMax"
"""Class offsets are made of the largest coordinate; a larger one keeps classes apart as well."""


TAKES = frozenset({"Gather", "GatherElements", "GatherND"})

PICKS = VIEWS | {"Cast", "Gather", "Slice", "Split"}
"""Operators that hand on places of selected boxes."""


def check(graph: passes.Graph, node: Node, filters: Sequence[Best]) -> None:
    """Nothing where what is selected from the rows is all that anything else sees of them.

    Raises:
        Refused: something else sees more, by name.
    """
    takers: list[Node] = []
    picked = list(below(node.outputs[:1], follow=partial(_hands_on, takers)))
    starts = [one.node.outputs[0] for one in filters]
    starts += [item.tensor for one in filters for item in one.gathered]
    ends = [node, *takers]
    rows = list(below(starts, follow=lambda taker, _: taker not in ends and _single(taker)))
    outputs = {id(item) for item in graph.outputs}
    for told in (item for item in [*picked, *rows] if id(item) in outputs):
        raise Refused(f"{told.name} is given, and has to do with how many scores pass the filter", told)
    known = {id(item) for item in rows}
    for other in (taker for taker in takers if id(taker.inputs[0]) not in known):
        raise Refused(
            f"{other.op} {other.name} takes by place what the filter does not take", other.outputs[0]
        )
    _check_gone(graph, filters, {id(item) for item in starts})


def _hands_on(takers: list[Node], taker: Node, tensor: Tensor) -> bool:
    if taker.op in TAKES and tensor is not taker.inputs[0]:
        takers.append(taker)
        return False
    if taker.op == "Shape":
        return False  # as many are selected as before
    if taker.op not in PICKS or tensor is not taker.inputs[0]:
        raise Refused(f"{taker.op} {taker.name} computes with places among filtered boxes", taker.outputs[0])
    return True


def _single(taker: Node) -> bool:
    if taker.op not in SINGLE | SIZES | {LARGEST}:
        raise Refused(f"{taker.op} {taker.name} does not treat filtered rows one by one", taker.outputs[0])
    return True


def _check_gone(graph: passes.Graph, filters: Sequence[Best], stops: set[int]) -> None:
    _, met = downstream.needed(graph, stops)
    for one in filters:
        for maker in graphs.cut(graph, [one.node.inputs[0]], [one.scores]).nodes:
            for item in maker.outputs:
                if id(item) in met and graphs.static_shape(item) is None:
                    raise Refused(f"{item.name}, what passes the filter, is needed otherwise too", item)
