"""The two things a worker can do: export the stock graph, and run mmdet itself on images."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx
from torch import nn

from . import detector, early, environment, settings, stock
from .checkpoint.write import write_file
from .errors import JobError
from .events import Events
from .exportable import HINT, check_exportable
from .predict import predict
from .random_weights import randomise, seed_everything
from .weights import load_checkpoint

if TYPE_CHECKING:
    from .job import Job


def run_export(job: Job, events: Events) -> None:
    """Write the stock graph to ``output``."""
    output = Path(job["output"])
    if not output.parent.is_dir():
        raise JobError(f"directory {output.parent} does not exist", "create it before exporting into it")
    model, remarks = _model(job, events, steps=4)
    events.progress("trace", 2, 4)
    content = _trace(model, job)
    events.progress("write", 3, 4)
    graph = onnx.load_from_string(content)
    _check_domains(graph, job)
    write_file(output, content)
    _done(
        events,
        job,
        remarks=remarks,
        output=str(output),
        sha256=hashlib.sha256(content).hexdigest(),
        nodes=len(graph.graph.node),
    )


def run_predict(job: Job, events: Events) -> None:
    """Send mmdet's detections, one result per image."""
    model, remarks = _model(job, events, steps=2)
    spec = {**job["pipeline"], "size": job["size"]}
    images = job["images"]
    for result in predict(model, spec, images):
        events.send("result", **result)
    _done(events, job, remarks=remarks, images=len(images))


TASKS = {"export": run_export, "predict": run_predict}


def _model(job: Job, events: Events, steps: int) -> tuple[nn.Module, list[str]]:
    """Build the detector and give it its weights; and what is to be said of its configuration."""
    events.progress("config", 0, steps)
    weights: dict[str, Any] = job["weights"]
    expected = job.get("expected", {})
    config = detector.read_config(job["config"], expected.get("classes"), expected)
    seed_everything(weights.get("random", 0))
    model = detector.build(config)
    name = detector.name_of(job["config"])
    if early.is_early(model):
        early.check_early(model, name, job["batch"])
    else:
        check_exportable(model, name)
    settings.check_test_cfg(config.model, early=detector.EARLY)
    events.progress("weights", 1, steps)
    if "random" in weights:
        with _runs_here(name):
            randomise(model, weights["random"], detector.normalisation(config))
    else:
        load_checkpoint(model, Path(weights["checkpoint"]), ema=weights.get("ema", False))
    return model, settings.remarks(config.model, expected)


@contextmanager
def _runs_here(name: str) -> Iterator[None]:
    """Refuse by the configuration's name a detector that needs another device: mmcv's CARAFE has no CPU code."""
    try:
        yield
    except RuntimeError as error:
        if "implementation for device cpu not found" not in str(error):
            raise
        operator = str(error).partition(":")[0]
        raise JobError(
            f"config {name!r} cannot be run here: mmcv's {operator} has no CPU code", HINT
        ) from error


def _trace(model: nn.Module, job: Job) -> bytes:
    """Export the detector; what mmdet or torch cannot do is the config's fault, not the worker's."""
    try:
        return stock.export(model, job["batch"], job["size"], int(job["opset"]))
    except (AssertionError, RuntimeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise JobError(
            f"config {detector.name_of(job['config'])!r} cannot be exported: {reason}", HINT
        ) from error


def _check_domains(graph: onnx.ModelProto, job: Job) -> None:
    """Refuse operators that only mmcv's own runtimes know, such as deformable convolution."""
    foreign = sorted({f"{node.domain}.{node.op_type}" for node in graph.graph.node if node.domain})
    if foreign:
        raise JobError(
            f"config {detector.name_of(job['config'])!r} needs operators that ONNX does not have:"
            f" {', '.join(foreign)}",
            HINT,
        )


def _done(events: Events, job: Job, **fields: Any) -> None:
    """Send the last event."""
    events.send("done", task=job["task"], **fields, versions=environment.versions())
