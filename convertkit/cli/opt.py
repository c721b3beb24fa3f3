"""``convertkit opt``: passes over any ONNX file, without a model package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convertkit.cli.options import DryRunOption, ExplainOption, JsonOption, PluginOption, open_all

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convertkit.graph.domains import WayBack
    from convertkit.graph.light import LightModel
    from convertkit.passes.pipeline import Pipeline
    from convertkit.plugins import Plugins


def opt(
    graph: Annotated[Path, typer.Argument(help="ONNX file to read.", metavar="GRAPH")],
    passes: Annotated[
        str, typer.Option("--passes", "-p", help='Passes in order, like "simplify,cast-int64-to-int32".')
    ] = "",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="ONNX file to write.")] = None,
    explain: ExplainOption = None,
    dry_run: DryRunOption = False,
    check: Annotated[
        bool,
        typer.Option("--check/--no-check", help="Run the graph before and after each pass on sample inputs."),
    ] = True,
    inputs: Annotated[
        Path | None, typer.Option("--inputs", help="Sample inputs by name (.npz); default: random ones.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the random inputs.")] = 0,
    done: Annotated[
        str, typer.Option("--done", help="Passes the graph has been through, for those that require them.")
    ] = "",
    plugin: PluginOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run passes over an ONNX file and write the result."""
    from convertkit.cli.explain import Questions, outlook, print_answers, print_outlook
    from convertkit.graph.domains import adopted
    from convertkit.graph.io import load
    from convertkit.passes.stages import graphs, stages

    plugins = open_all(plugin)
    pipeline = pipeline_of(passes, done, plugins, required=not explain)
    _refuse_output(output, explain, dry_run=dry_run)
    if explain:
        questions = Questions(explain, pipeline, plugins.passes)
        model, _ = adopted(load(graph))
        print_answers(questions.answers(graphs(model, stages(pipeline.steps, model))), as_json=as_json)
    elif dry_run:
        model, _ = adopted(load(graph))
        print_outlook(outlook(pipeline, graphs(model, stages(pipeline.steps, model))), as_json=as_json)
    else:
        model, back = adopted(load(graph))
        _run(
            model, pipeline, sample_of(model, inputs, seed) if check else None, output, back, as_json=as_json
        )


def pipeline_of(passes: str, done: str, plugins: Plugins, *, required: bool = True) -> Pipeline:
    """The pipeline of ``--passes``; those of ``--done`` count for its order but do not run."""
    from convertkit.errors import UsageError
    from convertkit.passes.options import split_steps
    from convertkit.passes.pipeline import Pipeline

    earlier = split_steps(done)
    everything = Pipeline.parse([*earlier, *split_steps(passes)], plugins.passes)
    pipeline = Pipeline(everything.steps[len(earlier) :])
    if required and not pipeline.steps:
        raise UsageError("--passes is empty", hint="convertkit list passes shows what there is")
    return pipeline


def sample_of(model: LightModel, inputs: Path | None, seed: int) -> dict[str, NDArray[Any]]:
    """The arrays of ``--inputs``, else random ones."""
    if inputs is None:
        from convertkit.graph.random_inputs import random_inputs

        return random_inputs(model, seed)
    from convertkit.graph.npz import read_arrays, require_inputs

    arrays = read_arrays(inputs)
    weights = {tensor.name for tensor in model.proto.graph.initializer}
    names = tuple(value.name for value in model.proto.graph.input if value.name not in weights)
    require_inputs(arrays, names, inputs)
    return arrays


def _refuse_output(output: Path | None, explain: list[str] | None, *, dry_run: bool) -> None:
    from convertkit.errors import UsageError

    if explain and dry_run:
        raise UsageError("--explain and --dry-run exclude each other", hint="give one of them")
    if output is not None and (explain or dry_run):
        option = "--explain" if explain else "--dry-run"
        raise UsageError(f"{option} writes nothing, so --output has no use", hint="leave one of them out")


def _run(
    model: LightModel,
    pipeline: Pipeline,
    sample: dict[str, NDArray[Any]] | None,
    output: Path | None,
    back: WayBack,
    *,
    as_json: bool,
) -> None:
    from convertkit.bisect.attempt import named_roles
    from convertkit.cli.ui import megabytes, note, print_json, record_line
    from convertkit.graph.io import save
    from convertkit.passes.check import Checker

    model, records = pipeline.run(
        model,
        checker=None if sample is None else Checker([sample], named_roles(model)),
        observe=lambda record: note(f"{record.name:<28} {record_line(record)}"),
    )
    if output is not None:
        save(back(model), output)
    if as_json:
        print_json({"output": None if output is None else str(output), "passes": records})
    elif output is None:
        print("nothing written (give --output FILE.onnx to keep the result)")
    else:
        print(f"wrote {output} ({megabytes(output.stat().st_size)}, {records[-1].nodes_after} nodes)")
