"""``convertkit build``: from a model package to an artifact for a target."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convertkit.api.commands.passes import unchecked_line
from convertkit.cli import options as shared
from convertkit.cli.requests import request_of, requests_of
from convertkit.cli.tables import print_table
from convertkit.cli.ui import BuildView, note, print_json, show
from convertkit.storage.files import megabytes

if TYPE_CHECKING:
    from convertkit.conversion.engine import BuildResult
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
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Export, rewrite, check and compile a model for a target; one for each of a variant's profiles."""
    from convertkit.conversion.pack import pack
    from convertkit.conversion.profiles import build_profiles
    from convertkit.models.places import word_for

    one = bool(explain or dry_run or zipped)
    ask: Callable[..., Any] = request_of if one else requests_of
    asked = ask(
        model, plugin, variant=variant, target=target, weights=weights, origin=origin, option=option,
        python=python, env=env, compiler=compiler, pipeline=pipeline, check=check,
        input_shape=input_shape, batch=batch, profile=profile,
    )  # fmt: skip
    requests: Sequence[BuildRequest] = [asked] if one else asked
    if explain or dry_run:
        _only_say(requests[0], output or requests[0].directory, explain, dry_run=dry_run, as_json=as_json)
        return
    results = build_profiles(requests, output, report=BuildView())
    archive = pack(results[0].directory, results[0].manifest) if zipped else None
    made = list(zip(results, requests, strict=True))
    if as_json:
        found = [_data(result, request, archive) for result, request in made]
        several = {"directory": str(results[0].directory.parent), "profiles": found}
        print_json(several if len(found) > 1 else found[0])
    else:
        request = requests[0]
        loaded = _words("--plugin", plugin or ())
        same = [word_for(model), "--variant", request.variant.given, "--target", request.target.name]
        same += _words("--weights", [weights]) + _words("--from", [None if origin == "auto" else origin])
        same += _words("--python", [python]) + _words("--env", [env])
        same += _words("--output", [output]) + _words("--option", option or ())
        same += _words("--batch", [batch]) + _words("--profile", [profile])
        same += _words("--pipeline", [pipeline])
        same += _words("--input-shape", [input_shape])
        for result, request in made:
            _show(result, request)
        if any(result.fresh for result in results) and request.variant.spec.dataset is not None:
            print(f"next: convertkit verify {shlex.join(same + loaded)}")
        for result, request in made:
            _say_state(result, request, archive, loaded=loaded)


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


def _show(result: BuildResult, request: BuildRequest) -> None:
    target = request.target
    files = ", ".join(f"{name} {megabytes(entry.bytes)}" for name, entry in result.manifest.files.items())
    for remark in target.remarks(result.directory):
        print(remark)
    if line := unchecked_line(result.records):
        print(line)
    print(f"{'built' if result.fresh else 'up to date:'} {result.directory} ({files}, manifest.json)")


def _say_state(
    result: BuildResult, request: BuildRequest, archive: Path | None, *, loaded: Sequence[str]
) -> None:
    """What is left to do; ``loaded``: the plugins of the command line."""
    from convertkit.conversion.compiled import state_of
    from convertkit.targets.capabilities import compiler_of, product_of

    target = request.target
    state, bundle = state_of(target, result.directory), archive or result.directory
    if state == "by hand":
        print(f"{product_of(target)} was compiled by hand and is taken as it is")
    if state == "awaiting":
        maker = compiler_of(target)
        trust = ["--trust"] if maker.reaching(result.directory) else []
        places = f"{maker.by_hand}, or convertkit compile {shlex.join([str(bundle), *trust, *loaded])}"
        print(f"awaiting compile: {bundle}; {places}")


def _data(result: BuildResult, request: BuildRequest, archive: Path | None) -> dict[str, Any]:
    from convertkit.conversion.compiled import state_of
    from convertkit.passes.history import unchecked

    return {
        "directory": str(result.directory),
        "zip": None if archive is None else str(archive),
        "state": state_of(request.target, result.directory),
        "fresh": result.fresh,
        "manifest": result.manifest,
        "unchecked": unchecked(result.records),
        "passes": result.records,
    }
