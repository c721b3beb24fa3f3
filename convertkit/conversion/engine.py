"""The build: stock graph, passes, compiler; every step found in the store or made, then the artifact laid out."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from convertkit.conversion.compiled import check_by_hand, settled_key, with_compiled
from convertkit.conversion.events import Note, Report, StepFinished, StepStarted, noted, silent
from convertkit.conversion.layout import is_current, lay_out, refuse_no_directory, settle
from convertkit.conversion.manifest import FORMAT, FileEntry, Manifest, StepEntry
from convertkit.conversion.origins import origins
from convertkit.conversion.planning import Step, StepRecord, StockRecord, is_as_asked, plan, summary_of
from convertkit.conversion.precision_plan import doubts
from convertkit.conversion.request import BuildRequest
from convertkit.conversion.standalone import entries, has_sample, sample_files
from convertkit.conversion.stock import is_sized, make_stock
from convertkit.conversion.store import Entry, Store
from convertkit.errors import StoreError
from convertkit.passes.explain import missed
from convertkit.passes.history import CheckRecord, PassRecord
from convertkit.passes.pipeline import Pipeline, naming, run_step
from convertkit.passes.state import GraphState
from convertkit.storage.files import canonical_json, sha256_bytes

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel


@dataclass(frozen=True)
class BuildResult:
    """An artifact on disk.

    Attributes:
        directory: where it lies.
        manifest: what it is made of.
        records: one per pass, in order (from the store where the pass did not have to run).
        fresh: whether anything was made; False if all of it was there already.
    """

    directory: Path
    manifest: Manifest
    records: tuple[PassRecord, ...]
    fresh: bool


def build(
    request: BuildRequest, output: Path, *, store: Store | None = None, report: Report = silent
) -> BuildResult:
    """Builds into ``output`` whatever is not there yet.

    Raises:
        ConvertkitError: of whichever step failed; steps finished before it stay in the store.
    """
    store = store or Store(notice=noted(report))
    steps = plan(request)
    refuse_no_directory(output)
    settle(output)
    current = is_current(output, settled_key(request, output, steps[-1].facts, steps[-2].key))
    beside = sample_files(request)
    if current is not None and is_as_asked(current, request, steps) and has_sample(current, beside):
        result = BuildResult(output, current, _known_records(store, steps, current), fresh=False)
    else:
        if current is None:
            check_by_hand(request.target, output)
        result = _Run(request, steps, store, report).to(output, beside)
    for line in doubts(request.plan, result.manifest.target_graph):
        report(Note(line))
    return result


def stock_graph(request: BuildRequest, *, store: Store | None = None, report: Report = silent) -> LightModel:
    """Only the first step: the framework's own export, from the store or made now."""
    run = _Run(request, plan(request), store or Store(notice=noted(report)), report)
    return run.stock()


def graph_after(request: BuildRequest, passes: int, *, report: Report = silent) -> LightModel:
    """The graph after the first ``passes`` passes, from the store or made now; 0 gives the stock graph."""
    shorter = replace(request, pipeline=Pipeline(request.pipeline.steps[:passes]))
    run = _Run(shorter, plan(shorter), Store(notice=noted(report)), report)
    return run.graph()


class _Run:
    """One build under way."""

    def __init__(self, request: BuildRequest, steps: tuple[Step, ...], store: Store, report: Report) -> None:
        self.request, self.steps, self.store, self.report = request, steps, store, report
        self.records: list[PassRecord] = []
        self.created: list[tuple[str, tuple[str, ...]]] = []
        self.entries: list[StepEntry] = []

    def to(self, output: Path, beside: Mapping[str, bytes]) -> BuildResult:
        compiled = self._compile(self.graph())
        files = compiled.files()
        sizes = {name: (compiled.directory / name).stat().st_size for name in files}
        table = {name: FileEntry(digest, sizes[name]) for name, digest in files.items()} | entries(beside)
        manifest = with_compiled(self.request, output, self._manifest(dict(sorted(table.items()))))
        lay_out(output, compiled.directory, manifest, beside)
        self.store.bound()
        return BuildResult(output, manifest, tuple(self.records), fresh=True)

    def stock(self) -> LightModel:
        step = self.steps[0]
        with self.store.lock(step.key, self._waiting):
            entry = self.store.find(step.key)
            model = self.store.load(entry) if entry else None
            if model is not None and entry is not None and is_sized(model, self.request):
                self._note_stock(msgspec.json.decode(entry.record(), type=StockRecord))
                self._finished(0, cached=True)
                return model
            self._started(0)
            model, sized = make_stock(self.request, self.report)
            known = StockRecord(model.digest(), len(model.proto.graph.node), sized)
            self.store.put(step.key, model, known)
            self._note_stock(known)
        self._finished(0, cached=False)
        return model

    def graph(self) -> LightModel:
        """The graph after all passes: from the last step that the store has, through the passes after it."""
        start, model = self._resume()
        state = GraphState(model)
        for position in range(start, len(self.request.pipeline.steps)):
            self._started(position + 1)
            with naming(self.request.pipeline.steps, position):
                before, known, check = state.model, self._step(state, position), None
                if self.request.asked.check:
                    check = self._check(position, before, state.model, known.record)
            self.store.put(self.steps[position + 1].key, state.model, known)
            record = self._note_pass(position, known, check)
            self.request.plugins.observe(record)
            self._finished(position + 1, cached=False, record=record)
        return state.model

    def _step(self, state: GraphState, position: int) -> StepRecord:
        """Runs a pass, unless only its check is missing."""
        entry = self.store.find(self.steps[position + 1].key)
        model = self.store.load(entry) if entry else None
        if entry is None or model is None:
            before, step = state.model, self.request.pipeline.steps[position]
            record = run_step(state, step)
            record = msgspec.structs.replace(record, missed=missed(step, before, state.model))
            return StepRecord.of(before, state.model, record)
        state.model = model
        return msgspec.json.decode(entry.record(), type=StepRecord)

    def _check(self, position: int, before: LightModel, after: LightModel, record: PassRecord) -> CheckRecord:
        step = self.request.pipeline.steps[position]
        found: CheckRecord = self._checker.timed(step, before, after, changed=record.changed)
        files = [("record.json", msgspec.json.encode(found))]
        self.store.put_files(self.steps[position + 1].check, files)
        return found

    def _resume(self) -> tuple[int, LightModel]:
        """How many passes the store has already, checked if they are to be, and the graph after them."""
        entries = [self.store.find(self.steps[0].key)]
        for step in self.steps[1:-1]:
            done = not step.check or self.store.find(step.check) is not None
            entries.append(self.store.find(step.key) if done and entries[-1] else None)
        known = [entry for entry in entries if entry is not None]
        for position in range(len(known) - 1, 0, -1):
            model = self.store.load(known[position])
            if model is not None:
                self._adopt(known[: position + 1])
                return position, model
        return 0, self.stock()

    def _adopt(self, entries: list[Entry]) -> None:
        self._note_stock(msgspec.json.decode(entries[0].record(), type=StockRecord))
        self._finished(0, cached=True)
        for position, entry in enumerate(entries[1:]):
            known = msgspec.json.decode(entry.record(), type=StepRecord)
            check = _known_check(self.store, self.steps[position + 1].check)
            record = self._note_pass(position, known, check)
            self._finished(position + 1, cached=True, record=record)

    def _compile(self, model: LightModel) -> Entry:
        from convertkit.conversion.compile import compile_model

        position = len(self.steps) - 1
        step = self.steps[position]
        # before the lock: a home that cannot be written may hold all there is
        entry = self.store.find(step.key)
        cached = entry is not None
        if entry is None:
            with self.store.lock(step.key, self._waiting):
                entry = self.store.find(step.key)
                cached = entry is not None
                if entry is None:
                    self._started(position)
                    context = replace(self.request.context, origins=origins(model.proto.graph, self.created))
                    entry = compile_model(
                        self.request.target, context, model, step.key, self.store, self.report
                    )
        if not entry.files():
            raise StoreError(f"{entry.directory}: the compiled artifact has no files")
        self._finished(position, cached=cached)
        digest = sha256_bytes(canonical_json(entry.files()))
        self.entries.append(StepEntry("compile", step.key, step.facts, digest))
        return entry

    @functools.cached_property
    def _checker(self) -> Any:
        from convertkit.conversion.samples import sample_checker

        return sample_checker(self.request.package, self.request.variant)

    def _manifest(self, files: dict[str, FileEntry]) -> Manifest:
        request = self.request
        return Manifest(
            format=FORMAT,
            convertkit=version("convertkit-compiler"),
            model=request.package.spec.name,
            variant=request.variant.name,
            target=request.target.name,
            size=request.variant.spec.size,
            steps=tuple(self.entries),
            files=files,
        ).sealed()

    def _note_stock(self, known: StockRecord) -> None:
        step = self.steps[0]
        self.entries.append(StepEntry("stock", step.key, step.facts, known.digest, known.summary))

    def _note_pass(self, position: int, known: StepRecord, check: CheckRecord | None) -> PassRecord:
        step, record = self.steps[position + 1], msgspec.structs.replace(known.record, check=check)
        self.records.append(record)
        self.created.append((record.name, known.created))
        self.entries.append(
            StepEntry("pass", step.key, step.facts, known.digest, summary_of(record, step.check))
        )
        return record

    def _started(self, position: int) -> None:
        step = self.steps[position]
        self.report(StepStarted(step.kind, step.name, position + 1, len(self.steps)))

    def _finished(self, position: int, *, cached: bool, record: PassRecord | None = None) -> None:
        step = self.steps[position]
        self.report(StepFinished(step.kind, step.name, position + 1, len(self.steps), cached, record))

    def _waiting(self, phrase: str) -> None:
        self.report(Note(f"waiting for another build: {phrase}"))


def _known_records(store: Store, steps: tuple[Step, ...], manifest: Manifest) -> tuple[PassRecord, ...]:
    """Records of passes that are still in the store, with the checks of the artifact."""
    checks = {entry.key: str(entry.summary.get("check", "")) for entry in manifest.steps}
    entries = [entry for step in steps if step.kind == "pass" and (entry := store.find(step.key))]
    records = [msgspec.json.decode(entry.record(), type=StepRecord).record for entry in entries]
    found = [_known_check(store, checks.get(entry.key, "")) for entry in entries]
    return tuple(
        msgspec.structs.replace(record, check=check) for record, check in zip(records, found, strict=True)
    )


def _known_check(store: Store, key: str) -> CheckRecord | None:
    entry = store.find(key) if key else None
    return msgspec.json.decode(entry.record(), type=CheckRecord) if entry else None
