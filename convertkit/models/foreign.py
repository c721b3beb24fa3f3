"""A model package for an ONNX file from elsewhere: what its inputs and outputs mean, guessed and written down.

Guesses are for a person to look at. What nobody can see in a graph (mean and standard deviation of the training, the
order of the columns of a row) gets the usual value and a comment.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from convertkit.detection.roles import Column, Meaning, complaint
from convertkit.errors import UsageError
from convertkit.graph.input_shapes import free_inputs
from convertkit.graph.sizes import CHANNELS

if TYPE_CHECKING:
    import onnx

FLOATS, INTEGERS = (1, 10, 11), (6, 7)
"""Element types of ONNX: float, float16, double; int32, int64."""

FULL_SIZE = 640
"""Pixels: a picture's side where the file leaves it open, as the YOLO family is trained."""

IMAGE_FIRST: tuple[Column, ...] = ("other", "x1", "y1", "x2", "y2", "label", "score")
"""A row of seven, as yolov7's end-to-end export has it: the picture's number comes first."""

PIPELINE = (
    "inline-functions", "simplify", "fold-constants", "resolve-if", "simplify", "absorb-score-filters",
    "cast-int64-to-int32",
)  # fmt: skip
"""What today's exporters need before the passes of a target, as ``docs/exports.md`` tries it."""

LONGEST_NAMES = 1 << 16
"""Characters of the class names in a file's metadata that are read."""


@dataclass(frozen=True)
class Guess:
    """What is believed of a file.

    Attributes:
        inputs, outputs: by name: role, and the shape that ``model.yaml`` says; the columns of rows where they are not
            the usual ones.
        size: height and width, pixels.
        classes: names, as far as the file has them.
        doubts: what a person has to look at, a line each.
    """

    inputs: Mapping[str, tuple[str, tuple[int | str, ...]]]
    outputs: Mapping[str, Meaning]
    size: tuple[int, int]
    classes: tuple[str, ...]
    doubts: tuple[str, ...]


def guess(proto: onnx.ModelProto, size: tuple[int, int] | None = None) -> Guess:
    """What a detector's inputs and outputs mean, by types, shapes and names.

    Args:
        size: height and width where the file leaves them open.

    Raises:
        UsageError: no input is a picture, or the file says another size.
    """
    inputs: dict[str, tuple[str, tuple[int | str, ...]]] = {}
    found: tuple[int, int] | None = None
    for value in free_inputs(proto.graph):
        shape = _image(_dims(value)) if value.type.tensor_type.elem_type in (*FLOATS, 2) else None
        if shape is None or found is not None:
            inputs[value.name] = "other", ()
            continue
        inputs[value.name], found = ("image", shape[0]), shape[1]
    if found is None:
        raise UsageError(
            "no input is a picture: (1, 3, H, W), (1, H, W, 3) or (3, H, W)",
            hint=f"it has {', '.join(f'{value.name} {_dims(value)}' for value in free_inputs(proto.graph))}",
        )
    outputs, doubts = _outputs(proto.graph.output)
    sides, open_sides = _sides(found, size)
    doubts = [*open_sides, *doubts]
    others = [name for name, (role, _) in inputs.items() if role == "other"]
    if others:
        doubts.append(f"inputs {', '.join(others)} are filled by nobody: a plugin with `preprocess` has to")
    classes = _classes(proto)
    if not classes:
        doubts.append("classes: the file has no names; without them annotations are matched by nothing")
    doubts.append(
        "preprocess: RGB in 0..1 is assumed; the file does not say what the network was trained with"
    )
    return Guess(inputs, outputs, sides, classes, tuple(doubts))


def _dims(value: onnx.ValueInfoProto) -> list[int]:
    """Sizes, -1 where they are open."""
    return [dim.dim_value if dim.dim_value > 0 else -1 for dim in value.type.tensor_type.shape.dim]


def _image(dims: Sequence[int]) -> tuple[tuple[int | str, ...], tuple[int, int]] | None:
    """The shape with H and W as letters, and the sizes of these; None for what is no picture."""
    batch, sides = (dims[:1], dims[1:]) if len(dims) == 4 else ([], dims)
    if len(sides) != 3 or batch not in ([], [1], [-1]):
        return None
    lead = (1,) * len(batch)
    if sides[0] in CHANNELS or (sides[0] == -1 and sides[2] not in CHANNELS):
        return (*lead, 3, "H", "W"), (sides[1], sides[2])
    return ((*lead, "H", "W", 3), (sides[0], sides[1])) if sides[2] in CHANNELS else None


def _sides(found: tuple[int, int], size: tuple[int, int] | None) -> tuple[tuple[int, int], list[str]]:
    wanted = size or (FULL_SIZE, FULL_SIZE)
    height, width = (side if side > 0 else other for side, other in zip(found, wanted, strict=True))
    if size is not None and (height, width) != size:
        raise UsageError(f"the picture is {height} x {width} in the file, not {size[0]} x {size[1]}")
    unsure = size is None and -1 in found
    return (height, width), [f"size: open in the file, {height} x {width} is assumed (--size)"] * unsure


def _outputs(values: Sequence[onnx.ValueInfoProto]) -> tuple[dict[str, Meaning], list[str]]:
    found: dict[str, Meaning] = {}
    for value in values:
        meaning = _meaning(value)
        taken = {one.role for one in found.values()}
        boxes = {"dets", "detections", "boxes"}
        twice = meaning.role in taken or (meaning.role in boxes and taken & boxes)
        found[value.name] = Meaning("other") if twice else meaning
    if any(one.role in ("dets", "detections") for one in found.values()):  # which have their scores
        found = {name: Meaning("other") if one.role == "scores" else one for name, one in found.items()}
    unfit = complaint(list(found.values()))
    if unfit or all(one.role == "other" for one in found.values()):
        return {name: Meaning("other") for name in found}, [
            "outputs: no detections were recognised; give roles, or a plugin with `postprocess` "
            "(raw predictions need their NMS in the graph)"
        ]
    doubts = [
        f"outputs: {name} has rows of {len(one.row)}, taken for {' '.join(one.row)}: look at its columns"
        for name, one in found.items()
        if len(one.row) > 5
    ]
    return found, doubts


def _meaning(value: onnx.ValueInfoProto) -> Meaning:
    """The role of one output alone, without a picture's axis of 1."""
    kind, dims = value.type.tensor_type.elem_type, _dims(value)
    dims = dims[1:] if len(dims) > 1 and dims[0] == 1 else dims
    name = value.name.lower()
    if kind in INTEGERS:
        counts = dims in ([], [1]) or "num" in name or "count" in name
        return Meaning("count" if counts and len(dims) < 2 else "labels" if len(dims) == 1 else "other")
    if kind not in FLOATS:
        return Meaning("other")
    if len(dims) >= 3:
        return Meaning("masks" if "mask" in name else "other")
    if len(dims) == 2 and dims[1] == 7:
        return Meaning("detections", IMAGE_FIRST)
    if len(dims) == 2 and dims[1] in (4, 5, 6):
        return Meaning({4: "boxes", 5: "dets", 6: "detections"}[dims[1]])
    return Meaning("scores" if len(dims) == 1 else "other")


def _classes(proto: onnx.ModelProto) -> tuple[str, ...]:
    """Names out of the metadata that ultralytics writes: ``{0: 'person', ...}``; they are data, and not run."""
    text = next((entry.value for entry in proto.metadata_props if entry.key == "names"), "")
    if not text or len(text) > LONGEST_NAMES:
        return ()
    try:
        names: Any = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ()
    if isinstance(names, dict) and sorted(map(str, names)) == sorted(map(str, range(len(names)))):
        names = [names[key] for key in sorted(names, key=int)]
    fine = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return tuple(names) if fine else ()


def model_yaml(name: str, stock: str, found: Guess) -> str:
    """The text of ``model.yaml``: every key that a person may have to change, with a comment."""
    values = {
        "name": name,
        "stock": stock,
        "inputs": "\n".join(
            f"  {_text(key)}: {{role: {role}{_list(', shape: ', shape)}}}"
            for key, (role, shape) in found.inputs.items()
        ),
        "outputs": "\n".join(
            f"  {_text(key)}: {{role: {one.role}{_list(', columns: ', one.columns)}}}"
            for key, one in found.outputs.items()
        ),
        "size": json.dumps(list(found.size)),
        "pipeline": "\n".join(f"  - {step}" for step in PIPELINE),
        "classes": json.dumps(list(found.classes), ensure_ascii=False),
    }
    return _YAML.format(
        **{key: _text(value) if key in ("name", "stock") else value for key, value in values.items()}
    )


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _list(head: str, items: Sequence[int | str]) -> str:
    return f"{head}[{', '.join(map(str, items))}]" if items else ""


_YAML = """\
# Written by `convertkit new model`; what was guessed is for you to check. `convertkit show model DIRECTORY` prints what
# is in force.
name: {name}
summary: a detector from an ONNX file

# H and W are the variant's size; any other letter is one size, whatever it is.
inputs:
{inputs}
# Roles: dets (x1 y1 x2 y2 score), detections (... score label), boxes (x1 y1 x2 y2), scores, labels, count, masks,
# other. `columns:` says another order of a row, e.g. [label, score, x1, y1, x2, y2] or [cx, cy, w, h].
outputs:
{outputs}

# (pixel - mean) / std, per channel in the order the network sees, pixels 0..255. placement: corner or center.
preprocess: {{mean: [0, 0, 0], std: [255, 255, 255], to_rgb: true, placement: corner, pad_value: 0.0}}
postprocess: {{score_threshold: 0.05}}
# samples: [photo1.jpg, photo2.jpg] # on which every pass is checked; without any, on pictures of noise

# Passes every target gets; a target appends its own.
pipeline:
{pipeline}

default_variant: main
variants:
  main:
    size: {size} # height, width
    stock: {stock}
    # dataset: {{annotations: instances_val2017.json, images: val2017}}
    # accuracy: {{bbox: {{AP: 0.40}}, tolerance: 0.005, source: where it comes from}}

# Of the labels 0, 1, 2 ..., by the names that annotations use: a list, a file with one name a line, or coco.
classes: {classes}
"""
