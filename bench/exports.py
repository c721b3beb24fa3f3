"""What becomes of other exporters' graphs: one pipeline for all of them, as a table in docs/exports.md.

    python -m bench.exports

Every graph is run as exported and as it is afterwards (heads in standard ONNX), each by bare onnxruntime, on several
inputs. The rows of mmdet come from the real exporter, in the export environment (``make
env``); all others are files below ``tests/exports``, made by the scripts in ``tests/exporters``, or forms written by
hand, which say nothing about a real export.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convertkit.api import graphs, heads
from convertkit.conversion.request import Asked, make_request
from convertkit.errors import ConvertkitError
from convertkit.graph.light import LightModel
from convertkit.passes.differences import first_rows
from convertkit.passes.pipeline import Pipeline
from convertkit.plugins.loading import open_plugins
from tests.detectors.graphs import BOX_DETECTORS, detector_inputs, request_for
from tests.exports import torchvision
from tests.passes.heads import nms_forms, roi_forms
from tests.passes.heads.nms_forms import Form

REPOSITORY = Path(__file__).parents[1]
PAGE = REPOSITORY / "docs" / "exports.md"
FILES = REPOSITORY / "tests" / "exports"
MINI = REPOSITORY / "models" / "maskrcnn" / "mini" / "mini.onnx"

SIMPLE = ("simplify", "fold-constants")
GENERAL = (
    "inline-functions", *SIMPLE, "resolve-if", "simplify", "absorb-score-filters", "cast-int64-to-int32",
    "fuse-multilevel-roialign{square=true}", "fuse-multiclass-nms{pad_detections=true}",
)  # fmt: skip
ASCEND = ("set-opset-window", "cast-fp16-operators", "legalize-ascend")
TARGET = "ascend310p3"
NEWEST = 16
"""The newest opset that heads are found and lowered at."""

FOUND = ("If", "RoiAlign", "NonMaxSuppression")

Feeds = Mapping[str, NDArray[Any]]

TEXT = """# Graphs of other exporters

Made by `python -m bench.exports`, which says what is run. The passes, the same for every graph:

    {general}

with `convert-opset{{to={newest}}}` behind `inline-functions` where the opset is newer. *If*, *RoiAlign*, *NMS*: how
many of the exporter's nodes are gone, of how many. *Result*: the graph afterwards against the one before, each run by
bare onnxruntime, and how many detections there were; rows that pad detections, and slots of score 0, are left out.
*Static*: whether every tensor has a fixed shape. *{target}*: whether `{ascend}` takes the graph.

{table}
"""


@dataclass(frozen=True)
class Export:
    """A graph, who wrote it, and inputs for it."""

    writer: str
    name: str
    load: Callable[[], LightModel]
    inputs: Callable[[LightModel], Sequence[Feeds]]


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    heads.DOMAIN.register_schemas()
    lines = ["| written by | what | If | RoiAlign | NMS | result | static | " + TARGET + " | s |"]
    lines.append("|---|---|---:|---:|---:|---|---|---|---:|")
    for export in _exports():
        lines.append(_row(export))
        print(lines[-1], flush=True)
    text = TEXT.format(
        general=",".join(GENERAL),
        newest=NEWEST,
        target=TARGET,
        ascend=",".join(ASCEND),
        table="\n".join(lines),
    )
    PAGE.write_text(text)
    print(f"wrote {PAGE.relative_to(REPOSITORY)}")


def _exports() -> Iterator[Export]:
    yield Export("mmdet 2.28.2", "mask_rcnn (mini)", partial(graphs.load, MINI), _scenes)
    for name in BOX_DETECTORS:
        yield Export(
            "mmdet 2.28.2", name, partial(_of_mmdet, name), lambda _, name=name: detector_inputs(name)
        )
    for name in torchvision.NAMES:
        yield Export("torchvision 0.19.1", name, partial(graphs.load, torchvision.file(name)), _pictures)
    for opset in (18, 20):
        file = FILES / "torch-2.13.0" / f"dynamo-{opset}.onnx"
        yield Export(
            f"torch 2.13.0, dynamo, opset {opset}", "one-stage head", partial(graphs.load, file), _noise
        )
    functions = FILES / "torch-2.4.1" / "functions.onnx"
    yield Export("torch 2.4.1, functions", "two blocks", partial(graphs.load, functions), _noise)
    for name, model in _forms():
        yield Export("by hand", name, lambda model=model: model, _random)


def _forms() -> Iterator[tuple[str, LightModel]]:
    yield "mmdeploy's form", nms_forms.padded_row(Form(count=30, total=8))
    yield "multiclass_nms3's form", nms_forms.class_score_box(Form(count=12))
    yield "yolov7's form", nms_forms.best_class(Form(count=24, limit=12))
    yield "centres and sizes", nms_forms.centred(Form(count=40, total=30, limit=30))
    extraction = roi_forms.Extraction(samples=2, aligned=False, count=16)
    yield "mmdet 2.8's RoI extraction", roi_forms.scatter_nd(extraction)


def _of_mmdet(name: str) -> LightModel:
    from convertkit.conversion.engine import stock_graph

    return stock_graph(request_for(name))


def _scenes(_: LightModel) -> list[Feeds]:
    request = make_request(Asked(REPOSITORY / "models" / "maskrcnn"), open_plugins())
    spec, size = request.package.preprocess_spec(request.variant), request.variant.spec.size
    model = request.package.model
    return [model.preprocess(image, size, spec)[0] for image in model.sample_images()]


def _pictures(model: LightModel) -> list[Feeds]:
    (image,) = model.proto.graph.input
    return [{image.name: picture} for picture in torchvision.pictures()]


def _random(model: LightModel) -> list[Feeds]:
    """Boxes and scores, in one of three cases none above a threshold; noise elsewhere."""
    if not {"boxes", "scores"} <= {value.name for value in model.proto.graph.input}:
        return _noise(model)
    found = [nms_forms.random_inputs(model, seed) for seed in range(3)]
    found[2]["scores"] = found[2]["scores"] * np.float32(0.01)
    return found


def _noise(model: LightModel) -> list[Feeds]:
    """Three draws; RoIs are boxes of the first image."""
    found: list[Feeds] = []
    for seed in range(3):
        random, feeds = np.random.default_rng(seed), {}
        for value in model.proto.graph.input:
            shape = [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim]
            feeds[value.name] = random.normal(size=shape).astype(np.float32)
            if value.name == "rois":
                low, side = random.uniform(0, 40, (shape[0], 2)), random.uniform(1, 50, (shape[0], 2))
                feeds[value.name] = np.hstack([np.zeros((shape[0], 1)), low, low + side]).astype(np.float32)
        found.append(feeds)
    return found


def _row(export: Export) -> str:
    try:
        before = export.load()
    except ConvertkitError as error:
        return _line(export, *["-"] * 6, error.message, "-")
    start = time.perf_counter()
    convert = [f"convert-opset{{to={NEWEST}}}"] if _opset(before) > NEWEST else []
    passes = [GENERAL[0], *convert, *GENERAL[1:]]
    try:
        after = _run(passes, before)
    except ConvertkitError as error:
        return _line(export, *["-"] * 6, error.message, "-")
    seconds = time.perf_counter() - start
    had, left = _counts(before), _counts(after)
    gone = [f"{had[kind] - left[kind]} of {had[kind]}" if had[kind] else "" for kind in FOUND]
    return _line(export, *gone, _same(export, before, after), _static(after), _legal(after), f"{seconds:.1f}")


def _line(export: Export, *cells: str) -> str:
    return " | ".join(["| " + export.writer, export.name, *cells]) + " |"


def _run(passes: Sequence[str], model: LightModel) -> LightModel:
    return Pipeline.parse(passes, open_plugins().passes).run(model)[0]


def _opset(model: LightModel) -> int:
    return max(item.version for item in model.proto.opset_import if item.domain in ("", "ai.onnx"))


def _counts(model: LightModel) -> Counter[str]:
    tops = (model.proto.graph, *model.proto.functions)
    return Counter(node.op_type for top in tops for node in graphs.every_node(top))


def _same(export: Export, before: LightModel, after: LightModel) -> str:
    """Of the rows that there were; how far apart values are, relative to the largest of their output."""
    sessions = [graphs.open_session(item, optimize=False) for item in (before, heads.lower(after))]
    worst, counts = 0.0, []
    for feeds in export.inputs(before):
        old, new = (list(session.run(feeds).values()) for session in sessions)
        used = _used(old[0])
        counts.append(int(used.sum()))
        for one, other in zip(old, new, strict=True):
            rows = first_rows("a result", one, other)
            if rows.shape != one.shape:
                return f"other shapes: {one.shape}, {other.shape}"
            a, b = (item.astype(np.float64) for item in (one, rows))
            if a.ndim and len(a) == len(used):
                a, b = a[used], b[used]
            gap = np.abs(a - b).max(initial=0.0)
            worst = max(worst, gap / max(np.abs(a).max(initial=0.0), 1e-30))
    many = f"{min(counts)} to {max(counts)}" if min(counts) < max(counts) else f"{counts[0]}"
    return f"{'same bits' if worst == 0 else f'within {worst:.1g}'}; {many}"


def _used(first: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rows of the first output are detections: boxes with scores say it."""
    first = first[0] if first.ndim == 3 and len(first) == 1 else first
    if first.ndim == 2 and first.shape[1] == 5:
        return np.asarray(first[:, 4] > 0)
    return np.ones(len(first) if first.ndim else 1, bool)


def _static(model: LightModel) -> str:
    graph = graphs.open_graph(model)
    graphs.annotate(graph)
    for node in graph.nodes:
        if any(graphs.static_shape(item) is None for item in node.outputs if item.name):
            return f"not from `{node.name or node.op}` on"
    return "yes"


def _legal(model: LightModel) -> str:
    try:
        _run(ASCEND, model)
    except ConvertkitError as error:
        return error.message.partition("first: ")[2] or error.message
    return "legal"


if __name__ == "__main__":
    main()
