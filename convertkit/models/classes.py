"""The names of classes, of which a label is the index: a list, a file of names, or a list that everybody knows."""

from __future__ import annotations

from pathlib import Path

from convertkit.errors import SpecError

COCO = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
    "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee",
    "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
    "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
    "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch",
    "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone",
    "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear",
    "hair drier", "toothbrush",
)  # fmt: skip
"""COCO 2017's 80 categories, by ascending id, as mmdet, torchvision's 80-class heads and the YOLO family label them."""

KNOWN = {"coco": COCO}

LONGEST = 1 << 20
"""Bytes of a file of names."""


def names_of(told: tuple[str, ...] | str, directory: Path, where: str) -> tuple[str, ...]:
    """The names that a specification tells: ``coco``, a file with one name a line, or the list itself.

    Args:
        directory: where a file's path starts from.
        where: for people: the specification.

    Raises:
        SpecError: a file is missing, or no list of names.
    """
    if isinstance(told, tuple):
        return told
    if told in KNOWN:
        return KNOWN[told]
    path = directory / told
    try:
        with path.open("rb") as stream:
            text = stream.read(LONGEST + 1).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        forms = f"a list, a file with one name a line, or one of {', '.join(KNOWN)}"
        raise SpecError(f"{where}: classes: {path} cannot be read ({error})", hint=forms) from error
    names = tuple(line.strip() for line in text.rstrip().splitlines())
    if not names or "" in names or len(text) > LONGEST:
        what = f"line {names.index('') + 1} is empty" if "" in names else "it is no list of names"
        raise SpecError(
            f"{where}: classes: {path}: {what}", hint="one name a line, in the order of the network's labels"
        )
    return names
