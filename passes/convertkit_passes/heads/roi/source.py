"""Which tensor holds the RoIs as the operator wants them: ``(K, 5)``, the number of the image in front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convertkit.api import graphs, passes
from convertkit.api.heads import Refused
from convertkit_passes.heads.roi.probe import Probe

SOME = 16
"""Boxes that are put in where their number is open."""


@dataclass(frozen=True)
class Source:
    """Where the operator's RoIs come from.

    Args:
        tensor: ``(K, 5)``; None: there is none, the image's number has to be put in front of the candidate's entry.
        image: the one image all RoIs are of; None: the RoIs say it.
    """

    tensor: Any
    image: int | None


def rois_source(graph: passes.Graph, probe: Probe, entry: Any, nodes: Sequence[Any]) -> Source:
    """Where the RoIs come from, with the image's number.

    Args:
        entry: the RoIs of the probe's region.
        nodes: the RoiAlign nodes.

    Raises:
        Refused: the boxes ``(K, 4)`` are not all of one image, or no ``(K, 5)`` can be made of them.
    """
    if probe.columns == 5:
        return Source(entry, None)
    boxes = np.random.default_rng(3).random((probe.count or SOME, 4), np.float32) * 64
    boxes[:, 2:] += boxes[:, :2]
    for tensor in _five_columns(probe.region):
        image = _image(_value(graph, tensor, entry, boxes), boxes)
        if image is not None and 0 <= image < probe.pooling.images:
            return Source(tensor, image)
    return Source(None, _stated_image(graph, entry, nodes, boxes))


def _five_columns(region: graphs.Region) -> list[Any]:
    outputs = [tensor for node in region.nodes for tensor in node.outputs]
    pairs = [item for item in outputs if item.shape is not None and len(item.shape) == 2]
    return [item for item in pairs if item.shape[1] == 5 or not isinstance(item.shape[1], int)]


def _image(value: np.ndarray | None, boxes: np.ndarray) -> int | None:
    """The number in front of every box; None where the value is something else."""
    if value is None or value.dtype != np.float32 or value.shape != (len(boxes), 5):
        return None
    number = float(value[0, 0])
    same = np.array_equal(value[:, 1:], boxes) and (value[:, 0] == number).all()
    return int(number) if same and number.is_integer() else None


def _stated_image(graph: passes.Graph, entry: Any, nodes: Sequence[Any], boxes: np.ndarray) -> int:
    """The one image that the RoiAlign nodes name."""
    found: set[int] = set()
    for node in nodes:
        value = _value(graph, node.inputs[2], entry, boxes)
        if value is None:
            raise Refused("the numbers of the images depend on more than the boxes", node.inputs[2].name)
        found |= set(value.reshape(-1).tolist())
    if len(found) > 1:
        raise Refused(f"boxes of several images: {sorted(found)}", entry.name)
    return int(found.pop()) if found else 0


def _value(graph: passes.Graph, tensor: Any, entry: Any, boxes: np.ndarray) -> np.ndarray | None:
    """What a tensor is for these boxes; None where it depends on more than them, or cannot be run."""
    if type(tensor).__name__ == "Constant":  # hasattr would load the values of every weight it asks
        return np.asarray(tensor.values)
    try:
        (value,) = graphs.cut(graph, [tensor], [entry]).run(boxes)
    except passes.GraphError:  # a LeakError is one
        return None
    return np.asarray(value)
