"""Everything a NonMaxSuppression is replaced by, or why it cannot be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from convertkit.api import passes
from convertkit.api.heads import Refused
from convertkit_passes.heads.nms.candidates import sources
from convertkit_passes.heads.nms.candidates.site import Site, operator_threshold, read
from convertkit_passes.heads.nms.candidates.sources import Sources, Stated
from convertkit_passes.heads.nms.candidates.threshold import measure, sides
from convertkit_passes.heads.nms.experiment import downstream, rounding
from convertkit_passes.heads.nms.experiment.downstream import Downstream
from convertkit_passes.heads.nms.experiment.readings import Reading
from convertkit_passes.heads.nms.experiment.rounding import Offsets
from convertkit_passes.heads.nms.experiment.run import Experiment, Explained
from convertkit_passes.heads.types import Node

Attributes: TypeAlias = dict[str, float | int]


@dataclass(frozen=True)
class Match:
    """A NonMaxSuppression and its surroundings as one node.

    Attributes:
        attributes: of that node.
        readings: the tensors it gives; once they are replaced, nothing needs the NonMaxSuppression.
        rounding: class offsets whose rounding the boxes carry; None where they carry none.
        sides: ``(2,)``: boxes that are no wider, or no higher, get score 0; None where none do.
    """

    site: Site
    sources: Sources
    attributes: Attributes
    readings: tuple[Reading, ...]
    rounding: Offsets | None
    sides: NDArray[np.float32] | None = None

    @property
    def ties(self) -> str:
        """Of equal scores the lower box comes first, and lists of one class after the other begin with the class."""
        return "class" if self.sources.by_class else "box"

    @property
    def why(self) -> str:
        """One line for a finding."""
        values = ", ".join(f"{name}={value:g}" for name, value in self.attributes.items())
        if self.sides is not None:
            values += f"; boxes must be larger than {self.sides[0]:g} x {self.sides[1]:g}"
        scores = (*self.sources.scores.shape[:2], self.sources.classes)
        read_from = f"boxes {self.sources.boxes.shape} and scores {scores}"
        found = ", ".join(f"{item.tensor.name} ({item.kind})" for item in self.readings)
        kept = (
            ""
            if self.rounding is None
            else f"; boxes carry the rounding of offsets to {self.rounding.max():g}"
        )
        return f"{read_from}; {values}; gives {found}{kept}"


def match(graph: passes.Graph, node: Node, *, pad: bool, stated: Stated = None) -> Match:
    """The match at a NonMaxSuppression; the graph must be annotated with shapes.

    Args:
        pad: give detections of symbolic length all slots of the operator.
        stated: the range of boxes where the graph does not bound them.

    Raises:
        Refused: there is none.
    """
    site = read(graph, node)
    refused = None
    for found in sources.candidates(graph, site, stated):
        try:
            if isinstance(found, Refused):
                raise found
            return _match(graph, site, found, pad)
        except Refused as error:
            refused = refused or error
    assert refused is not None
    raise refused


def _match(graph: passes.Graph, site: Site, found: Sources, pad: bool) -> Match:
    below = downstream.follow(graph, site.selection, found.borders)
    if below.leak is not None:
        raise Refused("the selection depends on more than boxes and scores", below.leak)
    own = measure(graph, site, found) if found.filtered else site.score_threshold
    threshold = operator_threshold(graph, own, found.scores.tensor)
    experiment = Experiment(graph, site, found, threshold, every=own is None or own < 0)
    chosen = _chosen(graph, site, below, experiment.explained(below, pad=pad))
    attributes = _attributes(site, found, threshold, chosen)
    least = sides(graph, site, found)
    return Match(site, found, attributes, tuple(chosen), rounding.found(experiment, chosen), least)


def _chosen(graph: passes.Graph, site: Site, below: Downstream, attempts: list[Explained]) -> list[Reading]:
    """The readings the graph needs, of the first number of slots for which they are all it needs."""
    silent = None
    for attempt in attempts:
        tensors, met = downstream.needed(graph, attempt.readings.keys())
        if not tensors or id(site.selection) in met:
            continue
        chosen = _padded(graph, [attempt.readings[id(item)] for item in tensors])
        if _tells(chosen):
            return _countless(graph, chosen)
        silent = silent or chosen[0].tensor
    if silent is not None:
        raise Refused(
            "unused slots change and no score is read that would tell them; "
            "what drops detections goes in front of the NMS",
            silent,
        )
    # what most can be read off, or else the slots of most tensors, comes nearest to what is meant
    nearest = max(attempts, key=lambda item: (len(item.readings), len(item.symbolic)), default=None)
    raise _refusal(graph, below, nearest or Explained(0, {}, frozenset()))


def _tells(chosen: list[Reading]) -> bool:
    """Whether unused slots stay what they are, or something tells them."""
    return any(item.kind in ("scores", "dets", "num") for item in chosen) or not any(
        item.loose for item in chosen
    )


def _countless(graph: passes.Graph, chosen: list[Reading]) -> list[Reading]:
    """The readings; refused where the length of a padded one is told, which is no longer a number of detections."""
    counted = {id(item.tensor) for item in chosen if item.kind == "num"}
    for item in (item for item in chosen if item.symbolic):
        output = downstream.length_told(graph, item.tensor, counted)
        if output is not None:
            raise Refused(
                f"{output.name} depends on how many rows {item.tensor.name} has, which are {item.total} once padded",
                output,
            )
    return chosen


def _padded(graph: passes.Graph, chosen: list[Reading]) -> list[Reading]:
    """The readings; a number of detections that others are as long as becomes that of their slots."""
    if not any(item.symbolic for item in chosen):
        return chosen
    others = {id(item.tensor) for item in chosen if item.kind != "num"}
    return [_as_size(graph, item, others) if item.kind == "num" else item for item in chosen]


def _as_size(graph: passes.Graph, item: Reading, others: set[int]) -> Reading:
    """``others``: ids of tensors that are replaced as well, which makes nobody ask for their size."""
    if not downstream.makes_sizes(graph, item.tensor, others):
        return item
    output = downstream.told(graph, item.tensor)
    if output is not None:
        raise Refused(
            f"{output.name} depends on {item.tensor.name}, which is a size of padded tensors too", output
        )
    return replace(item, kind="slots")


def _refusal(graph: passes.Graph, below: Downstream, nearest: Explained) -> Refused:
    _, met = downstream.needed(graph, nearest.readings.keys())
    blocked = downstream.last_needed(graph, below, met)
    name = blocked.name if blocked is not None else "a graph output"
    if id(blocked) in nearest.symbolic:
        why = f"has as many rows as there are detections; pad_detections=true gives it {nearest.total}"
    elif not nearest.readings:
        why = "is none of the operator's outputs, which are the best 1000 or fewer"
    else:
        why = "still needs the selection: it is none of the operator's outputs"
    return Refused(f"{name} {why}", blocked)


def _attributes(site: Site, found: Sources, threshold: float, chosen: list[Reading]) -> Attributes:
    """The operator's attributes.

    max_size_per_class is min(max_output_boxes_per_class, T): a box that is beaten by T of its own class is not
    among the best T of all classes, so a limit above T never acts. Where class offsets make all classes one class
    of the node, its limit counts them together: at T or above it removes nothing from the best T, and the same
    argument gives T; below T it would be another T, which is refused.
    """
    total = chosen[0].total
    if found.together and site.limit < total:
        raise Refused(
            f"it keeps {site.limit} boxes of all classes together, its detections have {total} slots",
            chosen[0].tensor,
        )
    return {
        "score_threshold": float(np.float32(threshold)),
        "iou_threshold": float(np.float32(site.iou_threshold)),
        "max_size_per_class": min(site.limit, total),
        "max_total_size": total,
    }
