"""The search: every candidate is measured, and either matches or is refused with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convertkit.api import graphs, heads, passes
from convertkit.api.heads import Refused, name_of
from convertkit_passes.heads.roi import candidates as candidate
from convertkit_passes.heads.roi.candidates import Candidate, Group
from convertkit_passes.heads.roi.levels import measure
from convertkit_passes.heads.roi.pooling import Pooling, common_pooling
from convertkit_passes.heads.roi.probe import Probe
from convertkit_passes.heads.roi.source import Source, rois_source
from convertkit_passes.heads.roi.verify import Verdict, verify


@dataclass(frozen=True)
class Match:
    """A region that one MultilevelRoiAlign replaces.

    Args:
        nodes: its RoiAlign nodes.
        features: in the operator's order.
        entry: what the RoIs are made from, ``(K, 4)`` or ``(K, 5)``.
        exit: the result.
        shape: of the result, ``(K, C, bins)``; K is None or a name where it is open.
    """

    nodes: tuple[Any, ...]
    features: tuple[Any, ...]
    source: Source
    entry: Any
    exit: Any
    shape: tuple[int | str | None, ...]
    verdict: Verdict


def search(graph: passes.Graph, *, square: bool) -> tuple[tuple[Match, ...], tuple[passes.Finding, ...]]:
    """All matches of a graph, and a finding for every group of RoiAlign nodes. Only types and shapes are written.

    Args:
        square: refuse those whose bins are not as many one way as the other.
    """
    if not next(graph.find(candidate.ROI_ALIGN), None):
        return (), ()
    graphs.annotate(graph)
    flow = graphs.Flow(graph)
    matches: list[Match] = []
    findings: list[passes.Finding] = []
    for group in candidate.groups(graph, flow):
        found, said = _group(graph, flow, group, square)
        matches += found
        findings += said
    return tuple(matches), tuple(findings)


def _group(
    graph: passes.Graph, flow: graphs.Flow, group: Group, square: bool
) -> tuple[list[Match], list[passes.Finding]]:
    matches: list[Match] = []
    refusals: list[tuple[Candidate, Refused]] = []
    left = list(group.nodes)
    for item in candidate.candidates(flow, group):
        if not all(any(node is other for other in left) for node in item.nodes):
            continue
        try:
            matches.append(match(graph, item, square=square))
        except Refused as error:
            refusals.append((item, error))
            continue
        left = [node for node in left if not any(node is other for other in item.nodes)]
    return matches, [*map(_matched, matches), *_refused(group, left, refusals)]


def match(graph: passes.Graph, item: Candidate, *, square: bool) -> Match:
    """Measures one candidate.

    Raises:
        Refused: it is no multi-level extraction.
    """
    low, high = heads.OPSETS
    if not low <= graph.opset <= high:
        why = f"opset must be {low} to {high}, it is {graph.opset}"
        raise Refused(f"{why}: {graphs.opset_remedy(graph.opset, low, high)}")
    pooling = common_pooling(item.nodes, square=square)
    if not item.exits:
        shape = ", ".join(map(str, candidate.result_shape(item.nodes[0])))
        raise Refused(
            f"the levels come together as {item.meeting.shape}, not (K, {shape})", item.meeting.name
        )
    reasons = []
    for result in item.exits:
        try:
            region, entry = _region(graph, item, pooling, result)
            return _match_at(graph, item, _probe(region, entry, pooling), entry)
        except Refused as error:
            reasons.append(error)
    raise reasons[0]


def _match_at(graph: passes.Graph, item: Candidate, probe: Probe, entry: Any) -> Match:
    pooling, result = probe.pooling, probe.region.outputs[0]
    source = rois_source(graph, probe, entry, item.nodes)
    levels = measure(probe)
    verdict = verify(probe, levels.order, levels.finest(), source.image)
    shape = (entry.shape[0], pooling.shapes[0][1], *pooling.bins)
    features = tuple(pooling.features[index] for index in levels.order)
    return Match(item.nodes, features, source, entry, result, shape, verdict)


def _region(graph: passes.Graph, item: Candidate, pooling: Pooling, result: Any) -> tuple[graphs.Region, Any]:
    """The region up to the nearest tensor that may be the RoIs, and that tensor."""
    leak = Refused(
        "the RoIs of the levels have no common source of 4 or 5 columns", item.nodes[0].inputs[1].name
    )
    for entry in item.entries:
        try:
            return graphs.cut(graph, [result], [*pooling.features, entry]), entry
        except graphs.LeakError as error:
            leak = Refused(
                f"the result also depends on {error.tensor.name}, which is neither features nor {entry.name}",
                result.name,
            )
    raise leak


def _probe(region: graphs.Region, entry: Any, pooling: Pooling) -> Probe:
    """The region with the number of columns that it runs with, where its shapes do not say it."""
    rows, columns = (size if isinstance(size, int) and size >= 0 else None for size in entry.shape)
    if rows == 0:
        raise Refused("there are no RoIs", entry.name)
    if columns is not None:
        return Probe(region, pooling, columns, rows)
    five = Probe(region, pooling, 5, rows)
    try:
        five.ask(
            [np.zeros(shape, np.float32) for shape in pooling.shapes], np.zeros((rows or 1, 5), np.float32)
        )
    except Refused:
        return Probe(region, pooling, 4, rows)
    return five


def _matched(item: Match) -> passes.Finding:
    verdict = item.verdict
    named = {name: value for name, value in verdict.attributes.items() if name not in ("at_bound", "clamp")}
    small = "clamped to one" if verdict.attributes["clamp"] else "not clamped"
    return passes.Finding(
        "matched",
        _names(item.nodes),
        f"MultilevelRoiAlign of {len(item.features)} levels: "
        + ", ".join(f"{name}={value}" for name, value in named.items())
        + f"; {verdict.compared} RoIs differ by at most {verdict.worst:.2g} of the largest value; "
        f"RoIs below one feature pixel (and unused slots) are {small}",
        item.exit.name,
    )


def _refused(
    group: Group, left: Sequence[Any], refusals: Sequence[tuple[Candidate, Refused]]
) -> list[passes.Finding]:
    """One finding for the largest candidate of what is left, and one for nodes that are in none."""
    findings = []
    for item, error in refusals:
        if all(any(node is other for other in left) for node in item.nodes):
            findings.append(passes.Finding("refused", _names(item.nodes), error.why, error.tensor))
            left = [node for node in left if not any(node is other for other in item.nodes)]
    for node in left:
        why = "no other RoiAlign pools the same RoIs into the same tensor: there is one level only"
        findings.append(passes.Finding("refused", name_of(node), why, node.outputs[0].name))
    return findings


def _names(nodes: Sequence[Any]) -> str:
    return ", ".join(map(name_of, nodes))
