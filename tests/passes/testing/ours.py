"""What our passes are for: the graphs that mini's pipeline hands to each, and others where that has none for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from convertkit.api.testing import Sample, parse
from convertkit.conversion.samples import sample_inputs
from convertkit.graph.io import load
from convertkit.passes.base import Pass
from convertkit.passes.options import build, parse_step
from convertkit.passes.pipeline import Pipeline
from convertkit.passes.stages import stages
from convertkit.plugins.loading import open_plugins
from convertkit.plugins.packages import open_package
from tests.conftest import MASKRCNN
from tests.passes.heads import test_absorb_score_filters as levels

OPEN = "(float[N,3] x) => (float[N,3] y) { y = Relu (x) }"
RENAMED = "its whole work is to change them"
ONCE = "it does again what it is told to, on names that are gone"


@dataclass(frozen=True)
class Given:
    """How a pass is put through the kit: with which options, on what, which rules it need not keep, what it needs."""

    options: str = ""
    graphs: tuple[Sample, ...] = ()
    exempt: dict[str, str] = field(default_factory=dict)
    needs: str = ""


def _levels() -> Sample:
    form = levels.Levels()
    return Sample("two levels", levels.model(form), (levels.inputs(form, 0, 1), levels.inputs(form, 1, 0.5)))


GIVEN = {
    "absorb-score-filters": Given(graphs=(_levels(),)),
    "cast-int64-to-int32": Given(exempt={"interface": "outputs that hold int64 are cast as well"}),
    "clip-to-picture": Given(exempt={"interface": "the size of the picture becomes an input"}),
    "cut-loops": Given(exempt={"interface": "what a loop reads becomes an output"}),
    "freeze-defaults": Given(exempt={"interface": "inputs with a default are no inputs any more"}),
    "limit-detections": Given("{count=50}"),
    "onnxoptimizer": Given(
        needs="onnxoptimizer", exempt={"idempotent": "what it calls a fixed point is none: a Cast goes later"}
    ),
    "onnxslim": Given(needs="onnxslim"),
    "rename-io": Given(
        "{names={x: data}}",
        exempt={"interface": RENAMED, "idempotent": ONCE},
    ),
    "set-input-shape": Given('{shapes=["x:4,3"]}', (Sample("open", parse(OPEN)),)),
    "simplify": Given(exempt={"idempotent": "onnxsim leaves an Expand of mini that it folds the next time"}),
    "set-opset-window": Given("{max=21}", exempt={"does-something": "it only refuses"}),
}


def step_of(name: str) -> Pass:
    """The pass with the options that it is tried with."""
    cls = open_plugins().passes.get(name)
    return build(cls, parse_step(name + GIVEN.get(name, Given()).options)[1])


@cache
def _stages() -> dict[str, Sample]:
    """By pass: the first graph of mini's way to the chip that it changes, and the photos."""
    plugins = open_plugins()
    package = open_package(MASKRCNN, plugins)
    variant = package.variant("mini")
    steps = (*package.spec.pipeline, "prune-mask-head", *plugins.targets.get("ascend310p3").pipeline)
    photos = tuple(sample_inputs(package, variant)[:1])
    model = load(MASKRCNN / "mini" / "mini.onnx")
    found: dict[str, Sample] = {}
    for stage in stages(Pipeline.parse(steps, plugins.passes).steps, model):
        if stage.changed:
            found.setdefault(stage.step.name, Sample(f"mini, before {stage.step.name}", stage.before, photos))
    both = found["center-nms-boxes"]  # it has both heads, as our own operators
    return {**found, **dict.fromkeys(("lower-heads", "limit-proposals", "limit-detections"), both)}


def graphs_for(name: str) -> Iterator[Sample]:
    """Graphs that a pass is for."""
    yield from GIVEN.get(name, Given()).graphs
    if name in _stages():
        yield _stages()[name]
