"""Run one job inside the export environment:  python models/maskrcnn/export/worker.py JOB.json

Standard output carries JSON lines and nothing else; everything that libraries print is on standard error.

    {"event": "progress", "what": "trace", "done": 2, "total": 4}
    {"event": "result", "image_id": 7, "boxes": [[x1, y1, x2, y2]], "scores": [], "labels": [], "masks": [] or null}
    {"event": "done", "task": "export", "output": path, "sha256": "...", "nodes": 2641, "versions": {"torch": "..."}}
    {"event": "error", "message": "one line", "hint": "one line", "place": false}    true: a file cannot be written

Exit code 0 after ``done``, 1 after ``error``. A job is one of

    {"task": "export", "config": CONFIG, "weights": WEIGHTS, "size": [H, W], "opset": 11, "output": "stock.onnx",
     "batch": 1, "expected": SETTINGS}
    {"task": "predict", "config": CONFIG, "weights": WEIGHTS, "size": [H, W], "pipeline": PIPELINE,
     "images": [{"id": 7, "path": "7.jpg"}], "expected": SETTINGS}
    {"task": "weights", "weights": WEIGHTS, "expected": EXPECTED, "output": "plain.pth", "prefix": "teacher."}
    {"task": "check", "job": any of these, "expected": EXPECTED}

The last two need no framework: they run in any Python with numpy. ``weights`` examines a checkpoint and, where an
output is given (.pth or .safetensors), writes the weights alone; ``check`` refuses what the job in it would refuse
after minutes of building an environment. Both end with {"event": "done", "report": {...}, "remarks": ["one line"]};
EXPECTED is what the specification says: {"classes": [names], "mean": [3], "std": [3], "to_rgb": true}, or a part of it.

with CONFIG {"base": "mask_rcnn/mask_rcnn_r50_fpn_1x_coco.py", "overrides": {"model": {}}} (base is a path below mmdet's
configs) or {"file": "/data/my_config.py", "overrides": {}} (one's own, whose code is run), WEIGHTS {"checkpoint": path,
"ema": false} or {"random": seed}, PIPELINE {"mean": [3], "std": [3], "to_rgb": true}, and SETTINGS {"classes": 80,
"score_threshold": 0.05, "mask_threshold": 0.5} or a part of it. Where a configuration says other thresholds than
these, the last event has {"remarks": ["one line"]}.

A config may be of any detector that mmdet can export. One without masks gives the outputs dets and labels, and
results with masks null.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

# As a script its own folder is first on the path; the package ``export`` is found from its parent.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from export import environment  # noqa: E402
from export.errors import JobError, PlaceError  # noqa: E402
from export.events import Events  # noqa: E402
from export.job import read_job  # noqa: E402


def main(arguments: list[str]) -> int:
    """Run the job named on the command line; return the exit code."""
    events = Events.take_stdout()
    try:
        _run(arguments, events)
    except JobError as error:
        events.error(str(error), error.hint, place=isinstance(error, PlaceError))
    except ImportError as error:
        traceback.print_exc()
        events.error(
            f"the export environment is incomplete: {error}", "build it again from export/requirements.txt"
        )
    except Exception as error:
        traceback.print_exc()
        events.error(
            f"{type(error).__name__}: {error}", "a fault of the export worker; the traceback is in its log"
        )
    else:
        return 0
    return 1


def _run(arguments: list[str], events: Events) -> None:
    """Read the job, then import what is slow to import, then do the job."""
    if len(arguments) != 1:
        raise JobError("the worker needs one argument", "give it the path of a job file")
    job = read_job(arguments[0])
    if job["task"] in ("weights", "check"):
        from export.examine import examine

        examine(job, events)
        return
    events.progress("import", 0, 1)
    environment.prepare()
    from export.tasks import TASKS

    TASKS[job["task"]](job, events)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
