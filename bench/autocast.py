"""The stock graph on a large canvas: what ``convertkit plan`` keeps in fp32, beside what AutoCast keeps.

    python -m venv autocast && autocast/bin/pip install 'nvidia-modelopt[onnx]==0.47.0'
    python -m bench.autocast --python autocast/bin/python

The graph is that of ``bench.scaled_canvas``: mini's export with coordinates up to 1200 and class offsets far beyond
fp16. Both see the same eight scenes; AutoCast (nvidia-modelopt, ``modelopt.onnx.autocast``, as it comes) runs in its
own interpreter by ``bench/autocast_nodes.py``. Both mixtures run with device numerics, and AP is that of 100 scenes.
The table goes into docs/accuracy-lost.md.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from bench.accuracy import parser_of, write_part
from bench.planned import PAGE, ap, asked, scores
from bench.scaled_canvas import write_variant

TITLE = "## The stock graph beside AutoCast"
FP32, FP16 = "stock", "stock@device-numerics"
PHOTOS = 8

TEXT = f"""{TITLE}

mini's stock graph with coordinates up to 1200 ([accuracy.md](accuracy.md#at-the-coordinates-of-a-real-canvas)), by
`python -m bench.autocast`: {{nodes}} nodes. `plan --rung stock` and AutoCast (nvidia-modelopt {{version}}, which keeps
what reaches 512, and has no evaluations) see the same {PHOTOS} scenes; AP, bbox / segm, is of 100 scenes with device
numerics; a few thousandths are chance.

{{table}}
AutoCast keeps {{listed}} nodes of its graph ({{foreign}} of them of its own making, left out here), which has {{whole}}
with {{casts}} Casts in the end.
"""


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--json", type=Path, help="also written here")
    options = parser.parse_args()
    if not options.python:
        parser.error("--python is the interpreter of AutoCast's environment")
    with tempfile.TemporaryDirectory() as scratch:
        found = compared(Path(scratch), options.python)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))
    write_part(TITLE, text_of(found), PAGE)


def compared(directory: Path, python: str) -> dict[str, Any]:
    """What both keep, how long they take, and the AP of both."""
    variant = write_variant(directory)
    graph = onnx.load(directory / "large.onnx").graph
    start = time.monotonic()
    made = asked(
        "plan", variant, "--rung", "stock", "--limit", str(PHOTOS), "-o", str(directory / "plan.yaml")
    )["plan"]
    ours = {"seconds": time.monotonic() - start, "plan": made}
    theirs = _autocast(directory, variant, python)
    names = {node.name for node in graph.node}
    keep = [name for name in theirs["kept"] if name in names]
    mode = ("-O", "precision_mode=force_fp16", "-O", f"keep_dtype={json.dumps(keep)}")
    plan = ("--runtime", FP32, "-O", f"plan={directory / 'plan.yaml'}")
    fp16, with_plan, with_autocast = (
        asked("verify", variant, *how, "--runtime", FP16) for how in ((), plan, mode)
    )
    return {
        "nodes": len(graph.node),
        "fp32": scores(with_plan, FP32),
        "fp16": scores(fp16, FP16),
        "plan": {**ours, "ap": scores(with_plan, FP16)},
        "autocast": {**theirs, "usable": keep, "ap": scores(with_autocast, FP16)},
    }


def text_of(found: Mapping[str, Any]) -> str:
    ours, theirs, total = found["plan"], found["autocast"], found["nodes"]
    kept = [name for entry in ours["plan"]["entries"] for name in entry["nodes"]]
    rows = [
        ("fp32", [total, "", "", ap(found["fp32"])]),
        ("all fp16", [0, "", "", ap(found["fp16"])]),
        ("`convertkit plan`", [*_many(kept, ours, total), ours["plan"]["evaluations"], ap(ours["ap"])]),
        ("AutoCast", [*_many(theirs["usable"], theirs, total), "-", ap(theirs["ap"])]),
    ]
    lines = [
        "| stock graph | nodes in fp32 | s | evaluations | AP, bbox / segm |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [f"| {name} | {' | '.join(map(str, cells))} |" for name, cells in rows]
    return TEXT.format(
        nodes=total,
        version=theirs["version"],
        table="\n".join(lines) + "\n",
        casts=theirs["casts"],
        listed=len(theirs["kept"]),
        whole=theirs["nodes"],
        foreign=len(theirs["kept"]) - len(theirs["usable"]),
    )


def _many(kept: Sequence[str], one: Mapping[str, Any], total: int) -> list[str]:
    return [f"{len(kept)} ({len(kept) / total:.1%})", f"{one['seconds']:.0f}"]


def _autocast(directory: Path, variant: Path, python: str) -> dict[str, Any]:
    """Its nodes and seconds, on the inputs that ``preprocess`` makes."""
    prepared, arrays, answer = directory / "prepared", directory / "arrays", directory / "autocast.json"
    asked("preprocess", variant, "-o", str(prepared), "--format", "npy", "--limit", str(PHOTOS))
    arrays.mkdir()
    (image,) = onnx.load(directory / "large.onnx").graph.input
    for path in sorted(prepared.rglob("*.npy")):
        shape = [dim.dim_value for dim in image.type.tensor_type.shape.dim]
        np.savez(arrays / f"{path.stem}.npz", **{image.name: np.load(path).reshape(shape)})
    script = Path(__file__).with_name("autocast_nodes.py")
    subprocess.run([python, script, directory / "large.onnx", arrays, answer], check=True)
    found: dict[str, Any] = json.loads(answer.read_text())
    return found


if __name__ == "__main__":
    main()
