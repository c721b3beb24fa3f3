"""``convertkit opt``: passes over any ONNX file, without a model package."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convertkit.cli import options as shared
from convertkit.cli import several
from convertkit.cli.ui import note, record_line, unchecked_line, written
from convertkit.errors import ConvertkitError, GraphError, UsageError

if TYPE_CHECKING:
    from convertkit.cli.explain import Questions
    from convertkit.graph.domains import WayBack
    from convertkit.graph.light import LightModel
    from convertkit.graph.random_inputs import Sample
    from convertkit.passes.base import Pass
    from convertkit.passes.pipeline import Pipeline
    from convertkit.plugins.loading import Plugins


def opt(
    graphs: Annotated[list[Path], typer.Argument(help="ONNX files to read.", metavar="GRAPH...")],
    passes: Annotated[
        str, typer.Option("--passes", "-p", help='Passes in order, like "simplify,cast-int64-to-int32".')
    ] = "",
    input_shape: shared.InputShapeOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="ONNX file to write, or the directory for several.")
    ] = None,
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
    """Run passes over ONNX files and write the results.

    Of several files each has its answer, and the worst exit code counts.
    """
    from convertkit.cli.explain import Questions
    from convertkit.graph.io import load_foreign

    plugins = shared.open_all(plugin)
    pipeline = pipeline_of(passes, done, plugins, shared.sizing(input_shape), required=not explain)
    _refuse_output(output, explain, dry_run=dry_run)
    places = _places(graphs, output)
    questions = Questions(explain, pipeline, plugins.passes) if explain else None

    def run(graph: Path) -> dict[str, Any]:
        if questions or dry_run:
            return _only_say(graph, pipeline, questions)
        model, back = load_foreign(graph)
        sample = sample_of(model, pipeline.steps, inputs, seed) if check else None
        return _run(model, pipeline, sample, places.get(graph), back)

    answers, several_files = [], len(graphs) > 1
    for graph, answer in several.each(graphs, run):
        answers.append((graph, answer))
        if not isinstance(answer, ConvertkitError) and not as_json:
            _show(answer, f"{graph}: " if several_files else "")
    if as_json:
        several.print_all(
            [
                (graph, {"file": graph, **answer} if several_files and isinstance(answer, dict) else answer)
                for graph, answer in answers
            ]
        )
    several.end(graphs, [answer for _, answer in answers if isinstance(answer, ConvertkitError)])


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


def _places(graphs: Sequence[Path], output: Path | None) -> dict[Path, Path]:
    """Where the result of each file goes: ``--output`` itself, or a file of the same name in that directory.

    Raises:
        UsageError: two files have one name, or one is given twice.
    """
    if output is None:
        return {}
    if len(graphs) == 1 and not output.is_dir():
        return {graphs[0]: output}
    names = Counter(graph.name for graph in graphs)
    name, count = names.most_common(1)[0]
    if count > 1:
        raise UsageError(f"{count} of the files are called {name}", hint="write them one by one")
    if output.suffix == ".onnx" and not output.is_dir():
        raise UsageError(f"{output}: one file for {len(graphs)} graphs", hint="give a directory")
    return {graph: output / graph.name for graph in graphs}


def _only_say(graph: Path, pipeline: Pipeline, questions: Questions | None) -> dict[str, Any]:
    """What passes find, or would do."""
    from convertkit.cli.explain import outlook
    from convertkit.graph.io import load_foreign
    from convertkit.passes.stages import graphs, stages

    model, _ = load_foreign(graph)
    found = graphs(model, stages(pipeline.steps, model))
    if questions is not None:
        return {"explained": list(questions.answers(found))}
    return {"passes": outlook(pipeline, found)}


def _run(
    model: LightModel, pipeline: Pipeline, sample: Sample | None, output: Path | None, back: WayBack
) -> dict[str, Any]:
    from convertkit.graph.io import save
    from convertkit.passes.check import Checker
    from convertkit.passes.history import unchecked
    from convertkit.passes.roles import named_roles

    model, records = pipeline.run(
        model,
        checker=None if sample is None else Checker([sample.arrays], named_roles(model)),
        observe=lambda record: note(f"{record.name:<28} {record_line(record)}"),
    )
    return {
        "output": None if output is None else str(output),
        "files": () if output is None else save(back(model), output),
        "guessed": {} if sample is None else sample.sizes,
        "unchecked": unchecked(records),
        "passes": records,
    }


def _show(answer: dict[str, Any], name: str) -> None:
    """``name``: said in front of every line, where there are several files."""
    from convertkit.cli.explain import print_answers, print_outlook

    if "files" not in answer:
        if name:
            print(name.rstrip())
        if "explained" in answer:
            print_answers(answer["explained"], as_json=False)
        else:
            print_outlook(answer["passes"], as_json=False)
        return
    if line := unchecked_line(answer["passes"]):
        print(f"{name}{line}")
    if not answer["files"]:
        print(f"{name}nothing written (give --output FILE.onnx to keep the result)")
    else:
        print(f"{name}{written(answer['files'], answer['passes'][-1].nodes_after)}")
