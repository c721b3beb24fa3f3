"""``convertkit opt``: passes over any ONNX file, without a model package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convertkit.cli import options as shared
from convertkit.cli.ui import note, print_json, record_line, unchecked_line, written
from convertkit.errors import GraphError, UsageError

if TYPE_CHECKING:
    from convertkit.graph.domains import WayBack
    from convertkit.graph.light import LightModel
    from convertkit.graph.random_inputs import Sample
    from convertkit.passes.base import Pass
    from convertkit.passes.pipeline import Pipeline
    from convertkit.plugins.loading import Plugins


def opt(
    graph: Annotated[Path, typer.Argument(help="ONNX file to read.", metavar="GRAPH")],
    passes: Annotated[
        str, typer.Option("--passes", "-p", help='Passes in order, like "simplify,cast-int64-to-int32".')
    ] = "",
    input_shape: shared.InputShapeOption = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="ONNX file to write.")] = None,
    explain: shared.ExplainOption = None,
    dry_run: shared.DryRunOption = False,
    check: Annotated[
        bool,
        typer.Option("--check/--no-check", help="Run the graph before and after each pass on sample inputs."),
    ] = True,
    inputs: Annotated[
        Path | None, typer.Option("--inputs", help="Sample inputs by name (.npz); default: random ones.")
    ] = None,
    seed: shared.SeedOption = 0,
    done: shared.DoneOption = "",
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Run passes over an ONNX file and write the result."""
    from convertkit.cli.explain import Questions, outlook, print_answers, print_outlook
    from convertkit.graph.io import load_foreign
    from convertkit.passes.stages import graphs, stages

    plugins = shared.open_all(plugin)
    pipeline = pipeline_of(passes, done, plugins, shared.sizing(input_shape), required=not explain)
    _refuse_output(output, explain, dry_run=dry_run)
    if explain:
        questions = Questions(explain, pipeline, plugins.passes)
        model, _ = load_foreign(graph)
        print_answers(questions.answers(graphs(model, stages(pipeline.steps, model))), as_json=as_json)
    elif dry_run:
        model, _ = load_foreign(graph)
        print_outlook(outlook(pipeline, graphs(model, stages(pipeline.steps, model))), as_json=as_json)
    else:
        model, back = load_foreign(graph)
        sample = sample_of(model, pipeline.steps, inputs, seed) if check else None
        _run(model, pipeline, sample, output, back, as_json=as_json)


def pipeline_of(
    passes: str, done: str, plugins: Plugins, sizing: tuple[str, ...] = (), *, required: bool = True
) -> Pipeline:
    """The pipeline of ``--passes`` behind that of ``--input-shape``; those of ``--done`` count for its order only."""
    from convertkit.passes.options import split_steps
    from convertkit.passes.pipeline import Pipeline

    earlier = split_steps(done)
    everything = Pipeline.parse([*earlier, *sizing, *split_steps(passes)], plugins.passes)
    pipeline = Pipeline(everything.steps[len(earlier) :])
    if required and not pipeline.steps:
        raise UsageError("--passes is empty", hint="convertkit list passes shows what there is")
    return pipeline


def sample_of(model: LightModel, steps: tuple[Pass, ...], inputs: Path | None, seed: int) -> Sample:
    """The arrays of ``--inputs``, on which the graph has to run, else random ones; says which sizes were guessed.

    They have the sizes that passes set.
    """
    from convertkit.graph.domains import lowered
    from convertkit.graph.npz import read_arrays
    from convertkit.graph.pinning import with_sizes
    from convertkit.graph.random_inputs import HINT, Sample, random_sample
    from convertkit.graph.session import open_session

    told = [shapes for step in steps if (shapes := step.input_shapes())]
    for shapes in told:
        model = with_sizes(model, shapes)
    sample = random_sample(model, seed) if inputs is None else Sample(read_arrays(inputs), {})
    if sample.guessed:
        note(f"open sizes were guessed: {sample.guessed} (--inputs FILE.npz gives real inputs)")
    try:
        if told or inputs is not None:
            open_session(lowered(model), optimize=False).run(sample.arrays)
    except GraphError as error:
        what = "the graph does not run at these sizes" if inputs is None else str(inputs)
        hint = HINT if inputs is None else f"the file has {', '.join(sample.arrays) or 'nothing'}"
        raise UsageError(f"{what}: {error.message}", hint=hint) from error
    return sample


def _refuse_output(output: Path | None, explain: list[str] | None, *, dry_run: bool) -> None:
    shared.refuse_both("--explain", "--dry-run", explain, dry_run)
    if output is not None and (explain or dry_run):
        option = "--explain" if explain else "--dry-run"
        raise UsageError(f"{option} writes nothing, so --output has no use", hint="leave one of them out")


def _run(
    model: LightModel,
    pipeline: Pipeline,
    sample: Sample | None,
    output: Path | None,
    back: WayBack,
    *,
    as_json: bool,
) -> None:
    from convertkit.bisection.attempt import named_roles
    from convertkit.graph.io import save
    from convertkit.passes.check import Checker
    from convertkit.passes.history import unchecked

    model, records = pipeline.run(
        model,
        checker=None if sample is None else Checker([sample.arrays], named_roles(model)),
        observe=lambda record: note(f"{record.name:<28} {record_line(record)}"),
    )
    files = () if output is None else save(back(model), output)
    if as_json:
        print_json(
            {
                "output": None if output is None else str(output),
                "files": files,
                "guessed": {} if sample is None else sample.sizes,
                "unchecked": unchecked(records),
                "passes": records,
            }
        )
        return
    if line := unchecked_line(records):
        print(line)
    if output is None:
        print("nothing written (give --output FILE.onnx to keep the result)")
    else:
        print(written(files, records[-1].nodes_after))
