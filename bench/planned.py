"""Precision plans judged by AP: what fp16 loses is planted into a graph, ``plan`` looks for it, ``verify`` judges.

    python -m bench.planned --data ../shared/data
    python -m bench.planned --only mini --json found.json

The simplified stock graphs of mini (on its 100 scenes) and of mini48 (on its 48 photos) get arithmetic that fp32 undoes
(``tests/ascend/planting.py``) and go through all passes. Everything is asked of the command line: the plan, on eight
photos and without labels, and the AP of fp32, of all fp16 and of fp16 with the plan. What is done is kept in a
directory; the same command goes on after an interruption. The table goes into docs/accuracy-lost.md.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from bench import mini48
from bench.accuracy import REPOSITORY, difference, parser_of, write_part
from convertkit.api.commands.asking import request_of
from convertkit.cli.app import main as convertkit
from convertkit.conversion.engine import graph_after
from convertkit.graph.io import save
from convertkit.graph.light import LightModel
from tests.ascend.planting import Choice, backbone, mask_head, neck, too_coarse, too_large

MODEL, TARGET = REPOSITORY / "models" / "maskrcnn", "ascend310p3"
PAGE = REPOSITORY / "docs" / "accuracy-lost.md"
MODELS = ("mini48", "mini")
TITLE = "## Plans judged by AP"
FP32, FP16 = "twin:ideal", "device-numerics"
SIMPLE = "fold-constants"
"""It is planted behind this pass; those before do not run again: onnxsim would fuse a factor into a convolution."""

PASSES = ("--pipeline", "cast-int64-to-int32,set-opset-window,select-class-masks")
"""The package's, behind that; the target's follow."""

TASKS = ("bbox", "segm")

Plant = Callable[[LightModel, Choice], tuple[LightModel, set[str]]]

CASES: Mapping[str, Sequence[tuple[Plant, Choice]]] = {
    "nothing": (),
    "overflow in the neck": [(too_large, neck)],
    "overflow in the backbone": [(too_large, backbone)],
    "overflow in the mask head": [(too_large, mask_head)],
    "overflow in backbone and mask head": [(too_large, backbone), (too_large, mask_head)],
    "resolution in the neck": [(too_coarse, neck)],
}

TEXT = f"""{TITLE}

mini (100 scenes) and mini48 (48 photos) with arithmetic planted into the stock graph that fp32 undoes, by
`python -m bench.planned`: a factor of 2^16 before a node and its inverse behind it, or 30,000 added and taken off.
`plan` sees eight of the photos and no labels. AP is of all of them, bbox / segm: of the target graph in fp32
(`twin:ideal`), in all fp16 (`device-numerics`), and with the plan; beside fp32 with its 95 % interval, bold where more
than chance. Nodes: kept, how many of them planted, how many were planted.

{{table}}
{{verdict}}
"""


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--only", choices=MODELS, help="measure no other; the table has what is kept of all")
    parser.add_argument("--json", type=Path, help="also written here")
    parser.add_argument("--results", type=Path, default=REPOSITORY / "build" / "bench" / "planned")
    options = parser.parse_args()
    for model in [options.only] if options.only else MODELS:
        measure(model, options.data, options.results)
    found = [json.loads(path.read_text()) for path in _paths(options.results) if path.is_file()]
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))
    write_part(TITLE, TEXT.format(table=table(found), verdict=verdict(found)), PAGE)


def measure(model: str, data: Path, results: Path) -> None:
    """All cases of a model that are not there yet."""
    results.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        variant = str(mini48.write_variant(Path(scratch), data)) if model == "mini48" else model
        request = request_of(str(MODEL), variant=variant, target=TARGET)
        simple = graph_after(request, 1 + [step.name for step in request.pipeline.steps].index(SIMPLE))
        spec = yaml.safe_load(Path(variant).read_text()) if model == "mini48" else _of_package(model)
        for name, plants in CASES.items():
            path = _path(results, model, name)
            if path.is_file():
                continue
            planted, names = simple, set[str]()
            for plant, choice in plants:
                planted, more = plant(planted, choice)
                names |= more
            found = judged(written(planted, spec, Path(scratch)), path.with_suffix(".yaml"))
            path.write_text(json.dumps({"model": model, "case": name, "planted": sorted(names), **found}))


def _path(results: Path, model: str, case: str) -> Path:
    return results / f"{model}-{case.replace(' ', '-')}.json"


def _paths(results: Path) -> list[Path]:
    return [_path(results, model, case) for model in MODELS for case in CASES]


def written(planted: LightModel, spec: Mapping[str, Any], directory: Path) -> Path:
    """A variant that has the graph as its stock graph."""
    save(planted, directory / "planted.onnx")
    made = {key: value for key, value in spec.items() if key != "accuracy"}
    path = directory / "planted.yaml"
    path.write_text(yaml.safe_dump({**made, "stock": str(directory / "planted.onnx")}, sort_keys=False))
    return path


def judged(variant: Path, plan: Path) -> dict[str, Any]:
    """The plan of a variant, and the AP of fp32, of all fp16, and with it."""
    start = time.monotonic()
    made = asked("plan", variant, *PASSES, "-o", str(plan))["plan"]
    seconds = time.monotonic() - start
    fp16 = asked("verify", variant, *PASSES, "--runtime", FP16)
    with_plan = asked("verify", variant, *PASSES, "--runtime", FP32, "--runtime", FP16, "-O", f"plan={plan}")
    return {
        "plan": made,
        "seconds": round(seconds, 1),
        "fp32": scores(with_plan, FP32),
        "fp16": scores(fp16, FP16),
        "planned": scores(with_plan, FP16),
        "beside": beside(with_plan, FP16),
    }


def asked(command: str, variant: Path, *words: str) -> dict[str, Any]:
    """A command's JSON, whatever it concludes; ``error`` where it ended without."""
    printed, said = io.StringIO(), io.StringIO()
    line = [command, str(MODEL), "--variant", str(variant), "--target", TARGET, *words, "--json"]
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(said):
        convertkit(line)
    if not printed.getvalue():
        return {"error": said.getvalue().strip().splitlines()[-1]}
    found: dict[str, Any] = json.loads(printed.getvalue())
    return found


def scores(found: Mapping[str, Any], rung: str) -> dict[str, float] | str:
    """AP by task; what was said where there is none."""
    if "error" in found:
        return str(found["error"])
    (one,) = (one for one in found["rungs"] if one["name"] == rung)
    return one["failure"] or {task: one["scores"][task]["AP"] for task in TASKS}


def beside(found: Mapping[str, Any], rung: str) -> dict[str, Any]:
    """By task, how much more AP a rung has than the first, with its interval."""
    return {
        one["task"]: one["estimate"]
        for one in found.get("differences", [])
        if one["metric"] == "AP" and one["rung"] == rung
    }


def differences(found: Mapping[str, Any]) -> list[str]:
    """Of :func:`beside`, bold where that is more than chance."""
    return [difference(found[task]) if task in found else "-" for task in TASKS]


def table(found: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        "| model | planted | fp32 | all fp16 | with the plan | bbox beside fp32 | segm beside fp32 "
        "| nodes | evaluations | s |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for one in found:
        kept, planted = (
            {name for entry in one["plan"]["entries"] for name in entry["nodes"]},
            {*one["planted"]},
        )
        nodes = f"{len(kept)}, {len(kept & planted)}, {len(planted)}"
        figures = (ap(one[name]) for name in ("fp32", "fp16", "planned"))
        cells = [one["model"], one["case"], *figures, *differences(one["beside"]), nodes]
        lines.append(f"| {' | '.join(cells)} | {one['plan']['evaluations']} | {one['seconds']:.0f} |")
    return "\n".join(lines) + "\n"


def ap(found: Mapping[str, float] | str) -> str:
    return "breaks" if isinstance(found, str) else " / ".join(f"{found[task]:.4f}" for task in TASKS)


def verdict(found: Sequence[Mapping[str, Any]]) -> str:
    """How far the planned graphs are, at most, from the same graph in all fp16 with nothing planted."""
    done = {(one["model"], one["case"]) for one in found}
    missing = [f"{model}, {case}" for model in MODELS for case in CASES if (model, case) not in done]
    lines = [_verdict(model, found) for model in MODELS if (model, next(iter(CASES))) in done]
    return "\n".join([*lines, *([f"Not measured yet: {'; '.join(missing)}."] if missing else [])])


def _verdict(model: str, found: Sequence[Mapping[str, Any]]) -> str:
    bare, *planted = (one for one in found if one["model"] == model)
    own = max(abs(bare["planned"][task] - bare["fp32"][task]) for task in TASKS)
    worst = max(
        (abs(one["planned"][task] - bare["planned"][task]) for one in planted for task in TASKS), default=0
    )
    return (
        f"{model}: with the plans AP is at most {worst:.4f} from that of all fp16 with nothing planted, which itself "
        f"is {own:.4f} from fp32."
    )


def _of_package(variant: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((MODEL / "model.yaml").read_text())["variants"][variant]
    found["weights"] = {"path": str(MODEL / found["weights"]["path"])}
    found["config"] = {"file": str(MODEL / found["config"]["file"])}
    return found


if __name__ == "__main__":
    main()
