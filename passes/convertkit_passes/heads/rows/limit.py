"""An NMS that gives fewer boxes, with everything behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from convertkit.api import passes
from convertkit.api.heads import Nms, Refused, annotated, name_of, sized, unsized
from convertkit_passes.heads.levels import becomes_rois
from convertkit_passes.heads.picture import proposes
from convertkit_passes.heads.rows.walk import Walk

LEFT = "fuse-multiclass-nms has left it as it is; --explain fuse-multiclass-nms says why"


def gives_proposals(nms: Nms) -> bool:
    """Whether its boxes become RoIs that another NMS depends on."""
    return proposes(nms) and becomes_rois(nms)


def gives_detections(nms: Nms) -> bool:
    """Whether no other NMS depends on its boxes."""
    return not proposes(nms)


def check(count: int) -> None:
    """Raises a UsageError where nobody can mean the count."""
    if count < 1:
        raise passes.UsageError(f"count={count}: at least 1 has to stay")


def limit(graph: passes.Graph, count: int, wanted: Callable[[Nms], bool]) -> tuple[passes.Finding, ...]:
    """Lets every wanted NMS give at most ``count`` boxes; a finding for each, and for each that has no fixed size."""
    with annotated(graph):
        walks = [(item, Walk(graph, _total(item), count)) for item in sized(graph) if wanted(item)]
        findings = [_limit(*pair) for pair in walks]
        findings += unsized(graph)
    for _, walk in walks:
        walk.restate()
    left = graph.find("NonMaxSuppression")
    return (*findings, *(passes.Finding("refused", name_of(node), LEFT) for node in left))


def require(findings: Sequence[passes.Finding], what: str) -> None:
    """What was asked for has to happen.

    Raises:
        PassError: an NMS cannot be told to give fewer, or none gives ``what``.
    """
    refused = [item for item in findings if item.status == "refused"]
    if refused:
        raise passes.PassError(f"{what} cannot be limited: {refused[0].where}: {refused[0].why}")
    if not findings:
        hint = "pass it graphs of two stages, behind fuse-multiclass-nms" if what == "proposals" else ""
        raise passes.PassError(f"no MulticlassNms of the graph gives {what}", hint=hint or None)


def _total(nms: Nms) -> int:
    return int(nms.node.attrs["max_total_size"])


def _limit(nms: Nms, walk: Walk) -> passes.Finding:
    if walk.old <= walk.new:
        return passes.Finding(
            "matched", nms.where, f"it gives {walk.old}, no more than {walk.new}: unchanged"
        )
    try:
        walk.run(nms)
    except Refused as refused:
        return refused.finding(nms.where)
    attrs = nms.node.attrs
    attrs["max_total_size"] = walk.new
    attrs["max_size_per_class"] = min(attrs["max_size_per_class"], walk.new)
    return passes.Finding("matched", nms.where, f"the best {walk.new} of {walk.old} stay")
