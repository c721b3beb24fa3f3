"""The job: what the parent asks for, read and checked before anything heavy is imported."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from .errors import JobError

#: Keys of a job by task.
KEYS = {
    "export": ("config", "weights", "size", "opset", "output"),
    "predict": ("config", "weights", "size", "images", "pipeline"),
    "weights": ("weights", "expected"),
    "check": ("job", "expected"),
}
#: mmdet needs 11; from 16 on RoiAlign has another default alignment than the one mmcv writes it for.
OPSETS = range(11, 16)
PIPELINE_KEYS = ("mean", "std", "to_rgb")
#: What a pipeline may say beyond that, and the one thing mmdet does.
PIPELINE_FACTS = {"placement": "corner", "rounding": "nearest"}

if TYPE_CHECKING:
    Job = dict[str, Any]


def read_job(path: str) -> Job:
    """Read and check a job file; see ``worker.py`` for what it holds."""
    try:
        job = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise JobError(f"cannot read job {path}: {error}", "the job is a JSON file") from error
    return _checked(job, path)


def _checked(job: Any, path: str) -> Job:
    if not isinstance(job, dict) or job.get("task") not in KEYS:
        raise JobError(f"job {path} has no known task", f"task is one of {', '.join(KEYS)}")
    known = KEYS[job["task"]]
    missing = [key for key in known if key not in job]
    if missing:
        raise JobError(f"{job['task']} job lacks {missing[0]!r}", f"it needs {', '.join(known)}")
    if job["task"] == "check":
        return {**job, "job": _checked(job["job"], path)}
    _check_weights(job["weights"])
    if job["task"] == "weights":
        return job
    _check_config(job["config"])
    job["size"] = _size(job["size"])
    batch = job.setdefault("batch", 1)
    if not isinstance(batch, int) or batch < 1:
        raise JobError(f"batch {batch!r} cannot be used", "batch is a number of pictures from 1")
    if job["task"] == "export" and job["opset"] not in OPSETS:
        raise JobError(f"opset {job['opset']!r} cannot be used", f"use {OPSETS.start} to {OPSETS.stop - 1}")
    if job["task"] == "predict":
        _check_pipeline(job["pipeline"])
        _check_images(job["images"])
    return job


def _check_config(config: Any) -> None:
    """Refuse a config that is not {"base", "overrides"} or {"file", "overrides"}, or cannot be one of mmdet's."""
    if isinstance(config, dict) and isinstance(config.get("file"), str):
        if not Path(config["file"]).is_file():
            raise JobError(f"config {config['file']} does not exist", "check the path of the configuration")
        _check_overrides(config)
        return
    if not isinstance(config, dict) or not isinstance(config.get("base"), str):
        raise JobError(
            "config has no 'base'", "config is {'base': path below mmdet's configs, 'overrides': {}}"
        )
    relative = PurePosixPath(config["base"])
    if relative.is_absolute() or ".." in relative.parts or relative.suffix != ".py":
        raise JobError(
            f"config base {config['base']!r} is not a path below mmdet's configs",
            "use a relative path such as '_base_/models/mask_rcnn_r50_fpn.py'",
        )
    _check_overrides(config)


def _check_overrides(config: dict[str, Any]) -> None:
    unknown = sorted(set(config.get("overrides") or {}) - {"model"})
    if unknown:
        raise JobError(f"config overrides hold {unknown[0]!r}", "only the key 'model' can be overridden")


def _check_weights(weights: Any) -> None:
    """Refuse weights that are not exactly one of {"checkpoint": path} and {"random": seed}."""
    if isinstance(weights, dict):
        if isinstance(weights.get("checkpoint"), str) and isinstance(weights.get("ema", False), bool):
            return
        seed = weights.get("random")
        if isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed < 2**63:
            return
    raise JobError(
        f"weights {weights!r} are not understood", "use {'checkpoint': path} or {'random': seed >= 0}"
    )


def _size(size: Any) -> tuple[int, int]:
    """Check an input size [H, W]: mmdet's feature pyramid halves it five times."""
    pair = isinstance(size, list) and len(size) == 2 and all(isinstance(side, int) for side in size)
    if pair and all(side >= 64 and side % 32 == 0 for side in size):
        return size[0], size[1]
    raise JobError(f"size {size!r} cannot be used", "size is [height, width], multiples of 32 from 64")


def _check_pipeline(pipeline: Any) -> None:
    """Refuse what mmdet's own test pipeline does not do."""
    if not isinstance(pipeline, dict):
        raise JobError("pipeline is not an object", f"it needs {', '.join(PIPELINE_KEYS)}")
    missing = [key for key in PIPELINE_KEYS if key not in pipeline]
    if missing:
        raise JobError(f"pipeline lacks {missing[0]!r}", f"it needs {', '.join(PIPELINE_KEYS)}")
    for key, only in PIPELINE_FACTS.items():
        if pipeline.get(key, only) != only:
            raise JobError(
                f"mmdet cannot do {key} {pipeline[key]!r}", f"its own test pipeline has {key} {only!r}"
            )


def _check_images(images: Any) -> None:
    """Refuse images that are not a list of {"id", "path"}."""
    if not isinstance(images, list) or not all(isinstance(image, dict) for image in images):
        raise JobError("images are not a list of objects", "each image is {'id': number, 'path': file}")
    for image in images:
        if "id" not in image or not isinstance(image.get("path"), str):
            raise JobError(f"image {image!r} is not understood", "each image is {'id': number, 'path': file}")
