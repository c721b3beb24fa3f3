"""The page of a build: what each pass did and how it was checked, what preflight says, and the chain of hashes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from convertkit.conversion.compiled import state_of
from convertkit.conversion.events import Report, fresh_only, silent
from convertkit.conversion.stages import stored_stages
from convertkit.errors import ConvertkitError
from convertkit.passes.history import PassRecord, unchecked
from convertkit.reports.page.blocks import Bars, Block, Cell, Fold, Log, Page, Section, Table, Words
from convertkit.reports.page.rewritten import rewritten
from convertkit.storage.files import megabytes
from convertkit.storage.reading import read_file

if TYPE_CHECKING:
    from convertkit.conversion.engine import BuildResult
    from convertkit.conversion.manifest import Manifest, StepEntry
    from convertkit.conversion.request import BuildRequest

PREFLIGHT, LOG = "preflight.json", "log.txt"
"""What an artifact of a target with a compiler may hold: findings before it ran, and its own words."""
LINES = 200
"""Of a log that are shown, the last."""
STATES = {
    "whole": Cell("built", "good"),
    "by hand": Cell("built; compiled by hand", "unsure"),
    "awaiting": Cell("built; awaiting its compiler", "unsure"),
}


def build_page(made: Sequence[tuple[BuildResult, BuildRequest]], *, report: Report = silent) -> Page:
    """Of one build, or of a variant's profiles together. Graphs between passes come from the store.

    Raises:
        ConvertkitError: a graph is no longer in the store and cannot be made again.
    """
    (result, request), several = made[0], len(made) > 1
    manifest = result.manifest
    sections = [
        replace(section, id=f"{section.id}-{number}", title=f"{section.title}, {request.profile}")
        if several
        else section
        for number, (result, request) in enumerate(made)
        for section in _sections(result, request, report)
    ]
    facts = (
        ("Model", f"{manifest.model} {manifest.variant}"),
        ("Target", manifest.target),
        ("Input", ", ".join(f"{height} x {width}" for height, width in (r.manifest.size for r, _ in made))),
        ("convertkit", manifest.convertkit),
        (
            "Passes",
            f"{len(result.records)}, {sum(record.changed for record in result.records)} with an effect",
        ),
        ("Files", ", ".join(f"{name} {megabytes(entry.bytes)}" for name, entry in manifest.files.items())),
    )
    return Page(
        f"Build of {manifest.model} {manifest.variant} for {manifest.target}",
        _verdict(result, request),
        facts,
        tuple(sections),
    )


def _verdict(result: BuildResult, request: BuildRequest) -> Cell:
    state = STATES[state_of(request.target, result.directory)]
    if blind := unchecked(result.records):
        return Cell(f"{state.text}; {len(blind)} of {len(result.records)} passes not checked", "unsure")
    return Cell(f"{state.text}; every pass that changed the graph was checked", state.tone)


def _sections(result: BuildResult, request: BuildRequest, report: Report) -> Iterator[Section]:
    records = result.records
    yield Section("pipeline", "Pipeline", (_nodes(records, result.manifest), _passes(records)))
    yield Section("graphs", "What each pass did to the graph", tuple(_folds(request, records, report)))
    yield Section("preflight", "Preflight", tuple(_preflight(result.directory)))
    yield Section("log", "Log", tuple(_log(result, request)))
    yield Section("provenance", "Provenance", tuple(chain(result.manifest)))


def _nodes(records: Sequence[PassRecord], manifest: Manifest) -> Block:
    if not records:
        return Words("No pass ran: the stock graph is what was built.")
    first, last = records[0].nodes_before, records[-1].nodes_after
    names = ("stock graph", *(record.name for record in records))
    values = (first, *(record.nodes_after for record in records))
    said = f"{first} nodes in the stock graph, {last} after {len(records)} passes; the table has each step"
    return Bars("Nodes after each step", said, names, tuple(map(float, values)), "nodes")


def _passes(records: Sequence[PassRecord]) -> Table:
    columns = ("#", "Pass", "Effect", "Nodes", "Check", "What was compared", "Samples", "Probes", "Time")
    rows = tuple(
        (
            f"{number}",
            record.text,
            record.effect,
            f"{record.nodes_before} → {record.nodes_after}" if record.changed else f"{record.nodes_after}",
            _checked(record),
            "; ".join(filter(None, [_compared(record), record.missed, *record.remarks])),
            f"{record.check.samples}" if record.check and record.check.samples else "-",
            f"{record.check.probes}" if record.check and record.check.probes else "-",
            f"{record.seconds:.1f} s",
        )
        for number, record in enumerate(records, 1)
    )
    return Table(
        "Passes in their order; the time is that of the pass, when it ran",
        columns,
        rows,
        frozenset({0, 3, 6, 7, 8}),
    )


def _checked(record: PassRecord) -> Cell:
    if not record.changed:
        return Cell("unchanged")
    if record.unchecked:
        return Cell("not checked" if not (record.check and record.check.samples) else "in part", "unsure")
    return Cell("measured" if record.effect == "semantic" else "passed", "good")


def _compared(record: PassRecord) -> str:
    return record.check.detail if record.check else record.unchecked


def _folds(request: BuildRequest, records: Sequence[PassRecord], report: Report) -> Iterator[Block]:
    changed = False
    _, stages = stored_stages(request, report=fresh_only(report))
    for number, (record, stage) in enumerate(zip(records, stages, strict=False), 1):
        if stage.after is None:
            raise stage.failure or ConvertkitError(f"pass {record.name} left no graph")
        if stage.changed:
            changed = True
            title = f"{number}. {record.name}: {record.nodes_before} → {record.nodes_after} nodes"
            yield Fold(title, rewritten(stage.before, stage.after))
    if not changed:
        yield Words("No pass changed the graph.")


def _preflight(directory: Path) -> Iterator[Block]:
    path = directory / PREFLIGHT
    if not path.is_file():
        yield Words("This target examines no file before its compiler reads it.")
        return
    found: dict[str, Any] = msgspec.json.decode(read_file(path))
    errors, warnings = int(found.get("errors", 0)), int(found.get("warnings", 0))
    tone: Any = "bad" if errors else "unsure" if warnings else "good"
    yield Words(f"{errors} errors, {warnings} warnings in {found.get('file', 'the file')}", tone)
    if rows := _grouped(found.get("findings", ())):
        columns = ("Findings", "Severity", "Rule", "Operator", "Why", "What to do", "First node")
        yield Table("Findings, those of one rule and operator together", columns, rows, frozenset({0}))
    yield from (Words(f"Rests on {line}") for line in found.get("basis", ()))
    if allowed := found.get("allowed"):
        yield Words(f"Set aside by --allow: {len(allowed)}")


def _grouped(findings: Sequence[dict[str, Any]]) -> tuple[tuple[Cell | str, ...], ...]:
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for item in findings:
        groups[str(item.get("severity")), str(item.get("rule")), str(item.get("op", ""))].append(item)
    return tuple(
        (
            f"{len(group)}",
            Cell(severity, "bad" if severity == "error" else "unsure"),
            rule,
            op or "-",
            *(str(group[0].get(key) or "-") for key in ("why", "fix", "node")),
        )
        for (severity, rule, op), group in groups.items()
    )


def _log(result: BuildResult, request: BuildRequest) -> Iterator[Block]:
    remarks = request.target.remarks(result.directory)
    path = result.directory / LOG
    if remarks:
        yield Log("What the target says of the artifact", tuple(remarks))
    if path.is_file():
        lines = read_file(path).decode(errors="replace").splitlines()
        counts = {word: sum(word in line for line in lines) for word in ("ERROR", "WARNING")}
        yield Words(", ".join(f"{count} lines with {word}" for word, count in counts.items()))
        yield Fold(f"{LOG}, the last {LINES} of {len(lines)} lines", (Log(LOG, tuple(lines[-LINES:])),))
    elif not remarks:
        yield Words("The target has nothing to say, and no compiler ran that keeps a log.")


def _named(step: StepEntry) -> str:
    return str(step.facts.get("pass") or step.facts.get("target") or "the framework's export")


def chain(manifest: Manifest) -> Iterator[Block]:
    """Each step's key covers what it depends on and the step before; the result is what it left."""
    yield Words(f"Digest of the manifest: {manifest.digest}")
    steps = tuple(
        (f"{number}", step.kind, _named(step), step.key, step.result)
        for number, step in enumerate(manifest.steps)
    )
    yield Table("The chain", ("#", "Step", "Name", "Key", "Result"), steps, frozenset({0}))
    files = tuple((name, megabytes(entry.bytes), entry.sha256) for name, entry in manifest.files.items())
    yield Table("Files", ("File", "Size", "sha256"), files, frozenset({1}))
