"""The two things a worker can do: export the stock graph, and run mmdet itself on images."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import onnx
from torch import nn

from . import detector, environment, stock
from .errors import JobError
from .events import Events
from .job import Job
from .predict import predict
from .random_weights import randomise
from .weights import load_checkpoint


def run_export(job: Job, events: Events) -> None:
    """Write the stock graph to ``output``, under a temporary name first."""
    output = Path(job["output"])
    if not output.parent.is_dir():
        raise JobError(f"directory {output.parent} does not exist", "create it before exporting into it")
    model = _model(job, events, steps=4)
    events.progress("trace", 2, 4)
    content = stock.export(model, job["size"], int(job["opset"]))
    events.progress("write", 3, 4)
    graph = onnx.load_from_string(content)
    temporary = output.with_name(f".{output.name}.{os.getpid()}.partial")
    try:
        temporary.write_bytes(content)
        temporary.replace(output)
    finally:
        temporary.unlink(missing_ok=True)
    _done(
        events,
        job,
        output=str(output),
        sha256=hashlib.sha256(content).hexdigest(),
        nodes=len(graph.graph.node),
    )


def run_predict(job: Job, events: Events) -> None:
    """Send mmdet's detections, one result per image."""
    model = _model(job, events, steps=2)
    spec = {**job["pipeline"], "size": job["size"]}
    images = job["images"]
    for result in predict(model, spec, images):
        events.send("result", **result)
    _done(events, job, images=len(images))


TASKS = {"export": run_export, "predict": run_predict}


def _model(job: Job, events: Events, steps: int) -> nn.Module:
    """Build the detector and give it its weights."""
    events.progress("config", 0, steps)
    model = detector.build(detector.read_config(job["config"]))
    events.progress("weights", 1, steps)
    weights: dict[str, Any] = job["weights"]
    if "random" in weights:
        randomise(model, weights["random"])
    else:
        load_checkpoint(model, Path(weights["checkpoint"]))
    return model


def _done(events: Events, job: Job, **fields: Any) -> None:
    """Send the last event."""
    events.send("done", task=job["task"], **fields, versions=environment.versions())
