"""Every pass is checked: the graph must be valid, and its outputs must hold to the pass's declared effect.

The graph is run before and after on sample inputs, node by node as written (without onnxruntime's optimiser), so
that equal mathematics gives equal bits. An ``exact`` pass must give the same values; a ``rounding`` pass values
within :data:`TOLERANCE`, where detections are matched as sets because their order may change; for a ``semantic``
pass the difference is only measured - what it does to accuracy is the ladder's business.
"""

from __future__ import annotations

import time
import types
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from convertkit.detection.batch import apart
from convertkit.detection.compare import Comparison, Tolerance, compare_detections
from convertkit.detection.roles import ROWS, SETS, Meaning, Roles, as_sets
from convertkit.errors import ConvertkitError, GivenGraphError, GraphError, PassError
from convertkit.graph.light import default_inputs
from convertkit.graph.session import Arrays
from convertkit.graph.validate import validate
from convertkit.passes.differences import as_many, changes, difference, first_rows, furthest, leaves, tells
from convertkit.passes.history import CheckRecord
from convertkit.passes.probing import Probed, probe
from convertkit.passes.resolution import resolutions
from convertkit.passes.running import Opener, Outputs, Run
from convertkit.passes.shared_runs import SharedRuns

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel
    from convertkit.passes.base import Pass

TOLERANCE = 1e-4
"""Largest difference a ``rounding`` pass may make, relative to the largest value of the output (float32 has 1e-7)."""

DETECTIONS = Tolerance(box_px=0.05, score=1e-4, mask=1e-3)
"""The same for detections: pixels of the network input, score, mask probability.

A mask is predicted for a box, so it moves with the box: a mask of a box that moves by 1/512 pixel differs by 1e-3.
"""

Array = NDArray[Any]


class Checker:
    """Judges passes on sample inputs; remembers the outputs of the last graph it saw.

    Args:
        samples: graph inputs by name, in graph order; may be empty (then only the structure is checked).
        roles: what each output means, in graph order; without roles outputs are compared element by element.
        opener: how a graph is made ready to be run; by default onnxruntime runs what graphs have in common once.
        pictures: how many a sample holds; detections are matched within each.
        probes: whether passes are tried at the bounds of what they assume, too.
    """

    def __init__(
        self,
        samples: Sequence[Arrays],
        roles: Roles | None = None,
        opener: Opener | None = None,
        *,
        pictures: int = 1,
        probes: bool = True,
    ):
        self._samples = tuple(samples)
        self._roles = {name: Meaning.of(told) for name, told in (roles or {}).items()}
        self._opener, self._pictures, self._probes = opener or SharedRuns(), pictures, probes
        self._added: dict[str, Array] = {}
        self._last: tuple[str, list[Outputs]] | None = None
        self._steps: list[float] = []

    @property
    def input_bytes(self) -> int:
        """Of the largest sample."""
        return max((sum(value.nbytes for value in one.values()) for one in self._samples), default=0)

    def timed(self, step: Pass, before: LightModel, after: LightModel, *, changed: bool) -> CheckRecord:
        """As :meth:`check`, with the seconds that it took."""
        start = time.perf_counter()
        found = self.check(step, before, after, changed=changed)
        return msgspec.structs.replace(found, seconds=time.perf_counter() - start)

    def check(self, step: Pass, before: LightModel, after: LightModel, *, changed: bool) -> CheckRecord:
        """Checks one step.

        Raises:
            PassError: the graph is invalid, cannot be run, or its outputs leave the tolerance of the effect.
        """
        if not changed:
            return CheckRecord(True, detail="unchanged")
        _require_defaults(step, before, after)
        try:
            validate(after)
            if not self._samples:
                return CheckRecord.blind("no sample inputs")
            old, new = self._both(step, before, after)
        except PassError:
            raise
        except ConvertkitError as error:
            kind, did = (PassError, "left") if self._holds(before) else (GivenGraphError, "was given")
            raise kind(f"it {did} a graph that does not hold: {error.message}", hint=error.hint) from error
        self._steps = resolutions(before) if step.effect == "rounding" else []
        found = [self._compare(step, a, b) for a, b in zip(old, new, strict=True)]
        worst = max(found, key=lambda one: one.error)
        unseen = [name for name in found[0].names if not any(name in one.seen for one in found)]
        if len(unseen) == len(found[0].names):
            return CheckRecord.blind(f"no sample has a value of {', '.join(unseen) or 'any output'}")
        unchecked = f"no sample has a value of {', '.join(unseen)}" if unseen else ""
        probed = self._probe(step, before, after)
        detail = worst.detail + probed.text + (f"; not checked: {unchecked}" if unseen else "")
        return CheckRecord(True, len(self._samples), worst.error, detail, unchecked, probed.run)

    def _probe(self, step: Pass, before: LightModel, after: LightModel) -> Probed:
        """The inputs that the pass itself wants to be tried on."""
        if not self._probes:
            return Probed()
        sample = {**self._samples[0], **self._missing(self._samples[0])}

        def differs(old: Outputs, new: Outputs) -> None:
            self._compare(step, old, new)

        return probe(step, before, after, sample, self._opener, differs)

    def _holds(self, model: LightModel) -> bool:
        try:
            validate(model)
            if self._samples:
                self._outputs(model)
        except ConvertkitError:
            return False
        return True

    def _both(self, step: Pass, before: LightModel, after: LightModel) -> tuple[list[Outputs], list[Outputs]]:
        """The outputs before and after a pass; both graphs are open before one runs: it keeps what both have."""
        ready = None if self._knows(before) else self._opener(before)
        ready_after = self._opener(after)
        old = self._outputs(before, ready)
        self._added.update(step.added_inputs(after))
        return old, self._completed(step, before, after, self._outputs(after, ready_after))

    def _knows(self, model: LightModel) -> bool:
        return self._last is not None and self._last[0] == model.digest()

    def _outputs(self, model: LightModel, ready: Run | None = None) -> list[Outputs]:
        if self._last is None or not self._knows(model):
            run = ready or self._opener(model)
            found = [run({**sample, **self._missing(sample)}) for sample in self._samples]
            self._last = (model.digest(), found)
        return self._last[1]

    def _completed(
        self, step: Pass, before: LightModel, after: LightModel, new: list[Outputs]
    ) -> list[Outputs]:
        """The outputs after a pass, those that it leaves to others made of them."""
        rest = step.rest(before, after)
        if rest is None:
            return new
        run = self._opener(rest)
        given, made, wanted = (
            [value.name for value in item.proto.graph.output] for item in (after, rest, before)
        )
        known = [dict(zip(given, outputs, strict=True)) for outputs in new]
        known = [{**item, **dict(zip(made, run(item), strict=True))} for item in known]
        return [tuple(item[name] for name in wanted) for item in known]

    def _missing(self, sample: Arrays) -> Arrays:
        return {name: value for name, value in self._added.items() if name not in sample}

    def _compare(self, step: Pass, old: Outputs, new: Outputs) -> _Compared:
        if len(old) != len(new):
            raise PassError(f"it changed the number of outputs from {len(old)} to {len(new)}")
        named = len(self._roles) == len(old)
        names = tuple(self._roles) if named else tuple(f"output {i}" for i in range(len(old)))
        outputs = list(zip(names, old, new, strict=True))
        detects = named and any(one.role in ROWS for one in self._roles.values())
        if step.effect == "rounding" and detects:
            return self._compare_sets(step, outputs)
        found = _compare_values(step, names, outputs, dict(zip(names, self._steps, strict=False)))
        if not (step.effect == "semantic" and detects and found.error):
            return found
        try:  # slots that have changed places say nothing
            error, detail = changes(self._matched(outputs, Tolerance()))
        except GraphError:
            return found
        rest = _compare_values(step, names, [one for one in outputs if self._roles[one[0]].role not in SETS])
        detail += f"; {rest.detail}" if rest.error else ""
        return replace(found, error=max(error, rest.error), detail=detail)

    def _matched(self, outputs: Sequence[tuple[str, Array, Array]], tolerance: Tolerance) -> list[Comparison]:
        """Detections as sets, picture by picture.

        Raises:
            GraphError: the outputs are no detections.
        """
        sets = {name: one for name, one in self._roles.items() if one.role in SETS}
        found = [(name, old, new) for name, old, new in outputs if name in sets]
        runs = {name: old for name, old, _ in found}, {name: new for name, _, new in found}
        before, after = ([as_sets(one, sets) for one in apart(run, self._pictures)] for run in runs)
        return [compare_detections(*pair, tolerance) for pair in zip(before, after, strict=True)]

    def _compare_sets(self, step: Pass, outputs: Sequence[tuple[str, Array, Array]]) -> _Compared:
        """Detections as sets; whatever is no detection, element by element."""
        try:
            results = self._matched(outputs, DETECTIONS)
        except GraphError as error:
            raise PassError(f"its outputs are no detections: {error.message}") from error
        sets = {name for name, one in self._roles.items() if one.role in SETS}
        if wrong := next((one for one in results if not one.ok), None):
            raise PassError(f"it declares effect rounding but the detections differ: {wrong.summary}")
        worst = max(results, key=furthest)
        rest = _compare_values(
            step, tuple(self._roles), [output for output in outputs if output[0] not in sets]
        )
        seen = sets if any(one.matched for one in results) else set()
        return _Compared(max(furthest(worst), rest.error), worst.summary, rest.names, rest.seen | seen)


@dataclass(frozen=True)
class _Compared:
    """One sample: the largest error, one line, the outputs, and those of which there was something to compare."""

    error: float
    detail: str
    names: tuple[str, ...]
    seen: Set[str]


def _require_defaults(step: Pass, before: LightModel, after: LightModel) -> None:
    """What a caller may override has to stay so; samples leave such inputs out, and so cannot tell."""
    old, new = default_inputs(before.proto), default_inputs(after.proto)
    if step.effect != "semantic" and len(new) < len(old):
        lost = next(name for name in old if name not in new)
        raise PassError(
            f"it declares effect {step.effect} but input {lost!r}, which has a default, can no longer be given"
        )


def _compare_values(
    step: Pass,
    names: tuple[str, ...],
    outputs: Iterable[tuple[str, Array, Array]],
    steps: Mapping[str, float] = types.MappingProxyType({}),
) -> _Compared:
    """The largest difference of any output, held against the limit of the pass's effect."""
    pairs = [(name, *pair) for name, old, new in outputs for pair in leaves(name, old, new)]
    if step.pads():
        pairs = [(name, old, first_rows(name, old, new)) for name, old, new in pairs]
    if step.shortens():
        pairs = [(name, as_many(old, new), new) for name, old, new in pairs]
    gaps = (difference(name, a, b, steps.get(name, 0.0)) for name, a, b in pairs)
    relative, absolute, name = max(gaps, default=(0.0, 0.0, ""))
    limit = {"exact": 0.0, "rounding": TOLERANCE, "semantic": np.inf}[step.effect]
    if relative > limit:
        by = f" by up to {absolute:.3g}" if np.isfinite(absolute) else ""
        raise PassError(
            f"it declares effect {step.effect} but {name} changes{by} "
            f"({relative:.3g} of its largest value; allowed {limit:g})"
        )
    by = f"differs by at most {absolute:.3g}" if np.isfinite(absolute) else "differs where it is no number"
    detail = f"{name} {by}" if absolute else "bit for bit equal"
    seen = {name for name, a, _ in pairs if tells(a, steps.get(name, 0.0))}
    return _Compared(absolute, detail, names, seen)
