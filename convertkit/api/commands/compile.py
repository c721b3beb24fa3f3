"""A bundle, finished where the target's compiler is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from convertkit.api.commands.asking import open_all
from convertkit.api.commands.pages import Block, Shown
from convertkit.api.commands.places import Place
from convertkit.conversion.events import Report, silent
from convertkit.conversion.manifest import Manifest
from convertkit.errors import UsageError, visible
from convertkit.storage.files import megabytes

if TYPE_CHECKING:
    from convertkit.conversion.finish import Finished
    from convertkit.targets.base import Target


class Compiled(Shown, Struct, frozen=True, dict=True):
    """``fresh``: it was compiled now."""

    directory: str
    fresh: bool
    manifest: Manifest

    @classmethod
    def of(cls, done: Finished, target: Target) -> Compiled:
        found = cls(str(done.directory), done.fresh, done.manifest)
        found.__dict__["target"] = target
        return found

    def page(self) -> Iterator[Block]:
        directory = Path(self.directory)
        for remark in self.__dict__["target"].remarks(directory) if directory.is_dir() else ():
            yield visible(remark)
        files = ", ".join(f"{name} {megabytes(entry.bytes)}" for name, entry in self.manifest.files.items())
        yield f"{'compiled' if self.fresh else 'already compiled:'} {directory} ({files}, manifest.json)"


class CompiledProfiles(Shown, Struct, frozen=True):
    """The same for each profile."""

    directory: str
    profiles: list[Compiled]

    def page(self) -> Iterator[Block]:
        for each in self.profiles:
            yield from each.page()


def compile_bundle(
    bundle: Path,
    *,
    compiler: str = "local",
    output: Path | None = None,
    trust: bool = False,
    plugin: Sequence[Place] = (),
    report: Report = silent,
) -> Compiled | CompiledProfiles:
    """Compiles a bundle that build left awaiting its compiler; several profiles one after the other.

    Args:
        trust: the bundle may have its compiler write outside of it. The others are the options of
            ``convertkit compile``.
    """
    from convertkit.conversion.finish import finish
    from convertkit.conversion.profiles import listed

    if compiler == "none":
        raise UsageError("--compiler none compiles nothing", hint="give local, docker:IMAGE or ssh:HOST")
    where = "local" if compiler == "auto" else compiler
    plugins = open_all(plugin)
    parts = listed(bundle)
    if parts and output:
        raise UsageError(
            f"{bundle} holds several profiles, and --output is of one", hint=f"compile {parts[0]}"
        )
    every = [
        finish(part, plugins, compiler=where, output=output, trust=trust, report=report)
        for part in parts or (bundle,)
    ]
    made = [Compiled.of(done, plugins.targets.get(done.manifest.target)) for done in every]
    return CompiledProfiles(str(bundle), made) if parts else made[0]
