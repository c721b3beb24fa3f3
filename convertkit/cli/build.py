"""``convertkit build``: from a model package to an artifact for a target."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convertkit.cli import options as shared
from convertkit.cli.reporting import ReportOption
from convertkit.cli.requests import request_of
from convertkit.cli.tables import print_table
from convertkit.cli.ui import BuildView, note, print_json, show

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest


def build(
    model: shared.ModelArgument,
    variant: shared.VariantOption = None,
    target: shared.TargetOption = "cpu",
    weights: shared.WeightsOption = None,
    origin: shared.OriginOption = "auto",
    batch: shared.BatchOption = None,
    profile: shared.ProfileOption = None,
    output: shared.OutputOption = None,
    pipeline: shared.PipelineOption = None,
    input_shape: shared.InputShapeOption = None,
    check: Annotated[bool, typer.Option("--check/--no-check", help="Run every pass's numeric check.")] = True,
    python: shared.PythonOption = None,
    env: shared.EnvOption = None,
    compiler: shared.CompilerOption = "auto",
    option: shared.SettingOption = None,
    zipped: Annotated[
        bool, typer.Option("--zip", help="Also write the artifact as one file, to be compiled elsewhere.")
    ] = False,
    explain: shared.ExplainOption = None,
    dry_run: shared.DryRunOption = False,
    html: ReportOption = None,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Export, rewrite, check and compile a model for a target; one for each of a variant's profiles."""
    from convertkit.api.commands.build import Built
    from convertkit.api.commands.build import build as run
    from convertkit.models.places import word_for

    asked: dict[str, Any] = {
        "variant": variant, "target": target, "weights": weights, "origin": origin, "option": option,
        "python": python, "env": env, "compiler": compiler, "pipeline": pipeline, "check": check,
        "input_shape": input_shape, "batch": batch, "profile": profile,
    }  # fmt: skip
    if explain or dry_run:
        shared.refuse_meaningless("--explain and --dry-run, which build nothing", {"--report": html})
        request = request_of(model, plugin, **asked)
        _only_say(request, output or request.directory, explain, dry_run=dry_run, as_json=as_json)
        return
    found = run(
        model, output=output, zipped=zipped, html=html, plugin=plugin or (), report=BuildView(), **asked
    )
    if as_json:
        print_json(found)
        return
    made = [found] if isinstance(found, Built) else found.profiles
    for each in made:
        show(each.summary())
    request, loaded = made[0].request, _words("--plugin", plugin or ())
    if any(each.fresh for each in made) and request.variant.spec.dataset is not None:
        same = [word_for(model), "--variant", request.variant.given, "--target", request.target.name]
        same += _words("--weights", [weights]) + _words("--from", [None if origin == "auto" else origin])
        same += _words("--python", [python]) + _words("--env", [env])
        same += _words("--output", [output]) + _words("--option", option or ())
        same += _words("--batch", [batch]) + _words("--profile", [profile])
        same += _words("--pipeline", [pipeline])
        same += _words("--input-shape", [input_shape])
        print(f"next: convertkit verify {shlex.join(same + loaded)}")
    show(line for each in made for line in each.left_to_do(loaded))


def _only_say(
    request: BuildRequest, directory: Path, explain: list[str] | None, *, dry_run: bool, as_json: bool
) -> None:
    shared.refuse_both("--explain", "--dry-run", explain, dry_run)
    if explain:
        _explain(request, explain, as_json=as_json)
    else:
        _preview(request, directory, as_json=as_json)


def _explain(request: BuildRequest, texts: list[str], *, as_json: bool) -> None:
    """Graphs come from the store where it has them; the artifact is not touched."""
    from convertkit.api.commands.explain import Questions
    from convertkit.conversion.stages import stored_stages
    from convertkit.passes.stages import graphs

    questions = Questions(texts, request.pipeline, request.plugins.passes)
    stock, stages = stored_stages(request, report=BuildView())
    found = questions.answers(graphs(stock, stages))
    if as_json:
        print_json(found)
    else:
        show(found.page())


def _preview(request: BuildRequest, directory: Path, *, as_json: bool) -> None:
    """Steps, their keys, and which of them the store has; nothing runs."""
    from convertkit.conversion.preview import preview

    found = preview(request, directory, notice=note)
    if as_json:
        print_json(found)
        return
    rows = [
        [str(number), step.kind, step.name, step.effect or "-", step.key[:12], step.state]
        for number, step in enumerate(found.steps, 1)
    ]
    print_table(["#", "step", "name", "effect", "key", "state"], rows, right=[0])
    print(f"{found.directory}: {found.state}; nothing was run or written")


def _words(option: str, values: Iterable[object]) -> list[str]:
    """An option as it was given, for the command line of what comes next."""
    return [word for value in values if value is not None for word in (option, str(value))]
