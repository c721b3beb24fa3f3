"""``convertkit opt``: passes over any ONNX file, without a model package."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convertkit.api.commands.telling import PassTelling
from convertkit.cli import options as shared
from convertkit.cli import several
from convertkit.cli.ui import note, show
from convertkit.errors import ConvertkitError, UsageError

if TYPE_CHECKING:
    from convertkit.api.commands.explain import Explained, Plan
    from convertkit.api.commands.optimize import Optimized


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
    from convertkit.api.commands.optimize import Optimizer

    optimizer = Optimizer.of(passes, input_shape, done, plugin or (), required=not explain)
    _refuse_output(output, explain, dry_run=dry_run)
    places = _places(graphs, output)
    questions = optimizer.questions(explain) if explain else None

    def run(graph: Path) -> Optimized | Explained | Plan:
        if questions:
            return optimizer.explain(graph, questions)
        if dry_run:
            return optimizer.plan(graph)
        return optimizer.run(
            graph, places.get(graph), check=check, samples=inputs, seed=seed, report=PassTelling(note)
        )

    answers, several_files = list[tuple[Path, Any]](), len(graphs) > 1
    for graph, answer in several.each(graphs, run):
        answers.append((graph, answer))
        if not isinstance(answer, ConvertkitError) and not as_json:
            _show(answer, f"{graph}: " if several_files else "")
    if as_json:
        several.print_all(
            [(graph, _with_file(graph, answer)) for graph, answer in answers] if several_files else answers
        )
    several.end(graphs, [answer for _, answer in answers if isinstance(answer, ConvertkitError)])


def _with_file(graph: Path, answer: Any) -> Any:
    from msgspec import structs

    return answer if isinstance(answer, ConvertkitError) else {"file": graph, **structs.asdict(answer)}


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


def _show(answer: Optimized | Explained | Plan, name: str) -> None:
    """``name``: said in front of every line, where there are several files."""
    from convertkit.api.commands.optimize import Optimized

    if isinstance(answer, Optimized):
        for line in answer.summary():
            print(f"{name}{line}")
        return
    if name:
        print(name.rstrip())
    show(answer.page())
