"""``convertkit bisect``: which pass broke it, and the smallest graph that shows it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from convertkit.api.commands.asking import sizing
from convertkit.cli import options as shared
from convertkit.cli.requests import request_of
from convertkit.cli.ui import BuildView, note, print_json, progress_bar

if TYPE_CHECKING:
    from convertkit.bisection.report import Bisection, Verdict
    from convertkit.bisection.run import Wish
    from convertkit.conversion.request import BuildRequest
    from convertkit.passes.base import Pass
    from convertkit.plugins.loading import Plugins

EFFECTS = ("exact", "rounding", "semantic")

PlaceOption = Annotated[
    str | None,
    typer.Option(
        "--runtime",
        "-r",
        help="Where graphs run: onnxruntime (default), an emulation of the target, or target.",
    ),
]

Photos: TypeAlias = tuple[Path | None, Path | None, int | None]
"""Annotations, images, limit."""


def bisect(
    subject: shared.SubjectArgument,
    passes: Annotated[
        str, typer.Option("--passes", "-p", help="Passes in order; for a model instead of its own.")
    ] = "",
    input_shape: shared.InputShapeOption = None,
    variant: shared.VariantOption = None,
    target: shared.TargetOption = "cpu",
    weights: shared.WeightsOption = None,
    origin: shared.OriginOption = "auto",
    batch: shared.BatchOption = None,
    profile: shared.ProfileOption = None,
    runtime: PlaceOption = None,
    accuracy: Annotated[
        bool, typer.Option("--accuracy", help="Search by COCO AP on photos instead of by sample outputs.")
    ] = False,
    annotations: shared.AnnotationsOption = None,
    images: shared.ImagesOption = None,
    limit: shared.LimitOption = None,
    inputs: Annotated[
        Path | None,
        typer.Option("--inputs", help="For a GRAPH: inputs by name (.npz); default: random ones."),
    ] = None,
    seed: shared.SeedOption = 0,
    effect: Annotated[
        str | None,
        typer.Option(
            "--effect", help="Judge every pass as exact, rounding or semantic, not by its own effect."
        ),
    ] = None,
    done: shared.DoneOption = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Directory of the reproducer; default: bisect-PASS.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a reproducer that is there.")] = False,
    python: shared.PythonOption = None,
    env: shared.EnvOption = None,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Find the first pass that breaks a graph, and a reproducer.

    Exit code 0 where all passes hold, 1 where one does not.
    """
    how = _How(runtime, effect, output, force)
    if subject.is_dir():
        shared.refuse_meaningless(
            "a model package", {"--inputs": inputs, "--seed": seed or None, "--done": done or None}
        )
        request = request_of(
            subject, plugin, variant=variant, target=target, weights=weights, origin=origin, python=python, env=env,
            pipeline=passes or None, input_shape=input_shape, batch=batch, profile=profile,
        )  # fmt: skip
        photos = (annotations, images, limit) if accuracy or annotations or images or limit else None
        found = _package(request, photos, how)
    else:
        own = {
            "--variant": variant,
            "--weights": weights,
            "--accuracy": accuracy or None,
            "--python": python,
            "--env": env,
        }
        shared.refuse_meaningless("an ONNX file", {"--batch": batch, "--profile": profile})
        photos_of = {"--annotations": annotations, "--images": images, "--limit": limit}
        shared.refuse_meaningless("an ONNX file", {**own, **photos_of})
        from convertkit.api.commands.optimize import pipeline_of

        plugins = shared.open_all(plugin)
        steps = pipeline_of(passes, done, plugins, sizing(input_shape)).steps
        found = _graph(subject, how.wish(str(subject), steps, plugins, target), inputs, seed)
    _report(found, as_json=as_json)


@dataclass(frozen=True)
class _How:
    """The options that both kinds of bisection have."""

    runtime: str | None
    effect: str | None
    output: Path | None
    force: bool

    def wish(self, subject: str, steps: tuple[Pass, ...], plugins: Plugins, target: str) -> Wish:
        from convertkit.bisection.place import find_place
        from convertkit.bisection.run import Wish

        effect = None if self.effect is None else shared.choice(self.effect, "--effect", EFFECTS)
        place = find_place(plugins.targets.get(target), self.runtime)
        return Wish(
            subject,
            steps,
            plugins,
            place,
            effect,  # type: ignore[arg-type]
            self.output,
            self.force,
            observe=lambda verdict: note(_line(verdict)),
            note=note,
        )


def _graph(path: Path, wish: Wish, inputs: Path | None, seed: int) -> Bisection:
    from convertkit.api.commands.optimize import sample_of
    from convertkit.bisection.run import bisect_graph
    from convertkit.graph.io import load_valid

    model = load_valid(path)
    return bisect_graph(model, sample_of(model, wish.steps, inputs, seed, BuildView()).arrays, wish)


def _package(request: BuildRequest, photos: Photos | None, how: _How) -> Bisection:
    from convertkit.bisection.run import bisect_accuracy, bisect_outputs
    from convertkit.verification.data import find_source

    subject = f"{request.package.spec.name} {request.variant.name} on {request.target.name}"
    wish = how.wish(subject, request.pipeline.steps, request.plugins, request.target.name)
    if photos is None:
        return bisect_outputs(request, wish, report=BuildView())
    annotations, images, limit = photos
    source = find_source(request.package, request.variant, annotations=annotations, images=images, note=note)
    return bisect_accuracy(request, source, wish, limit=limit, bar=progress_bar, report=BuildView())


def _report(found: Bisection, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        _show(found)
    if found.culprit is not None:
        raise typer.Exit(1)


def _show(found: Bisection) -> None:
    if found.culprit is None or found.failure is None:
        looked = f"{found.passes} passes hold" if found.passes != 1 else "the pass holds"
        blind = sum(bool(verdict.unchecked) for verdict in found.verdicts)
        print(f"{found.subject}: {looked} by {found.criterion}" + (f", {blind} not checked" if blind else ""))
        return
    print(f"{found.subject}: {found.culprit} is the first that does not hold: {found.failure.why}")
    shown = found.reproducer
    if shown is None:
        print("no reproducer was written")
        return
    print(f"wrote {shown.directory}: {shown.nodes} of {shown.whole} nodes; {shown.why}")
    print(f"to see it again: cd {shlex.quote(shown.directory)} && {shown.command}")


def _line(verdict: Verdict) -> str:
    mark = "BAD " if not verdict.ok else "?   " if verdict.unchecked else "ok  "
    return f"{mark} after {verdict.text:<28} {verdict.effect}: {verdict.detail}"
