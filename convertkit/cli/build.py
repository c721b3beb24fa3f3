"""``convertkit build``: from a model package to an artifact for a target."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from convertkit.cli import options as shared
from convertkit.cli.ui import BuildView, answer, print_json, show


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
    html: shared.ReportOption = None,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Export, rewrite, check and compile a model for a target; one for each of a variant's profiles."""
    from convertkit.api.commands.build import Built
    from convertkit.api.commands.build import build as run

    asked: dict[str, Any] = {
        "variant": variant, "target": target, "weights": weights, "origin": origin, "option": option,
        "python": python, "env": env, "compiler": compiler, "pipeline": pipeline, "check": check,
        "input_shape": input_shape, "batch": batch, "profile": profile,
    }  # fmt: skip
    if explain or dry_run:
        shared.refuse_meaningless("--explain and --dry-run, which build nothing", {"--report": html})
        _only_say(model, output, explain, plugin or [], asked, dry_run=dry_run, as_json=as_json)
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
    fresh = any(each.fresh for each in made)
    left = [line for each in made for line in each.left_to_do(loaded)]
    if fresh and request.variant.spec.dataset is not None:
        same = [shared.word_for(model), "--variant", request.variant.given, "--target", request.target.name]
        same += _words("--weights", [weights]) + _words("--from", [None if origin == "auto" else origin])
        same += _words("--python", [python]) + _words("--env", [env])
        same += _words("--output", [output]) + _words("--option", option or ())
        same += _words("--batch", [batch]) + _words("--profile", [profile])
        same += _words("--pipeline", [pipeline])
        same += _words("--input-shape", [input_shape])
        print(f"next: convertkit verify {shlex.join(same + loaded)}")
    elif fresh and not left:  # there is nothing to measure on
        words = [str(made[0].directory), "PHOTO", "--package", shared.word_for(model), *loaded]
        print(f"next: convertkit detect {shlex.join(words)}")
    show(left)


def _only_say(
    model: Path,
    output: Path | None,
    explain: list[str] | None,
    plugin: list[Path],
    asked: dict[str, Any],
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    from convertkit.api.commands import preview

    shared.refuse_both("--explain", "--dry-run", explain, dry_run)
    if explain:
        answer(preview.explain(model, explain, plugin, report=BuildView(), **asked), as_json=as_json)
        return
    found = preview.preview(model, output, plugin, report=BuildView(), **asked)
    if as_json:
        print_json(found)
    else:
        show(preview.page_of(found))


def _words(option: str, values: Iterable[object]) -> list[str]:
    """An option as it was given, for the command line of what comes next."""
    return [word for value in values if value is not None for word in (option, str(value))]
