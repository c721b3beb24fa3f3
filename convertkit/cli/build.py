"""``convertkit build``: from a model package to an artifact for a target."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convertkit.cli.options import (
    JsonOption,
    ModelArgument,
    OriginOption,
    OutputOption,
    PluginOption,
    PythonOption,
    TargetOption,
    VariantOption,
    WeightsOption,
    choice,
    open_all,
)

if TYPE_CHECKING:
    from convertkit.build.engine import BuildResult
    from convertkit.build.request import BuildRequest

ORIGINS = ("auto", "stock", "checkpoint")


def build(
    model: ModelArgument,
    variant: VariantOption = None,
    target: TargetOption = "cpu",
    weights: WeightsOption = None,
    origin: OriginOption = "auto",
    output: OutputOption = None,
    pipeline: Annotated[
        str | None, typer.Option("--pipeline", "-p", help="Passes to run instead of the model's own.")
    ] = None,
    check: Annotated[bool, typer.Option("--check/--no-check", help="Run every pass's numeric check.")] = True,
    python: PythonOption = None,
    plugin: PluginOption = None,
    as_json: JsonOption = False,
) -> None:
    """Export, rewrite, check and compile a model for a target."""
    from convertkit.build.engine import build as run
    from convertkit.cli.ui import BuildView, print_json

    request = request_of(model, variant, target, weights, origin, python, plugin, pipeline, check=check)
    directory = output or artifact_directory(request)
    view = BuildView()
    result = run(request, directory, report=view)
    if as_json:
        print_json(_data(result))
    else:
        _show(result, request, model)


def request_of(
    model: Path,
    variant: str | None,
    target: str,
    weights: str | None,
    origin: str,
    python: Path | None,
    plugin: list[Path] | None,
    pipeline: str | None = None,
    *,
    check: bool = True,
) -> BuildRequest:
    """The request that the options of ``build``, ``verify`` and ``export`` describe."""
    from convertkit.build.request import make_request
    from convertkit.passes.options import split_steps

    choice(origin, "--from", ORIGINS)
    return make_request(
        model,
        open_all(plugin),
        variant=variant,
        target=target,
        weights=weights,
        origin=origin,  # type: ignore[arg-type]
        pipeline=None if pipeline is None else split_steps(pipeline),
        python=python,
        check=check,
    )


def artifact_directory(request: BuildRequest) -> Path:
    """Where an artifact goes unless the user says otherwise."""
    return Path("build") / request.label


def _show(result: BuildResult, request: BuildRequest, model: Path) -> None:
    from convertkit.cli.ui import megabytes

    files = ", ".join(f"{name} {megabytes(entry.bytes)}" for name, entry in result.manifest.files.items())
    print(f"{'built' if result.fresh else 'up to date:'} {result.directory} ({files}, manifest.json)")
    if result.fresh and request.variant.spec.dataset is not None:
        options = f"--variant {request.variant.given} --target {request.target.name}"
        print(f"next: convertkit verify {model} {options}")


def _data(result: BuildResult) -> dict[str, Any]:
    return {
        "directory": str(result.directory),
        "fresh": result.fresh,
        "manifest": result.manifest,
        "passes": result.records,
    }
