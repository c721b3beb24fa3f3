"""Which pass broke it, and the smallest graph that shows it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from convertkit.api.commands.asking import choice, open_all, request_of, sizing
from convertkit.api.commands.courses import source_in
from convertkit.api.commands.optimize import pipeline_of, sample_of
from convertkit.api.commands.places import Place
from convertkit.conversion.events import Report, Said, said
from convertkit.storage.urls import Url

if TYPE_CHECKING:
    from convertkit.bisection.report import Bisection, Verdict
    from convertkit.bisection.run import Wish
    from convertkit.passes.base import Pass
    from convertkit.plugins.loading import Plugins
    from convertkit.storage.progress import Bar

EFFECTS = ("exact", "rounding", "semantic")

Photos: TypeAlias = tuple[Place | Url | None, Place | Url | None, int | None]
"""Annotations, images, limit."""


@dataclass(frozen=True)
class Bisector:
    """What bisections of packages and of graphs have in common: the options of the command by their names."""

    runtime: str | None
    effect: str | None
    output: Path | None
    force: bool
    report: Report
    bar: Bar

    def package(
        self, model: Place, plugin: Sequence[Place], photos: Photos | None, **words: Any
    ) -> Bisection:
        """By the outputs of a model, or by its accuracy on photos.

        Args:
            words: as :func:`~convertkit.api.commands.asking.request_of` takes them.
        """
        from convertkit.bisection.run import bisect_accuracy, bisect_outputs

        request = request_of(model, plugin, report=self.report, **words)
        subject = f"{request.package.spec.name} {request.variant.name} on {request.target.name}"
        wish = self._wish(subject, request.pipeline.steps, request.plugins, request.target.name)
        if photos is None:
            return bisect_outputs(request, wish, report=self.report)
        annotations, images, limit = photos
        source = source_in(request, annotations, images, None, self.report)
        return bisect_accuracy(request, source, wish, limit=limit, bar=self.bar, report=self.report)

    def graph(
        self,
        path: Path,
        passes: str,
        *,
        done: str = "",
        input_shape: str | None = None,
        target: str = "cpu",
        inputs: Path | None = None,
        seed: int = 0,
        plugin: Sequence[Place] = (),
    ) -> Bisection:
        """By the outputs of a graph, on inputs that are given or random."""
        from convertkit.bisection.run import bisect_graph
        from convertkit.graph.io import load_valid

        plugins = open_all(plugin)
        steps = pipeline_of(passes, done, plugins, sizing(input_shape)).steps
        wish = self._wish(str(path), steps, plugins, target)
        model = load_valid(path)
        return bisect_graph(model, sample_of(model, steps, inputs, seed, self.report).arrays, wish)

    def _wish(self, subject: str, steps: tuple[Pass, ...], plugins: Plugins, target: str) -> Wish:
        from convertkit.bisection.place import find_place
        from convertkit.bisection.run import Wish

        effect = None if self.effect is None else choice(self.effect, "--effect", EFFECTS)
        entry = plugins.targets.entry(target)
        return Wish(
            subject,
            steps,
            find_place(entry.item, self.runtime),
            {each.name: each.plugin for each in plugins.passes},
            entry.plugin,
            effect,  # type: ignore[arg-type]
            self.output,
            self.force,
            observe=lambda verdict: self.report(Said(_line(verdict))),
            note=said(self.report),
        )


def page_of(found: Bisection) -> Iterator[str]:
    """Which pass does not hold, and where it can be seen."""
    if found.culprit is None or found.failure is None:
        looked = f"{found.passes} passes hold" if found.passes != 1 else "the pass holds"
        blind = sum(bool(verdict.unchecked) for verdict in found.verdicts)
        yield f"{found.subject}: {looked} by {found.criterion}" + (f", {blind} not checked" if blind else "")
        return
    yield f"{found.subject}: {found.culprit} is the first that does not hold: {found.failure.why}"
    shown = found.reproducer
    if shown is None:
        yield "no reproducer was written"
        return
    yield f"wrote {shown.directory}: {shown.nodes} of {shown.whole} nodes; {shown.why}"
    yield f"to see it again: cd {shlex.quote(shown.directory)} && {shown.command}"


def _line(verdict: Verdict) -> str:
    mark = "BAD " if not verdict.ok else "?   " if verdict.unchecked else "ok  "
    return f"{mark} after {verdict.text:<28} {verdict.effect}: {verdict.detail}"
