"""What can be said of a job before there is a framework: is its checkpoint one, and what does it hold?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .checkpoint.read import read_checkpoint
from .checkpoint.write import write_weights
from .events import Events

if TYPE_CHECKING:
    from .job import Job


def examine(job: Job, events: Events) -> None:
    """Read the checkpoint of a job, write its weights where that is asked for, and say what was found."""
    inner = job["job"] if job["task"] == "check" else job
    weights = inner["weights"]
    report, remarks = {}, []
    if "checkpoint" in weights:
        found = read_checkpoint(
            Path(weights["checkpoint"]), ema=weights.get("ema", False), prefix=job.get("prefix", "")
        )
        report, remarks = found.report, found.remarks(job["expected"])
        if job["task"] == "check":
            found.check_pixels(job["expected"])
        if job.get("output"):
            write_weights(Path(job["output"]), found.arrays())
    events.send("done", task=job["task"], report=report, remarks=remarks)
