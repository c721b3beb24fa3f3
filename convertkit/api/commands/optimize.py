"""Passes over any ONNX graph, without a model package."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from convertkit.api.commands.asking import Sizes, Words, open_all, sizing, split
from convertkit.api.commands.explain import Explained, Plan, Questions, outlook
from convertkit.api.commands.pages import Block, Shown
from convertkit.api.commands.passes import table_of, unchecked_line, written
from convertkit.api.commands.places import Place
from convertkit.conversion.events import Report, Said, StepFinished, silent
from convertkit.errors import GraphError, UsageError
from convertkit.graph.io import load_foreign, save
from convertkit.graph.light import LightModel, attach
from convertkit.graph.random_inputs import HINT, Sample, random_sample
from convertkit.graph.session import Arrays
from convertkit.passes.history import PassRecord, unchecked
from convertkit.passes.pipeline import Pipeline

if TYPE_CHECKING:
    import onnx

    from convertkit.passes.base import Pass
    from convertkit.plugins.loading import Plugins

Samples: TypeAlias = Place | Arrays | Sequence[Arrays]
"""Inputs by name: an ``.npz`` file, arrays, or several of such."""


class Optimized(Shown, Struct, frozen=True, dict=True):
    """``guessed``: sizes drawn for what the graph leaves open."""

    output: str | None
    files: tuple[Path, ...]
    guessed: dict[str, int]
    unchecked: dict[str, str]
    passes: tuple[PassRecord, ...]

    @property
    def model(self) -> onnx.ModelProto:
        """The graph after all passes, as ``output`` has it; not in JSON."""
        return attach(self.__dict__["graph"])

    def page(self) -> Iterator[Block]:
        yield from table_of(self.passes)
        yield from self.summary()

    def summary(self) -> Iterator[str]:
        """What was not checked, and what was written."""
        if line := unchecked_line(self.passes):
            yield line
        if self.files:
            yield written(self.files, self.passes[-1].nodes_after)
        else:
            yield "nothing written (give --output FILE.onnx to keep the result)"


@dataclass(frozen=True)
class Optimizer:
    """Passes in order, to be run over any number of graphs."""

    pipeline: Pipeline
    plugins: Plugins

    @classmethod
    def of(
        cls, passes: Words, input_shape: Sizes | None, done: Words, plugin: Sequence[Place], *, required: bool
    ) -> Optimizer:
        """Raises ConvertkitError: there is no pass though one is ``required``, or one is not known or in no order."""
        plugins = open_all(plugin)
        return cls(pipeline_of(passes, done, plugins, sizing(input_shape), required=required), plugins)

    def run(
        self,
        graph: Place | onnx.ModelProto,
        output: Place | None = None,
        *,
        check: bool = True,
        samples: Samples | None = None,
        seed: int = 0,
        report: Report = silent,
    ) -> Optimized:
        """As :func:`optimize`."""
        from convertkit.passes.check import Checker
        from convertkit.passes.roles import named_roles

        model, back = load_foreign(graph)
        drawn = _samples(model, self.pipeline.steps, samples, seed, report) if check else []
        arrays = [each.arrays for each in drawn]
        done, count = list[PassRecord](), len(self.pipeline.steps)

        def observe(record: PassRecord) -> None:
            done.append(record)
            report(StepFinished("pass", record.name, len(done), count, False, record))

        model, records = self.pipeline.run(
            model, checker=Checker(arrays, named_roles(model)) if check else None, observe=observe
        )
        made = back(model)
        found = Optimized(
            None if output is None else str(output),
            () if output is None else save(made, Path(output)),
            {name: size for each in drawn for name, size in each.sizes.items()},
            unchecked(records),
            records,
        )
        found.__dict__["graph"] = made
        return found

    def questions(self, texts: Sequence[str]) -> Questions:
        """Raises UsageError: a pass has no ``explain``."""
        return Questions(texts, self.pipeline, self.plugins)

    def explain(self, graph: Place | onnx.ModelProto, questions: Questions) -> Explained:
        """What passes find where; nothing is written."""
        return questions.answers(self._graphs(graph))

    def plan(self, graph: Place | onnx.ModelProto) -> Plan:
        """What passes would do; nothing is written."""
        return outlook(self.pipeline, self._graphs(graph))

    def _graphs(self, graph: Place | onnx.ModelProto) -> Iterator[LightModel]:
        from convertkit.passes.stages import graphs, stages

        model, _ = load_foreign(graph)
        return graphs(model, stages(self.pipeline.steps, model))


def optimize(
    graph: Place | onnx.ModelProto,
    passes: Words = "",
    *,
    input_shape: Sizes | None = None,
    output: Place | None = None,
    check: bool = True,
    samples: Samples | None = None,
    seed: int = 0,
    done: Words = "",
    plugin: Sequence[Place] = (),
    report: Report = silent,
) -> Optimized:
    """Runs passes over a graph, which stays as it is; the new one is the record's ``model``.

    Args:
        graph: an ONNX file, or the model in memory.
        passes: in order, like ``"simplify,cast-int64-to-int32"``.
        samples: inputs on which the graph is run before and after each pass (``--inputs``); default: random ones. The
            others are the options of ``convertkit opt``.
        report: told of every pass as it ends.

    Raises:
        PassError: a pass failed, or did not hold to its effect. ConvertkitError: what was asked cannot be done.
    """
    optimizer = Optimizer.of(passes, input_shape, done, plugin, required=True)
    return optimizer.run(graph, output, check=check, samples=samples, seed=seed, report=report)


def pipeline_of(
    passes: Words, done: Words, plugins: Plugins, sizing: tuple[str, ...] = (), *, required: bool = True
) -> Pipeline:
    """The pipeline of ``--passes`` behind that of ``--input-shape``; those of ``--done`` count for its order only."""
    earlier = split(done)
    everything = Pipeline.parse([*earlier, *sizing, *split(passes)], plugins.passes)
    pipeline = Pipeline(everything.steps[len(earlier) :])
    if required and not pipeline.steps:
        raise UsageError("--passes is empty", hint="convertkit list passes shows what there is")
    return pipeline


def _samples(
    model: LightModel, steps: tuple[Pass, ...], samples: Samples | None, seed: int, report: Report
) -> list[Sample]:
    each = samples if isinstance(samples, Sequence) and not isinstance(samples, str) else [samples]
    return [sample_of(model, steps, one, seed, report) for one in each]


def sample_of(
    model: LightModel,
    steps: tuple[Pass, ...],
    given: Place | Arrays | None,
    seed: int,
    report: Report = silent,
) -> Sample:
    """Inputs that were given, on which the graph has to run, else random ones; tells which sizes were guessed.

    They have the sizes that passes set.
    """
    from convertkit.graph.domains import lowered
    from convertkit.graph.npz import read_arrays
    from convertkit.graph.pinning import with_sizes
    from convertkit.graph.session import open_session

    told = [shapes for step in steps if (shapes := step.input_shapes())]
    for shapes in told:
        model = with_sizes(model, shapes)
    if given is None:
        sample = random_sample(model, seed)
    else:
        sample = Sample(read_arrays(Path(given)) if isinstance(given, str | Path) else dict(given), {})
    if sample.guessed:
        report(Said(f"open sizes were guessed: {sample.guessed} (--inputs FILE.npz gives real inputs)"))
    try:
        if told or given is not None:
            open_session(lowered(model), optimize=False).run(sample.arrays)
    except GraphError as error:
        file = str(given) if isinstance(given, str | Path) else "samples"
        what = "the graph does not run at these sizes" if given is None else file
        hint = HINT if given is None else f"the file has {', '.join(sample.arrays) or 'nothing'}"
        raise UsageError(f"{what}: {error.message}", hint=hint) from error
    return sample
