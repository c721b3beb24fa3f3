"""What the checks of a pipeline take where common parts of graphs run once, against running every graph whole.

    python -m bench.checks models/maskrcnn --variant r50-fpn-1x --weights random:0 --target ascend310p3

Both ways in one process, by turns; the records, all but their seconds, have to be equal.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from convertkit.conversion.engine import stock_graph
from convertkit.conversion.request import Asked, BuildRequest, make_request
from convertkit.conversion.samples import roles_of, sample_inputs
from convertkit.graph.light import LightModel
from convertkit.passes.base import Pass
from convertkit.passes.check import Checker
from convertkit.passes.history import CheckRecord, PassRecord
from convertkit.passes.running import Opener, open_on_host
from convertkit.passes.shared_runs import SharedRuns
from convertkit.plugins.loading import open_plugins


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--variant")
    parser.add_argument("--weights")
    parser.add_argument("--target", default="cpu")
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    asked = Asked(given.model, variant=given.variant, weights=given.weights, target=given.target)
    request = make_request(asked, open_plugins())
    model = stock_graph(request)
    pairs = [_round(request, model, first=number % 2) for number in range(given.rounds)]
    for name, of in (("clock", 0), ("processors", 1)):
        shared, whole = (statistics.median(pair[way][of] for pair in pairs) for way in (0, 1))
        ratio = statistics.median(pair[0][of] / pair[1][of] for pair in pairs)
        print(
            f"checks, {name}: {shared:.1f} s shared, {whole:.1f} s whole, ratio {ratio:.2f} (of {len(pairs)})"
        )


def _round(request: BuildRequest, model: LightModel, *, first: int) -> list[tuple[float, float]]:
    """Seconds by the clock and of the processors, shared and whole; ``first``: which of them comes first."""
    openers: list[Opener] = [SharedRuns(), open_on_host]
    order = [0, 1] if first == 0 else [1, 0]
    found = {way: _checked(request, model, openers[way]) for way in order}
    if _said(found[0][2]) != _said(found[1][2]):
        raise SystemExit("the two ways do not say the same")
    return [found[way][:2] for way in (0, 1)]


def _checked(
    request: BuildRequest, model: LightModel, opener: Opener
) -> tuple[float, float, tuple[PassRecord, ...]]:
    samples, pictures = sample_inputs(request.package, request.variant), request.variant.spec.batch
    checker = _Timed(samples, roles_of(request.package), opener, pictures=pictures)
    _, records = request.pipeline.run(model, checker=checker)
    return checker.clock, checker.processors, records


class _Timed(Checker):
    clock = processors = 0.0

    def timed(self, step: Pass, before: LightModel, after: LightModel, *, changed: bool) -> CheckRecord:
        clock, processors = time.perf_counter(), time.process_time()
        found = super().timed(step, before, after, changed=changed)
        self.clock += time.perf_counter() - clock
        self.processors += time.process_time() - processors
        return found


def _said(records: Sequence[PassRecord]) -> list[CheckRecord | None]:
    return [one.check and msgspec.structs.replace(one.check, seconds=0.0) for one in records]


if __name__ == "__main__":
    main()
