"""What a configuration says of classes and of the test: what reaches the graph, and what would be lost on the way.

mmdet's ``onnx_export`` reads other keys of ``test_cfg`` than its test code does, and mmdet 2.8.0 calls some
otherwise. A key that is set and not read would change the framework's detections and not the graph's, so it is refused
by name.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from .errors import JobError

#: Heads whose number of classes is the detector's; a semantic head has one of its own, an RPN none.
CLASSIFIERS = ("bbox_head", "mask_head")

#: Keys that ``onnx_export`` of mmdet 2.28.2 reads, by the part of ``test_cfg``; ``dense`` is that of a one-stage head.
READ = {
    "rpn": ("nms_pre", "deploy_nms_pre", "max_per_img", "nms.type", "nms.iou_threshold", "nms.score_thr"),
    "rcnn": (
        "score_thr", "deploy_nms_pre", "max_per_img", "mask_thr_binary", "nms.type", "nms.iou_threshold",
        "nms.max_output_boxes_per_class",
    ),
    "dense": (
        "nms_pre", "deploy_nms_pre", "score_thr", "conf_thr", "max_per_img", "nms.type", "nms.iou_threshold",
        "nms.max_output_boxes_per_class",
    ),
}  # fmt: skip
#: The same of mmdet 2.8.0, by its test code, from which ``early.py`` composes the graph.
READ_EARLY = {
    "rpn": ("nms_pre", "nms_post", "nms_thr", "max_num"),  # the last for augmentations only
    "rcnn": ("score_thr", "max_per_img", "mask_thr_binary", "nms.type", "nms.iou_threshold"),
    "dense": (),  # none is exported
}
#: What test_cfg.rpn says, in later words and in mmdet 2.8.0's.
RENAMED = {"max_per_img": "nms_post", "nms.iou_threshold": "nms_thr"}
#: Of keys that are not read, the values with which they do nothing.
IDLE = {
    "min_bbox_size": lambda value: value <= 0,
    "nms_across_levels": lambda value: not value,
    "nms.class_agnostic": lambda value: not value,
    "nms.split_thr": lambda value: True,
    "async_sleep_interval": lambda value: True,
    "nms.type": lambda value: value == "nms",
}


def set_classes(model: Any, count: int | None, own: Any) -> None:
    """Give every classifying head the number of classes that the specification lists.

    Args:
        model: of a configuration; changed.
        count: None where nobody lists any.
        own: the same as far as a person has written it, whose numbers are not changed.

    Raises:
        JobError: a person has written another number.
    """
    if not count:
        return
    written = dict(_classifiers(own))
    for place, head in _classifiers(model):
        said = written.get(place, {}).get("num_classes")
        if said is not None and said != count:
            raise JobError(
                f"{place} has num_classes {said}, the specification lists {count} classes",
                "give the variant the network's own list: classes: [...]",
            )
        if "num_classes" in head:
            head["num_classes"] = count


def _classifiers(part: Any, place: str = "model") -> Iterator[tuple[str, dict[str, Any]]]:
    """The heads in a configuration, with the way to each; in a cascade a head is a list of stages."""
    if not isinstance(part, dict):
        return
    for key, inner in part.items():
        stages = inner if isinstance(inner, list) else [inner]
        for index, stage in enumerate(stages):
            here = f"{place}.{key}" + (f"[{index}]" if isinstance(inner, list) else "")
            if key in CLASSIFIERS and isinstance(stage, dict):
                yield here, stage
            else:
                yield from _classifiers(stage, here)


def take_preprocessor(model: Any, expected: Mapping[str, Any]) -> None:
    """Take ``data_preprocessor`` out, which mmdet 3 has in its models and here the specification says.

    Args:
        model: of a configuration; changed.
        expected: ``mean``, ``std`` (3 floats) and ``to_rgb`` of the specification, those that are known.

    Raises:
        JobError: it normalises otherwise.
    """
    if "data_preprocessor" not in model:
        return
    found = model.pop("data_preprocessor") or {}
    pixels = {
        "mean": [0.0] * 3,
        "std": [1.0] * 3,
        **{key: found[key] for key in ("mean", "std") if found.get(key)},
    }
    pixels["to_rgb"] = bool(found.get("bgr_to_rgb", False))
    for key, said in pixels.items():
        if key in expected and not _near(said, expected[key]):
            own = ", ".join(f"{name}: {value}" for name, value in pixels.items()).lower()
            raise JobError(
                f"config: data_preprocessor has {key} {said}, the specification preprocess.{key} {expected[key]}",
                f"give the variant the network's own: preprocess: {{{own}}}",
            )


def _near(said: Any, ours: Any) -> bool:
    pairs = zip(said, ours) if isinstance(said, (list, tuple)) else [(said, ours)]
    return all(abs(one - other) <= 1e-3 for one, other in pairs)


def early_keys(test: Any) -> None:
    """Say in mmdet 2.8.0's words what ``test_cfg`` says of proposals in later ones.

    Raises:
        JobError: it says the same thing in both.
    """
    rpn = test.get("rpn") or {}
    for key, value in list(_flat(rpn)):
        if key in RENAMED and RENAMED[key] in rpn:
            raise JobError(f"test_cfg.rpn has both {key} and {RENAMED[key]}", "leave one of them out")
        if key in RENAMED:
            rpn[RENAMED[key]] = value
    if rpn.get("nms", {"type": "nms"}).get("type", "nms") == "nms":
        rpn.pop("nms", None)
    rpn.pop("max_per_img", None)


def check_test_cfg(model: Any, *, early: bool = False) -> None:
    """Refuse what the test code does and the exported graph would not.

    Args:
        model: of a configuration.
        early: whether it is one of mmdet before 2.9.

    Raises:
        JobError: names the key, its value and the keys that are read.
    """
    known = READ_EARLY if early else READ
    test = model.get("test_cfg") or {}
    parts = {name: test[name] for name in ("rpn", "rcnn") if isinstance(test.get(name), Mapping)}
    if not parts:
        parts = {"dense": test}
    for name, part in parts.items():
        where = "test_cfg" if name == "dense" else f"test_cfg.{name}"
        for key, value in _flat(part):
            if key == "nms.type" and value != "nms":
                raise JobError(
                    f"{where}.nms.type is {value!r}, and ONNX has only the plain one", "use type: nms"
                )
            if key not in known[name] and not (key in IDLE and IDLE[key](value)):
                raise JobError(
                    f"{where}.{key} {value!r} does not reach the graph", _nearest(key, known[name])
                )


def _flat(part: Any) -> Iterator[tuple[str, Any]]:
    for key, value in part.items():
        if isinstance(value, Mapping):
            yield from ((f"{key}.{inner}", one) for inner, one in value.items())
        else:
            yield key, value


def _nearest(key: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    meant = f"did you mean {close[0]}? " if close else ""
    return f"{meant}mmdet's export reads {', '.join(known)}"


def remarks(model: Any, expected: Mapping[str, Any]) -> list[str]:
    """Where the configuration's thresholds and those of the specification are not the same, one line each.

    Args:
        expected: ``score_threshold`` and ``mask_threshold`` of the postprocessing.
    """
    test = model.get("test_cfg") or {}
    last = test.get("rcnn") or test
    lines = []
    for key, name in (("score_thr", "score_threshold"), ("mask_thr_binary", "mask_threshold")):
        said, ours = last.get(key), expected.get(name)
        if key == "score_thr" and said is not None and ours is not None and said >= ours:
            continue  # the graph keeps less, as mmdet does
        if said is not None and ours is not None and said != ours:
            lines.append(f"test_cfg has {key} {said:g}, the specification postprocess.{name} {ours:g}")
    return lines
