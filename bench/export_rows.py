"""A row of docs/exports.md: what the passes make of a graph, and whether that gives what the graph gave."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.exported import Export
from convertkit.api import graphs, heads
from convertkit.errors import ConvertkitError
from convertkit.graph.light import LightModel
from convertkit.passes.differences import first_rows
from convertkit.passes.pipeline import Pipeline
from convertkit.plugins.loading import open_plugins

SIMPLE = ("simplify", "fold-constants")
GENERAL = (
    "inline-functions", *SIMPLE, "resolve-if", "simplify", "absorb-score-filters", "cast-int64-to-int32",
    "fuse-multilevel-roialign{square=true}", "fuse-multiclass-nms{pad_detections=true}",
)  # fmt: skip
ASCEND = ("set-opset-window", "cast-fp16-operators", "legalize-ascend")
TARGET = "ascend310p3"
NEWEST = 16
"""The newest opset that heads are found and lowered at."""

CUT = "cut-loops"
"""Then, where a loop stays: the graph for the chip ends in front of it, and the rest is run by the host."""

FOUND = ("If", "RoiAlign", "NonMaxSuppression")
RAISED = (1.0,)
"""Thresholds of scores that are tried beside the exporter's own; no score is above the last."""

PLACES = {"NonMaxSuppression": 4, "Greater": 1}
"""Which input of an operator may be a threshold of scores."""

REASON = 200
"""Letters of a refusal in the table."""

HEAD = ("written by", "what", "If", "RoiAlign", "NMS", "result", "static", TARGET, "s")


def row(export: Export, thresholds: Sequence[float] = RAISED) -> str:
    """``| written by | what | ...``; every stage that refuses is the row's last word."""
    try:
        before = export.load()
        start = time.perf_counter()
        whole = _converted(export, before)
        after = _run([CUT], whole)
        seconds = time.perf_counter() - start
    except ConvertkitError as error:
        return _line(export, *["-"] * 5, _reason(error), "-")
    had, left = _counts(before), _counts(after)
    gone = [f"{had[kind] - left[kind]} of {had[kind]}" if had[kind] else "" for kind in FOUND]
    same = _same(export, before, whole, thresholds)
    return _line(export, *gone, same, _static(after), _legal(after), f"{seconds:.1f}")


def _line(export: Export, *cells: str) -> str:
    return " | ".join(["| " + export.writer, export.name, *cells]) + " |"


def _reason(error: ConvertkitError) -> str:
    said = error.message.partition("first: ")[2] or error.message
    hint = f" ({error.hint})" if error.hint else ""
    return (
        (said.partition(" [Caused by")[0][:REASON] + hint)
        .replace("|", "/")
        .replace("\n", " ")
        .replace("](", "] (")
    )


def _converted(export: Export, before: LightModel) -> LightModel:
    pins = [f'set-input-shape{{shapes=["{export.shape}"]}}'] if export.shape else []
    convert = [f"convert-opset{{to={NEWEST}}}"] if _opset(before) > NEWEST else []
    *rest, nms = GENERAL[1:]
    nms = nms.replace("}", f",box_range={export.box_range}}}") if export.box_range else nms
    return _run([*pins, GENERAL[0], *convert, *rest, nms], before)


def _run(passes: Sequence[str], model: LightModel) -> LightModel:
    return Pipeline.parse(passes, open_plugins().passes).run(model)[0]


def _opset(model: LightModel) -> int:
    return max(item.version for item in model.proto.opset_import if item.domain in ("", "ai.onnx"))


def _counts(model: LightModel) -> Counter[str]:
    tops = (model.proto.graph, *model.proto.functions)
    return Counter(node.op_type for top in tops for node in graphs.every_node(top))


def _same(export: Export, before: LightModel, after: LightModel, thresholds: Sequence[float]) -> str:
    """Over all inputs, with the exporter's threshold of scores and with others."""
    worst, counts = _gap(export, before, after)
    for threshold in thresholds:
        if (raised := _raised(before, threshold)) is not None:
            gap, more = _gap(export, raised, _converted(export, raised))
            worst, counts = max(worst, gap), counts + more
    many = f"{min(counts)} to {max(counts)}" if min(counts) < max(counts) else f"{counts[0]}"
    return f"{'same bits' if worst == 0 else f'within {worst:.1g}'}; {many}"


def _raised(model: LightModel, threshold: float) -> LightModel | None:
    """The graph with another threshold wherever NMS has one, or scores are compared with one; None: it has none."""
    graph, found = graphs.open_graph(model), 0
    for node in graph.find(tuple(PLACES)):
        place = PLACES[node.op]
        value = graphs.constant_value(graph, node.inputs[place]) if place < len(node.inputs) else None
        if value is not None and value.size == 1 and 0 < value.item() < 1:
            node.inputs[place] = graph.constant(np.full_like(value, threshold))
            found += 1
    return graph.model() if found else None


def _gap(export: Export, before: LightModel, whole: LightModel) -> tuple[float, list[int]]:
    """How far apart values are, relative to the largest that their output has; and how many detections there were.

    Where the converted graph is cut, both parts are run, one behind the other.
    """
    cut, rest = _cut(whole)
    session = graphs.open_session(before, optimize=False)
    front, behind = (graphs.open_session(heads.lower(item), optimize=False) for item in (cut, rest))
    apart, counts = [], []
    for feeds in export.inputs(before):
        old, made = list(session.run(feeds).values()), front.run(feeds)
        if rest is not whole:
            made |= behind.run({name: made[name] for name in behind.inputs})
        new = [made[value.name] for value in whole.proto.graph.output]
        used = _used(old[0])
        counts.append(int(used.sum()))
        apart.append([_apart(one, other, used) for one, other in zip(old, new, strict=True)])
    gaps, largest = np.moveaxis(np.array(apart), -1, 0).max(axis=1)
    return float((gaps / np.maximum(largest, 1e-30)).max()), counts


def _cut(whole: LightModel) -> tuple[LightModel, LightModel]:
    """What ends in front of a loop, and the rest; the graph itself where no score passes and sizes stay open."""
    try:
        return _run([CUT], whole), _run([CUT + "{part=rest}"], whole)
    except ConvertkitError:
        return whole, whole


def _apart(one: NDArray[Any], other: NDArray[Any], used: NDArray[np.bool_]) -> tuple[float, float]:
    """Largest difference and largest value of the rows that there were; infinitely far where even the shapes differ."""
    rows = first_rows("a result", one, other)
    if rows.shape != one.shape:
        return np.inf, 1.0
    a, b = (item.astype(np.float64) for item in (one, rows))
    if a.ndim and len(a) == len(used):
        a, b = a[used], b[used]
    return np.abs(a - b).max(initial=0.0), np.abs(a).max(initial=0.0)


def _used(first: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rows of the first output are detections: boxes with scores say it."""
    first = first[0] if first.ndim == 3 and len(first) == 1 else first
    if first.ndim == 2 and first.shape[1] in (5, 6):  # a box, its score, perhaps its class
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
        return _reason(error)
    return "legal"
