"""From a model package to an artifact for a target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from convertkit.api.commands.asking import Profile, Settings, Sizes, Words, request_of, requests_of
from convertkit.api.commands.pages import Block, Shown
from convertkit.api.commands.passes import table_of, unchecked_line
from convertkit.api.commands.places import Place
from convertkit.api.commands.reporting import page_file, written
from convertkit.conversion.events import Report, silent
from convertkit.conversion.manifest import Manifest
from convertkit.passes.history import PassRecord
from convertkit.storage.files import megabytes

if TYPE_CHECKING:
    from convertkit.conversion.engine import BuildResult
    from convertkit.conversion.request import BuildRequest


class Built(Shown, Struct, frozen=True, dict=True):
    """``unchecked``: passes whose work nobody has compared, and why."""

    directory: str
    zip: str | None
    state: str
    fresh: bool
    manifest: Manifest
    unchecked: dict[str, str]
    passes: tuple[PassRecord, ...]

    @classmethod
    def of(cls, result: BuildResult, request: BuildRequest, archive: Path | None) -> Built:
        from convertkit.conversion.compiled import state_of
        from convertkit.passes.history import unchecked

        found = cls(
            str(result.directory),
            None if archive is None else str(archive),
            state_of(request.target, result.directory),
            result.fresh,
            result.manifest,
            unchecked(result.records),
            result.records,
        )
        found.__dict__["request"] = request
        return found

    @property
    def request(self) -> BuildRequest:
        """What was asked, resolved; not in JSON."""
        found: BuildRequest = self.__dict__["request"]
        return found

    def page(self) -> Iterator[Block]:
        yield from table_of(self.passes)
        yield from self.summary()
        yield from self.left_to_do()

    def summary(self) -> Iterator[str]:
        """What was made."""
        from convertkit.conversion.standalone import why_none

        yield from self.request.target.remarks(Path(self.directory))
        if line := unchecked_line(self.passes):
            yield line
        files = ", ".join(f"{name} {megabytes(entry.bytes)}" for name, entry in self.manifest.files.items())
        yield f"{'built' if self.fresh else 'up to date:'} {self.directory} ({files}, manifest.json)"
        if self.fresh and (why := why_none(self.request)):
            yield f"no sample: {why}"

    def left_to_do(self, loaded: Sequence[str] = ()) -> Iterator[str]:
        """``loaded``: the plugins as words of a command line."""
        import shlex

        from convertkit.targets.capabilities import compiler_of, product_of

        target, bundle = self.request.target, self.zip or self.directory
        if self.state == "by hand":
            yield f"{product_of(target)} was compiled by hand and is taken as it is"
        if self.state == "awaiting":
            maker = compiler_of(target)
            trust = ["--trust"] if maker.reaching(Path(self.directory)) else []
            words = shlex.join([bundle, *trust, *loaded])
            yield f"awaiting compile: {bundle}; {maker.by_hand}, or convertkit compile {words}"


class BuiltProfiles(Shown, Struct, frozen=True):
    """A variant's profiles: one artifact each, in directories of their own."""

    directory: str
    profiles: tuple[Built, ...]

    def page(self) -> Iterator[Block]:
        for number, each in enumerate(self.profiles):
            yield from ("",) if number else ()
            yield from each.page()


def build(
    model: Place,
    *,
    variant: str | None = None,
    target: str = "cpu",
    weights: Place | None = None,
    origin: str = "auto",
    batch: int | None = None,
    profile: Profile | None = None,
    output: Place | None = None,
    pipeline: Words | None = None,
    input_shape: Sizes | None = None,
    check: bool = True,
    python: Place | None = None,
    env: str | None = None,
    compiler: str = "auto",
    option: Settings | None = None,
    zipped: bool = False,
    html: Place | None = None,
    plugin: Sequence[Place] = (),
    report: Report = silent,
) -> Built | BuiltProfiles:
    """Exports, rewrites, checks and compiles a model for a target; one for each of a variant's profiles.

    Args:
        model: the package, by name or directory. The others are the options of ``convertkit build``.
        origin: where the stock graph comes from (``--from``): ``auto``, ``stock`` or ``checkpoint``.
        zipped: also write the artifact as one file (``--zip``).
        html: also write a page of it to this file (``--report``); needs the extra ``report``.
        report: told of every step.

    Raises:
        ConvertkitError: what was asked cannot be done, or a step failed; finished ones are kept.
    """
    from convertkit.conversion.pack import pack
    from convertkit.conversion.profiles import build_profiles

    page = page_file(html)
    ask = _only if zipped else requests_of
    requests = ask(
        model, plugin, variant=variant, target=target, weights=weights, origin=origin, option=option, python=python,
        env=env, compiler=compiler, pipeline=pipeline, check=check, input_shape=input_shape, batch=batch,
        profile=profile, report=report,
    )  # fmt: skip
    results = build_profiles(requests, None if output is None else Path(output), report=report)
    archive = pack(results[0].directory, results[0].manifest) if zipped else None
    pairs = [*zip(results, requests, strict=True)]
    made = tuple(Built.of(result, request, archive) for result, request in pairs)
    if page is not None:
        from convertkit.reports.page.build import build_page

        written(page, build_page(pairs, report=report), report)
    return made[0] if len(made) == 1 else BuiltProfiles(str(results[0].directory.parent), made)


def _only(*given: object, **words: object) -> tuple[BuildRequest, ...]:
    return (request_of(*given, **words),)  # type: ignore[arg-type]
