"""What the outputs of a bare graph mean, where nobody says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

    from convertkit.graph.light import LightModel

_FLOATS = (1, 10)
_INTEGERS = (6, 7)


def detection_roles(model: LightModel) -> dict[str, str]:
    """Roles by output name for a detector in mmdet's convention, empty for any other graph.

    That is: ``dets`` ``(N, 5)`` or ``(1, N, 5)`` floating, ``labels`` integer of the same N, and ``masks`` if there
    are any; further outputs are ``other``.
    """
    outputs = {value.name: value.type.tensor_type for value in model.proto.graph.output}
    if "dets" not in outputs or "labels" not in outputs:
        return {}
    dets, labels = outputs["dets"], outputs["labels"]
    fits = dets.elem_type in _FLOATS and labels.elem_type in _INTEGERS and _last(dets) == 5
    if not fits or len(dets.shape.dim) != len(labels.shape.dim) + 1:
        return {}
    if len(dets.shape.dim) > 2 and dets.shape.dim[0].dim_value > 1:
        return {}  # of several images there are as many sets
    return {name: name if name in ("dets", "labels", "masks") else "other" for name in outputs}


def named_roles(model: LightModel) -> dict[str, str]:
    """What the outputs of a bare graph mean: as they look, else nothing but their names."""
    return detection_roles(model) or {value.name: "other" for value in model.proto.graph.output}


def _last(kind: onnx.TypeProto.Tensor) -> int:
    return int(kind.shape.dim[-1].dim_value) if kind.shape.dim else 0
