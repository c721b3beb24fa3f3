"""``convertkit opt``: passes over any ONNX file, without a model package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli.options import JsonOption, PluginOption, open_all


def opt(
    graph: Annotated[Path, typer.Argument(help="ONNX file to read.", metavar="GRAPH")],
    passes: Annotated[
        str, typer.Option("--passes", "-p", help='Passes in order, like "simplify,cast-int64-to-int32".')
    ],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="ONNX file to write.")] = None,
    check: Annotated[
        bool,
        typer.Option("--check/--no-check", help="Run the graph before and after each pass on random inputs."),
    ] = True,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the random inputs.")] = 0,
    plugin: PluginOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run passes over an ONNX file and write the result."""
    from convertkit.cli.ui import megabytes, note, print_json, record_line
    from convertkit.errors import UsageError
    from convertkit.graph.io import load, save
    from convertkit.passes.check import Checker
    from convertkit.passes.options import split_steps
    from convertkit.passes.pipeline import Pipeline

    pipeline = Pipeline.parse(split_steps(passes), open_all(plugin).passes)
    if not pipeline.steps:
        raise UsageError("--passes is empty", hint="convertkit list passes shows what there is")
    model = load(graph)
    checker = None
    if check:
        from convertkit.graph.random_inputs import random_inputs

        checker = Checker([random_inputs(model, seed)])
    model, records = pipeline.run(
        model, checker=checker, observe=lambda record: note(f"{record.name:<28} {record_line(record)}")
    )
    if output is not None:
        save(model, output)
    if as_json:
        print_json({"output": None if output is None else str(output), "passes": records})
    elif output is None:
        print("nothing written (give --output FILE.onnx to keep the result)")
    else:
        print(f"wrote {output} ({megabytes(output.stat().st_size)}, {records[-1].nodes_after} nodes)")
